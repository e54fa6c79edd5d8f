"""The grids of the network of candidates: what it learns, and what the glasses read from it."""

from typing import Final, NamedTuple

TILT: Final = 30.0
"""Degrees of the tilt 1."""


class Grid(NamedTuple):
    """A grid of cells. Lengths are in pixels.

    Attributes:
        name: of its outputs.
        stride: between two cells.
        reference: side whose logarithm is told as 0.
        smallest: side of the smallest face that it learns.
        largest: sides from this on are learned no longer.
    """

    name: str
    stride: int
    reference: float
    smallest: float
    largest: float


GRIDS: Final = (Grid("fine", 8, 16.0, 8.0, 30.0), Grid("coarse", 16, 45.0, 23.0, 99.0))
