"""Time by stage of a beat. It costs two clock reads a stage, and memory of a fixed size."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

STAGES: Final = ("haar", "crop", "invoke")
HISTORY: Final = 4096
"""Beats in the statistics: the last four and a half minutes at 15 a second."""


class StageTimes:
    """Nanoseconds by stage of the current beat, and of the last beats."""

    def __init__(self, now: Callable[[], int] = time.perf_counter_ns) -> None:
        """now: a clock in nanoseconds."""
        self.now = now
        self._times_ns = dict.fromkeys(STAGES, 0)
        self._kind = ""
        self._began = 0
        self.beats: deque[tuple[str, int, int, int, int]] = deque(maxlen=HISTORY)
        """(kind, total, haar, crop, invoke) of each beat. kind: region (a face was tracked), sweep, none."""

    def begin(self) -> None:
        """Begin a beat."""
        for stage in STAGES:
            self._times_ns[stage] = 0
        self._kind = "none"
        self._began = self.now()

    def set_kind(self, kind: str) -> None:
        """Set the beat's kind. A region beat stays one, even if it sweeps too."""
        if self._kind != "region":
            self._kind = kind

    def add(self, stage: str, since_ns: int) -> None:
        """Add the time since `since_ns` (of `now`) to a stage."""
        self._times_ns[stage] += self.now() - since_ns

    def end(self) -> None:
        """End the beat and store its times."""
        times = self._times_ns
        total = self.now() - self._began
        self.beats.append((self._kind, total, times["haar"], times["crop"], times["invoke"]))
