"""The clock of a run, in seconds: frame time, and the monotonic clock between live frames."""

import time

from cuelens.frame import Frame


class Clock:
    """t: the time. It is 0 at the first frame, or at the start if `wait` is called before that frame."""

    def __init__(self) -> None:
        self.t = 0.0
        self._origin_t: float | None = None
        self._at_s = time.monotonic()

    def see(self, frame: Frame) -> float:
        """Set the time to that of a frame, and return it."""
        if self._origin_t is None:
            self._origin_t = frame.t - self.t
        self.t, self._at_s = round(frame.t - self._origin_t, 4), time.monotonic()
        return self.t

    def wait(self) -> float:
        """Advance the time by the monotonic clock, while no frame comes, and return it."""
        now_s = time.monotonic()
        self.t, self._at_s = round(self.t + now_s - self._at_s, 4), now_s
        return self.t
