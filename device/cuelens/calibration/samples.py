"""Samples of a sitting: what the network read of one family member, by the expression that was asked for.

Probabilities and times only: no image, no template and no name is kept, and the samples go when the sitting ends.
Neighbouring readings are alike, so a held-out reading between two fitted ones would test nothing. The last part of each
expression is held out, after a gap.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

MOST: Final = 300
"""Most readings of an expression that are kept: twenty seconds at fifteen a second."""
_HELD_OUT: Final = 1 / 3
"""The share of an expression's time that is held out, its last one."""
_GAP_S: Final = 0.5
"""Seconds before the held-out part that are neither fitted nor held out."""
_PAUSE_S: Final = 0.75
"""A longer gap between two readings is no time in view."""


class Sample(msgspec.Struct, frozen=True):
    """One reading. t: time in seconds. scores: probabilities in the order of the labels."""

    t: float
    scores: tuple[float, ...]


class Samples:
    """Collects the readings of one sitting. If there are too many, every other one of that expression is dropped."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: dict[str, list[Sample]] = {}
        self._every: dict[str, int] = {}
        self._count: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._last_t: dict[str, float] = {}

    def add(self, expression: str, t: float, scores: Sequence[float]) -> None:
        """Add a reading of the face while it shows an expression.

        Args:
            expression: the label that was asked for.
            t: time of the reading, in seconds. A reading that is not later than the last one is left out.
            scores: probabilities in the order of the labels, as the network gave them.
        """
        gap_s = t - self._last_t.get(expression, -math.inf)
        if gap_s <= 0:
            return
        self._last_t[expression] = t
        self._seconds[expression] = self.seconds(expression) + (gap_s if gap_s <= _PAUSE_S else 0.0)
        count = self._count[expression] = self._count.get(expression, 0) + 1
        every = self._every.setdefault(expression, 1)
        if (count - 1) % every:
            return
        kept = self._kept.setdefault(expression, [])
        kept.append(Sample(t, tuple(scores)))
        if len(kept) > MOST:
            # What is left is spread over the whole time, as before.
            del kept[1::2]
            self._every[expression] = 2 * every

    def forget(self, expression: str) -> None:
        """Forget the readings of an expression, which is about to be shown again."""
        for kept in (self._kept, self._every, self._count, self._seconds, self._last_t):
            kept.pop(expression, None)

    def seconds(self, expression: str) -> float:
        """Return for how many seconds an expression was read, pauses left out."""
        return self._seconds.get(expression, 0.0)

    @property
    def expressions(self) -> tuple[str, ...]:
        """The expressions of which there is a reading, in the order in which they came."""
        return tuple(self._kept)

    def fitting(self, expression: str) -> tuple[Sample, ...]:
        """Return the readings to fit to: the first part of the time."""
        border_t = self._border_t(expression)
        return tuple(one for one in self._kept.get(expression, ()) if one.t <= border_t - _GAP_S)

    def held_out(self, expression: str) -> tuple[Sample, ...]:
        """Return the readings to judge by: the last part of the time."""
        border_t = self._border_t(expression)
        return tuple(one for one in self._kept.get(expression, ()) if one.t > border_t)

    def _border_t(self, expression: str) -> float:
        """Return where the held-out part begins, in seconds."""
        kept = self._kept.get(expression)
        return kept[-1].t - _HELD_OUT * (kept[-1].t - kept[0].t) if kept else 0.0
