"""The baseline: what is usual for one face, learned from its calm readings, and forgotten with its track.

Pure. People differ more than expressions do: a face that smiles slightly may look as another does when it shows
nothing. So an expression is read from the rise above what is usual for this face. How much its readings vary counts
too: a mouth that talks, or a head that turns, looks like expressions for moments.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_POPULATION_S: Final = 1.4
"""Calm seconds after which what this face shows counts as much as what faces show in general."""
_MEMORY_S: Final = 20.0
"""Calm seconds that are remembered: later ones replace earlier ones."""
_BETWEEN: Final = 2.0
"""Standard deviation of the margins between people (inner split: 1.2 to 2.6, by label)."""
_VARIANCE_S: Final = 0.3
"""Seconds for which a new face is taken to vary as people differ."""
_SLOW_S: Final = 0.12
"""Time constant of the smoothing of margins, in seconds: the noise of single frames is no variation of a face."""
_LEAST_S: Final = 0.3
"""Calm seconds before the variance is measured; the first reading has that weight too."""
_MOST_VARIANCE: Final = 4.0
"""Limit of one reading's part in the variance: an expression is no variation of a calm face."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual for one face.

    Attributes:
        margins: mean margins of its calm readings, by label.
        newest: smoothed margins of the last readings.
        calm_s: calm seconds in them.
        variance: mean square of the differences from the margins, in the variance between people.
        varied_s: seconds in it.
    """

    margins: tuple[float, ...]
    newest: tuple[float, ...]
    calm_s: float = 0.0
    variance: float = 1.0
    varied_s: float = 0.0

    @property
    def known(self) -> float:
        """Return how well the face is known, 0 to 1."""
        return self.calm_s / (self.calm_s + _POPULATION_S)

    @property
    def unsteadiness(self) -> float:
        """Return how much its readings vary: 1 as people differ, 0 not at all."""
        whole = self.varied_s + _VARIANCE_S
        return math.sqrt((self.variance * self.varied_s + _VARIANCE_S) / whole)


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
    calm_s, varied_s = seconds * calm * unsettled, seconds * unsettled
    share = calm_s / (max(baseline.calm_s, _LEAST_S) + calm_s)
    means = tuple([mean + share * (new - mean) for mean, new in zip(baseline.margins, newest, strict=True)])
    variance, before_s = baseline.variance, baseline.varied_s
    if baseline.calm_s >= _LEAST_S and varied_s > 0:
        off = min((math.dist(means, newest) / _BETWEEN) ** 2 / max(len(means), 1), _MOST_VARIANCE)
        variance += varied_s / (before_s + varied_s) * (off - variance)
        before_s = min(before_s + varied_s, _MEMORY_S)
    return Baseline(means, newest, min(baseline.calm_s + calm_s, _MEMORY_S), variance, before_s)
