"""Frame buffers: memory that is reused. Filling a buffer is the only copy of a frame on its way in."""

import weakref
from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey

NO_PICTURE: Final[Grey] = np.empty((0, 0), np.uint8)
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def is_picture(grey: NDArray[np.generic]) -> bool:
    """Whether an array is a luminance plane: uint8 (height, width), with neither of them 0."""
    return grey.dtype == np.uint8 and grey.ndim == 2 and grey.size > 0


class FrameBuffers:
    """A pool of memory for the frames of one camera.

    Memory returns to the pool when the frame in it, and every slice of that frame, is garbage-collected
    (`weakref.finalize`). So a frame never changes while a reader holds it, however slow the beat is. With one frame
    being filled, one in the mailbox and one in the beat, the pool grows to three blocks.
    """

    def __init__(self, rotation: int = 0) -> None:
        """rotation: clockwise turn that makes a picture upright, in degrees: 0, 90, 180 or 270."""
        self._rotation = rotation
        self._free: deque[bytearray] = deque()

    def keep(self, plane: Grey) -> Grey:
        """Return an upright copy of a luminance plane (any stride), in memory of the pool; `NO_PICTURE` of all else."""
        if not is_picture(plane):
            return NO_PICTURE
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
            # The size of the frames has changed.
            memory = bytearray(size)
        # numpy: a slice keeps an array over foreign memory alive, and so this memory.
        frame: Grey = np.ndarray(shape, np.uint8, buffer=memory)
        weakref.finalize(frame, self._free.append, memory).atexit = False
        return frame
