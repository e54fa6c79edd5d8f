"""Time by stage of a beat. It costs two clock reads a stage, and memory of a fixed size."""

import time
from array import array
from collections.abc import Callable, Iterator
from typing import Final

STAGES: Final = ("haar", "crop", "invoke")
HISTORY: Final = 4096
"""Beats in the statistics: the last four and a half minutes at 15 a second."""
_KINDS: Final = ("none", "sweep", "region")
_COLUMNS: Final = 1 + len(STAGES)

Beat = tuple[str, int, int, int, int]
"""(kind, total, haar, crop, invoke). kind: region (a face was tracked), sweep, none."""


class Beats:
    """The last beats, the oldest first: a ring of numbers, of which no beat takes or frees any memory.

    As a tuple and four numbers each they would take a megabyte, and lie among what a beat needs for a moment only.
    """

    def __init__(self, most: int = HISTORY) -> None:
        """Begin with none. most: of more, the oldest are forgotten."""
        self._most = most
        self._kinds = bytearray(most)
        self._times_ns = array("q", bytes(8 * _COLUMNS * most))
        self._first = 0
        self._count = 0

    def append(self, kind: str, total_ns: int, haar_ns: int, crop_ns: int, invoke_ns: int) -> None:
        """Add a beat."""
        place = (self._first + self._count) % self._most
        if self._count == self._most:
            self._first = (self._first + 1) % self._most
        else:
            self._count += 1
        self._kinds[place] = _KINDS.index(kind)
        for column, spent_ns in enumerate((total_ns, haar_ns, crop_ns, invoke_ns), _COLUMNS * place):
            self._times_ns[column] = spent_ns

    def clear(self) -> None:
        """Forget all beats."""
        self._first = self._count = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __getitem__(self, number: int) -> Beat:
        """Return a beat: 0 is the oldest, -1 the newest. Raises IndexError."""
        place = (self._first + range(self._count)[number]) % self._most
        total_ns, haar_ns, crop_ns, invoke_ns = self._times_ns[_COLUMNS * place : _COLUMNS * (place + 1)]
        return _KINDS[self._kinds[place]], total_ns, haar_ns, crop_ns, invoke_ns

    def __iter__(self) -> Iterator[Beat]:
        """Return each beat, the oldest first."""
        return map(self.__getitem__, range(self._count))


class StageTimes:
    """Nanoseconds by stage of the current beat, and of the last beats."""

    def __init__(self, now: Callable[[], int] = time.perf_counter_ns) -> None:
        """now: a clock in nanoseconds."""
        self.now = now
        self._times_ns = dict.fromkeys(STAGES, 0)
        self._kind = "none"
        self._began = 0
        self.beats = Beats()

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
        self.beats.append(self._kind, total, times["haar"], times["crop"], times["invoke"])
