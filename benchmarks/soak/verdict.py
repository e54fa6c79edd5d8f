"""What has grown: each figure at the beginning and at the end of a life, and whether it is under its bar."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from benchmarks.soak.glasses import Figures
from numpy.typing import NDArray

WARM_BEATS: Final = 4096
"""Of a life: until then, what is used first is still being loaded."""
PART: Final = 10
"""The first and the last tenth of a life are compared."""
TELLING_S: Final = 600.0
"""A shorter life, without its first beats, is no time to judge memory or latency by."""
MEMORY: Final = 2.0
LATENCY: Final = 10.0
DISK: Final = 10.0
"""Bars: growth in percent."""


@dataclass(frozen=True, slots=True)
class Calm:
    """A moment in which nothing happened.

    Attributes:
        s: seconds since the life began.
        beats: of this life so far.
        took: what the glasses took.
        disk_kb: what the state folder took.
    """

    s: float
    beats: int
    took: Figures
    disk_kb: float


@dataclass(frozen=True, slots=True)
class Line:
    """A figure. bar: growth allowed, in percent, or None if it is not judged; more than that is not flat."""

    name: str
    begin: float
    end: float
    bar: float | None
    unit: str = ""

    @property
    def growth(self) -> float:
        """Growth in percent; 0 from nothing to nothing, and endless from nothing to something."""
        if self.begin == self.end:
            return 0.0
        return (self.end / self.begin - 1) * 100 if self.begin else float("inf")

    @property
    def verdict(self) -> str:
        """In a word."""
        return "not judged" if self.bar is None else "flat" if self.growth <= self.bar else "NOT FLAT"

    def row(self) -> str:
        """Return it as a row of the table."""
        bar = "-" if self.bar is None else f"{self.bar:g} %"
        values = f"{self.begin:10.1f} {self.end:10.1f} {self.unit:3}"
        return f"{self.name:34} {values} {self.growth:+8.2f} %  {bar:>5}  {self.verdict}"


def lines(calms: Sequence[Calm], ages_ms: NDArray[np.float32]) -> list[Line]:
    """Return the lines of a life. calms: at the end of each round. ages_ms: of each frame when it was decided on."""
    warm = [calm for calm in calms if calm.beats >= WARM_BEATS]
    telling = bool(warm) and warm[-1].s - warm[0].s >= TELLING_S
    calms = warm if telling else calms
    share = max(1, len(calms) // PART)
    first, last = calms[:share], calms[-share:]

    def line(name: str, of: Callable[[Calm], float], bar: float | None, unit: str = "") -> Line:
        return Line(name, *(statistics.median(of(calm) for calm in part) for part in (first, last)), bar, unit)

    def number(name: str, of: Callable[[Calm], float]) -> Line:
        # SQLite keeps a descriptor of a reader for the next one until the writer lets go: it comes and goes.
        return Line(name, max(map(of, first)), min(map(of, last)), 0.0)

    memory = MEMORY if telling else None
    beats = max(1, len(ages_ms) // PART)
    ages = [
        Line(
            f"frame to decision, {name}",
            float(np.percentile(ages_ms[:beats], share_of)),
            float(np.percentile(ages_ms[-beats:], share_of)),
            LATENCY if telling and name == "p50" else None,
            "ms",
        )
        for name, share_of in (("p50", 50), ("p95", 95))
    ]
    return [
        line("memory of its own", lambda calm: calm.took.own / 1024, memory, "MB"),
        # They come back as they are used, and cannot run out: the kernel takes them from whoever has them.
        line("pages of files", lambda calm: calm.took.files / 1024, None, "MB"),
        line("resident memory, both", lambda calm: calm.took.rss / 1024, None, "MB"),
        number("descriptors", lambda calm: calm.took.descriptors),
        number("threads", lambda calm: calm.took.threads),
        number("zombies", lambda calm: calm.took.zombies),
        line("disk of the state folder", lambda calm: calm.disk_kb, DISK if telling else None, "kB"),
        *ages,
    ]


def table(rows: Sequence[Line]) -> str:
    """Return the lines as a table."""
    head = f"{'figure':34} {'begin':>10} {'end':>10} {'':3} {'growth':>10}  {'bar':>5}  verdict"
    return "\n".join((head, *(row.row() for row in rows)))
