"""The baseline: what is usual for one face, learned from its readings, and forgotten with its track.

Pure. People differ more than expressions do: a face that smiles slightly may look as another does when it shows
nothing. So an expression is read from the rise above what is usual for this face: the mean of its calm readings. How
much it varies counts too, about the mean of all its readings while nothing has settled: a mouth that talks, or a head
that turns, looks like expressions for moments.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

_POPULATION_S: Final = 0.3
"""Calm seconds after which what this face shows counts as much as what faces show in general."""
_MEMORY_S: Final = 20.0
"""Seconds that are remembered: later ones replace earlier ones."""
_BETWEEN: Final = 2.0
"""Standard deviation of the margins between people (inner split: 1.2 to 2.6, by label)."""
_SLOW_S: Final = 0.28
"""Time constant of the smoothing of margins, in seconds: the noise of single frames is no variation of a face."""
_LEAST_S: Final = 0.3
"""The first reading has the weight of so many seconds."""
_STRANGER_S: Final = 1 / 3
"""Seconds for which a new face is taken to vary as people differ."""


class Baseline(msgspec.Struct, frozen=True):
    """What is usual for one face. Variances are in that between people.

    Attributes:
        margins: mean margins of its calm readings, by label.
        newest: smoothed margins of the last readings.
        course: mean margins of all readings while no expression had settled.
        calm_s: calm seconds in `margins`.
        seen_s: seconds in `course`.
        variance: mean square of the differences from the course; 1 as people differ, 0 if the face never varies.
    """

    margins: tuple[float, ...]
    newest: tuple[float, ...]
    course: tuple[float, ...]
    calm_s: float = 0.0
    seen_s: float = 0.0
    variance: float = 1.0

    @property
    def known(self) -> float:
        """Return how well the face is known, 0 to 1."""
        return self.calm_s / (self.calm_s + _POPULATION_S)


def usual(baseline: Baseline, population: Sequence[float]) -> tuple[float, ...]:
    """Return the margins of this face while calm: between the population's and its own, by how well it is known.

    population: mean margins of neutral faces.
    """
    known = baseline.known
    return tuple([usual_ + known * (own - usual_) for own, usual_ in zip(baseline.margins, population, strict=True)])


def smoothed(before: Sequence[float], newest: Sequence[float], spans: float) -> tuple[float, ...]:
    """Return exponentially smoothed numbers. spans: time since `before`, in time constants."""
    weight = 1 - math.exp(-spans)
    return tuple([old + weight * (new - old) for old, new in zip(before, newest, strict=True)])


def learn(baseline: Baseline, margins: Sequence[float], seconds: float, *, calm: float, unsettled: float) -> Baseline:
    """Return the baseline after one more reading.

    Args:
        baseline: the baseline so far.
        margins: of the reading, by label.
        seconds: time since the last reading.
        calm: how neutral this reading is, 0 to 1.
        unsettled: 1 if there is no evidence of an expression, 0 if there is enough to settle.
    """
    newest = smoothed(baseline.newest, margins, seconds / _SLOW_S)
    seen_s, calm_s = seconds * unsettled, seconds * unsettled * calm
    variance, before_s = baseline.variance, baseline.seen_s
    # Of this reading's time the part after the stranger's: so it matters little how often the face is read.
    known_s = min(seen_s, before_s + seen_s - _STRANGER_S)
    if known_s > 0:
        off = math.dist(baseline.course, newest) / _BETWEEN
        # No reading counts for more than a stranger does: an expression is no variation of a calm face.
        variance += known_s / (before_s + seen_s) * (min(off * off / max(len(newest), 1), 1.0) - variance)
    return Baseline(
        margins=_moved(baseline.margins, newest, calm_s, baseline.calm_s),
        newest=newest,
        course=_moved(baseline.course, newest, seen_s, before_s),
        calm_s=min(baseline.calm_s + calm_s, _MEMORY_S),
        seen_s=min(before_s + seen_s, _MEMORY_S),
        variance=variance,
    )


def _moved(means: tuple[float, ...], newest: tuple[float, ...], seconds: float, before_s: float) -> tuple[float, ...]:
    """Return means with so many seconds of the newest margins added to those before."""
    if not seconds:
        return means
    share = seconds / (max(before_s, _LEAST_S) + seconds)
    return tuple([mean + share * (new - mean) for mean, new in zip(means, newest, strict=True)])
