"""Frame buffers that are used again and again: the one copy that a frame makes on its way in."""

import weakref
from collections import deque
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Grey

_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class FrameBuffers:
    """A pool of memory for the frames of one camera.

    Memory returns to the pool when the frame in it, and every slice of that frame, was garbage-collected
    (`weakref.finalize`). So whoever holds a frame holds a picture that does not change, however slow a beat is.
    With one frame being filled, one waiting and one being looked at, three blocks come to be.
    """

    def __init__(self, rotation: int = 0) -> None:
        """rotation: degrees clockwise that a picture is turned by to stand upright: 0, 90, 180 or 270."""
        self._rotation = rotation
        self._free: deque[bytearray] = deque()

    def keep(self, plane: Grey) -> Grey:
        """Copy a luminance plane (any stride) into free memory, turned upright, and return that frame."""
        height, width = plane.shape
        frame = self._new((width, height) if self._rotation in (90, 270) else (height, width))
        if self._rotation:
            cv2.rotate(plane, _TURNS[self._rotation], dst=frame)
        else:
            np.copyto(frame, plane)
        return frame

    def _new(self, shape: tuple[int, int]) -> Grey:
        size = shape[0] * shape[1]
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(size)
        if len(memory) != size:
            # The frames have another size now.
            memory = bytearray(size)
        # A slice of an array whose memory is no array keeps that array alive, and with it the memory.
        frame: Grey = np.ndarray(shape, np.uint8, buffer=memory)
        weakref.finalize(frame, self._free.append, memory).atexit = False
        return frame
