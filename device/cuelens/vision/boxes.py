"""Geometry of face boxes."""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Grey
from cuelens.types import Box

_FASTEST: Final = 18.0
"""Sides that a face goes in a second at most: somebody walks in close by, or the wearer's head turns."""
_RESIZED: Final = 0.4
"""Most by which its side changes meanwhile, as a logarithm."""


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


def grouped(hits: Sequence[Box], least: int) -> dict[Box, int]:
    """Group hits of the detector into faces. Returns the mean box of each group and its number of hits.

    Args:
        hits: boxes of windows that pass for a face.
        least: hits that make a face. A smaller group is dropped.
    """
    if len(hits) < least:
        return {}
    # OpenCV groups nothing where one hit is enough. With every hit twice, two are.
    times = 2 if least == 1 else 1
    boxes, counts = cv2.groupRectangles(list(hits) * times, times * least - 1, 0.2)
    return {(int(x), int(y), int(w), int(h)): int(n) // times for (x, y, w, h), n in zip(boxes, counts, strict=True)}


def turned(picture: Grey, degrees: float, out: Grey | None = None) -> Grey:
    """Return a picture turned about its centre, in the same size. Its edges repeat.

    Args:
        picture: uint8 (height, width).
        degrees: counter-clockwise.
        out: buffer for the result, of the same shape. None: a new array.
    """
    rows, columns = picture.shape
    turn = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), degrees, 1)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(picture, turn, (columns, rows), out, flags=flags, borderMode=border), np.uint8)


def turned_back(box: Box, shape: tuple[int, ...], degrees: float) -> Box:
    """Return the place of a box before its picture was turned the other way. Its side remains.

    Args:
        box: in pixels of the turned picture.
        shape: rows and columns of the picture.
        degrees: counter-clockwise.
    """
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    across = box[0] + (box[2] - shape[1]) / 2
    down = box[1] + (box[3] - shape[0]) / 2
    return (
        round(shape[1] / 2 + across * cosine + down * sine - box[2] / 2),
        round(shape[0] / 2 - across * sine + down * cosine - box[3] / 2),
        box[2],
        box[3],
    )


def distance(one: Box, other: Box) -> float:
    """Return the distance between two centres, in pixels."""
    return math.hypot(one[0] - other[0] + (one[2] - other[2]) / 2, one[1] - other[1] + (one[3] - other[3]) / 2)


def within_reach(before: Box, after: Box, seconds: float) -> bool:
    """Whether a face can go from one box to another in so many seconds: somebody walks in, or the wearer turns."""
    alike = abs(math.log(after[2] / before[2])) < _RESIZED
    return alike and distance(before, after) < _FASTEST * seconds * after[2]


def near(one: Box, other: Box) -> bool:
    """Whether two boxes can be the same face: centres within half a side, sides within a factor of 1.6."""
    side = max(one[2], other[2])
    return distance(one, other) < side / 2 and side < 1.6 * min(one[2], other[2])
