"""Boxes of faces and how they lie to each other."""

import math

from cuelens.types import Box


def moved(box: Box, left: int, top: int, scale: float) -> Box:
    """Return a box of a cut-out that begins at (left, top) and was shrunk by `scale`, in pixels of the whole."""
    x, y, width, height = box
    return left + round(x * scale), top + round(y * scale), round(width * scale), round(height * scale)


def distance(one: Box, other: Box) -> float:
    """Return how far apart the centres are."""
    return math.hypot(one[0] - other[0] + (one[2] - other[2]) / 2, one[1] - other[1] + (one[3] - other[3]) / 2)


def near(one: Box, other: Box) -> bool:
    """Whether two boxes can be the same face: centres within half a side, sides within a factor of 1.6."""
    side = max(one[2], other[2])
    return distance(one, other) < side / 2 and side < 1.6 * min(one[2], other[2])
