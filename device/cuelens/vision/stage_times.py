"""Where the time of a beat goes, at two clock reads a stage and without memory that grows."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

STAGES: Final = ("haar", "crop", "invoke")
KEPT: Final = 4096
"""Beats that statistics are made of: the last four and a half minutes at 15 a second."""


class StageTimes:
    """Nanoseconds spent in each stage of the beat that is running, and the last beats whole."""

    def __init__(self, now: Callable[[], int] = time.perf_counter_ns) -> None:
        """now: a clock in nanoseconds."""
        self.now = now
        self._spent = dict.fromkeys(STAGES, 0)
        self._kind = ""
        self._began = 0
        self.beats: deque[tuple[str, int, int, int, int]] = deque(maxlen=KEPT)
        """(kind, total, haar, crop, invoke) a beat; kind is what looking did: region (faces followed), sweep, none."""

    def begin(self) -> None:
        """Begin a beat."""
        for stage in STAGES:
            self._spent[stage] = 0
        self._kind = "none"
        self._began = self.now()

    def scanned(self, kind: str) -> None:
        """Say what looking did; a beat in which a face was followed is a region beat, whatever else was scanned."""
        if self._kind != "region":
            self._kind = kind

    def add(self, stage: str, since_ns: int) -> None:
        """Count the time since `since_ns` (of `now`) to a stage."""
        self._spent[stage] += self.now() - since_ns

    def end(self) -> None:
        """End the beat and keep it."""
        spent = self._spent
        total = self.now() - self._began
        self.beats.append((self._kind, total, spent["haar"], spent["crop"], spent["invoke"]))
