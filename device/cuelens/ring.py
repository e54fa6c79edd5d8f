"""Frame buffers that are used again and again: the one copy that a frame makes on its way in."""

from typing import Final

import cv2
import numpy as np

from cuelens.types import Grey

_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class FrameRing:
    """Three buffers: one is being filled, one may wait in the mailbox, one is being looked at."""

    def __init__(self, rotation: int = 0) -> None:
        """rotation: degrees clockwise that a picture is turned by to stand upright: 0, 90, 180 or 270."""
        self._rotation = rotation
        self._buffers: list[Grey] = [np.empty((0, 0), np.uint8) for _ in range(3)]
        self._next = 0

    def keep(self, plane: Grey) -> Grey:
        """Copy a luminance plane (any stride) into the next buffer, turned upright, and return that buffer."""
        height, width = plane.shape
        shape = (width, height) if self._rotation in (90, 270) else (height, width)
        buffer = self._buffers[self._next]
        if buffer.shape != shape:
            buffer = self._buffers[self._next] = np.empty(shape, np.uint8)
        self._next = (self._next + 1) % len(self._buffers)
        if self._rotation:
            cv2.rotate(plane, _TURNS[self._rotation], dst=buffer)
        else:
            np.copyto(buffer, plane)
        return buffer
