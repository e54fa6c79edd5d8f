"""Geometry of face boxes."""

import math

from cuelens.types import Box


def to_frame(box: Box, left: int, top: int, scale: float) -> Box:
    """Convert a box from pixels of a shrunken cut-out to pixels of the frame.

    Args:
        box: in pixels of the cut-out.
        left: left edge of the cut-out, in pixels of the frame.
        top: top edge of the cut-out, in pixels of the frame.
        scale: pixels of the frame to one of the cut-out.
    """
    x, y, width, height = box
    return left + round(x * scale), top + round(y * scale), round(width * scale), round(height * scale)


def distance(one: Box, other: Box) -> float:
    """Return the distance between two centres, in pixels."""
    return math.hypot(one[0] - other[0] + (one[2] - other[2]) / 2, one[1] - other[1] + (one[3] - other[3]) / 2)


def near(one: Box, other: Box) -> bool:
    """Whether two boxes can be the same face: centres within half a side, sides within a factor of 1.6."""
    side = max(one[2], other[2])
    return distance(one, other) < side / 2 and side < 1.6 * min(one[2], other[2])
