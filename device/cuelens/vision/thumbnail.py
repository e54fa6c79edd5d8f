"""Thumbnails of faces: what tells two people apart, and whether a face looks as it did when it was read."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey
from cuelens.types import Box

_SIDE: Final = 8
"""Side of a thumbnail, in pixels."""
_SHARES: Final = np.full(_SIDE * _SIDE, 1 / (_SIDE * _SIDE), np.float32)
"""For the mean of them: a product costs half of numpy's mean."""
_OTHERWISE: Final = 0.5
"""Mean difference of the `_MOST` pixels that differ most, in standard deviations, from which on a face looks otherwise.

Of synthetic heads at 15 frames a second that move, blink and talk, one frame in fifty does, against the one before.
"""
_MOST: Final = 4

Look = NDArray[np.float32]
"""A thumbnail of a face: (64,), mean 0, norm 1."""


def look(grey: Grey, box: Box) -> Look | None:
    """Return the thumbnail of a face; None if the box is outside the frame or has no contrast."""
    x, y, width, height = box
    face = grey[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
    if not face.size:
        return None
    # Sampling: three pixels to one of the thumbnail, each way, are enough, and cost a tenth of all of them.
    every = max(min(face.shape) // (3 * _SIDE), 1)
    blurred = cv2.resize(face[::every, ::every], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(blurred, np.float32).ravel()
    small -= small @ _SHARES
    contrast = math.sqrt(float(small @ small))
    return small / np.float32(contrast) if contrast > 1 else None


def looks_otherwise(now: Look | None, before: Look | None) -> bool:
    """Whether a face looks clearly otherwise than before: a few places of it, or all of it."""
    if now is None or before is None:
        return now is not before
    differences = np.abs(now - before)
    differences.partition(len(differences) - _MOST)
    return float(sum(differences[-_MOST:])) / _MOST * _SIDE > _OTHERWISE
