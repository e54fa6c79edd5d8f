"""The exact 95 % interval of a share of independent images (Clopper and Pearson 1934)."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.evaluate.metrics import Interval

_TAIL: Final = 0.025
_HALVINGS: Final = 50
"""Of the interval that encloses an end: far more than the digits that are reported."""


def share_interval(hits: int, count: int) -> Interval:
    """Return the shares under which neither as few nor as many hits are rarer than 2.5 %.

    hits: 0 to count. count: images, 1 or more. The interval includes hits / count, also where it is 0 or 1.
    """
    outcomes = np.arange(count + 1)
    # The logarithms of the binomial coefficients, each from the one before.
    steps = np.log(count - outcomes[:-1]) - np.log(outcomes[1:])
    ways = np.concatenate([[0.0], np.cumsum(steps)])

    def chance(share: float, counted: NDArray[np.intp]) -> float:
        logarithms = ways[counted] + counted * np.log(share) + (count - counted) * np.log1p(-share)
        return float(np.exp(logarithms).sum())

    low = _end(lambda share: chance(share, outcomes[hits:]) < _TAIL) if hits > 0 else 0.0
    high = _end(lambda share: chance(share, outcomes[: hits + 1]) > _TAIL) if hits < count else 1.0
    return low, high


def _end(is_below: Callable[[float], bool]) -> float:
    """Return the share up to which `is_below` holds."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2
