"""Frame buffers that are used again and again: the one copy that a frame makes on its way in."""

import sys
from typing import Final

import cv2
import numpy as np

from cuelens.types import Grey

_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_OURS: Final = 3
"""References to a buffer that nobody else holds: the list's, the loop's, and the argument of getrefcount.

A debugger may hold one more; then a buffer too many is made, and none too early used.
"""


class FrameRing:
    """Buffers for one writer; one that is still held by a mailbox or looked at by a beat is left alone.

    Three come to be: one is filled, one waits, one is looked at. However slow the beat is, its frame does not change.
    """

    def __init__(self, rotation: int = 0) -> None:
        """rotation: degrees clockwise that a picture is turned by to stand upright: 0, 90, 180 or 270."""
        self._rotation = rotation
        self._buffers: list[Grey] = []

    def keep(self, plane: Grey) -> Grey:
        """Copy a luminance plane (any stride) into a free buffer, turned upright, and return that buffer."""
        height, width = plane.shape
        buffer = self._free((width, height) if self._rotation in (90, 270) else (height, width))
        if self._rotation:
            cv2.rotate(plane, _TURNS[self._rotation], dst=buffer)
        else:
            np.copyto(buffer, plane)
        return buffer

    def _free(self, shape: tuple[int, int]) -> Grey:
        self._buffers = [buffer for buffer in self._buffers if buffer.shape == shape]
        for buffer in self._buffers:
            if sys.getrefcount(buffer) <= _OURS:
                return buffer
        made = np.empty(shape, np.uint8)
        self._buffers.append(made)
        return made
