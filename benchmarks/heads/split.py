"""Chance, apart for training and for tests: no identity, hair, light or noise of one is ever one of the other."""

from typing import Final, Literal, TypeVar

import numpy as np

Split = Literal["train", "test"]
T = TypeVar("T")

SPLITS: Final[tuple[Split, ...]] = ("train", "test")
_BANDS: Final = 16


class Chance:
    """Seeded draws of one split. The same split, number and purpose give the same draws."""

    def __init__(self, split: Split, number: int, purpose: str) -> None:
        """Begin.

        Args:
            split: whom the draws are for.
            number: of the person.
            purpose: what is drawn, for example "identity", "light" or "noise": each has draws of its own.
        """
        self.split = split
        self._place = SPLITS.index(split)
        self.random = np.random.default_rng([self._place, number, *purpose.encode()])

    def between(self, low: float, high: float) -> float:
        """Return a setting between two ends, evenly. Of 32 bands of the range every other one is this split's."""
        band = 2 * int(self.random.integers(_BANDS)) + self._place
        # Bands touch: a thousandth of each is left free at both ends.
        return low + (high - low) * (band + 0.001 + 0.998 * float(self.random.random())) / (2 * _BANDS)

    def one_of(self, things: dict[Split, tuple[T, ...]]) -> T:
        """Return one of this split's things."""
        return things[self.split][int(self.random.integers(len(things[self.split])))]

    def about(self, spread: float) -> float:
        """Return a number around zero, of this standard deviation, two of it at most."""
        return float(np.clip(self.random.normal(0, spread), -2 * spread, 2 * spread))
