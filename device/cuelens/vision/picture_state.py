"""Picture state: running, too dark, or covered. A dark room and a covered lens are no failures."""

from typing import Final

import cv2

from cuelens.frame import Frame

RUNNING: Final = "running"
DARK: Final = "too dark"
COVERED: Final = "covered"
_SAMPLE_EVERY_S: Final = 0.25
_HOLD_S: Final = 1.0
_GRID: Final = 16


class PictureState:
    """Classifies a sample of pixels four times a second. Debounce: a new state must hold for one second.

    mean: mean grey level of the last sample, 0 to 255; None before the first.
    """

    def __init__(self) -> None:
        self.state = RUNNING
        self.mean: float | None = None
        self._candidate = RUNNING
        self._candidate_t = 0.0
        self._sample_t = float("-inf")

    def judge(self, frame: Frame) -> str:
        """Return the picture state at this frame."""
        if frame.t - self._sample_t >= _SAMPLE_EVERY_S:
            self._sample_t = frame.t
            self.mean, deviation = _measure(frame)
            sample = _judge(self.mean, deviation, self.state)
            if sample != self._candidate:
                self._candidate, self._candidate_t = sample, frame.t
            if frame.t - self._candidate_t >= _HOLD_S:
                self.state = self._candidate
        return self.state


def _measure(frame: Frame) -> tuple[float, float]:
    """Return mean and standard deviation of the sample, in grey levels."""
    means, deviations = cv2.meanStdDev(frame.grey[::_GRID, ::_GRID].copy())
    return float(means[0, 0]), float(deviations[0, 0])


def _judge(mean: float, deviation: float, state: str) -> str:
    """Classify a sample. No detail: a cover (light can shine through it). A low mean with detail: a dark room.

    Hysteresis: a dark room ends at a higher mean than it begins at, so that dusk does not switch to and fro.
    """
    if mean < 60 and deviation < 6:
        return COVERED
    if mean < (38 if state == DARK else 30):
        return DARK
    return RUNNING
