"""The time of a run, in seconds: that of its frames, and in between, where frames come live, that which passes."""

import time

from cuelens.frame import Frame


class Clock:
    """t: the time now. It begins at 0 with the first frame, or with the start, if that frame comes late."""

    def __init__(self) -> None:
        self.t = 0.0
        self._zero_t: float | None = None
        self._at_s = time.monotonic()

    def see(self, frame: Frame) -> float:
        """Take the time from a frame, and return it."""
        if self._zero_t is None:
            self._zero_t = frame.t - self.t
        self.t, self._at_s = round(frame.t - self._zero_t, 4), time.monotonic()
        return self.t

    def wait(self) -> float:
        """Let the time go on that has passed since, where no frame tells it; return it."""
        now_s = time.monotonic()
        self.t, self._at_s = round(self.t + now_s - self._at_s, 4), now_s
        return self.t
