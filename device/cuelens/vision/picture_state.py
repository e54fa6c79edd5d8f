"""Whether the picture holds enough light to look at: a dark room and a covered lens are states, not failures."""

from typing import Final

import cv2

from cuelens.frame import Frame

RUNNING: Final = "running"
DARK: Final = "too dark"
COVERED: Final = "covered"
_EVERY_S: Final = 0.25
_HOLD_S: Final = 1.0
_GRID: Final = 16


class PictureState:
    """Judges a sample of pixels four times a second; a state changes after one second of agreement.

    mean: the last sample's mean grey level, 0 to 255; None before the first.
    """

    def __init__(self) -> None:
        self.state = RUNNING
        self.mean: float | None = None
        self._candidate = RUNNING
        self._candidate_t = 0.0
        self._judged_t = float("-inf")

    def judge(self, frame: Frame) -> str:
        """Return the state that holds at this frame."""
        if frame.t - self._judged_t >= _EVERY_S:
            self._judged_t = frame.t
            self.mean, deviation = _measure(frame)
            judged = _judge(self.mean, deviation, self.state)
            if judged != self._candidate:
                self._candidate, self._candidate_t = judged, frame.t
            if frame.t - self._candidate_t >= _HOLD_S:
                self.state = self._candidate
        return self.state


def _measure(frame: Frame) -> tuple[float, float]:
    """Return mean and standard deviation of the sample, in grey levels."""
    means, deviations = cv2.meanStdDev(frame.grey[::_GRID, ::_GRID].copy())
    return float(means[0, 0]), float(deviations[0, 0])


def _judge(mean: float, deviation: float, state: str) -> str:
    """Even pixels without detail mean a cover (light can shine through it); a low mean with detail, a dark room.

    A dark room is one until it is clearly lighter, so that dusk does not come and go.
    """
    if mean < 60 and deviation < 6:
        return COVERED
    if mean < (38 if state == DARK else 30):
        return DARK
    return RUNNING
