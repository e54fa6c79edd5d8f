"""Shrinking pictures by whole factors."""

import cv2
import numpy as np

from cuelens.frame import Grey


class Shrinker:
    """Shrinks pictures to the means of their blocks. Its buffers are reused.

    It halves as long as it can: OpenCV averages blocks of two by two pixels seven times as fast as larger ones.
    """

    def __init__(self) -> None:
        self._halves: list[Grey] = []
        """A buffer for each halving."""

    def shrink(self, small: Grey, picture: Grey, factor: int) -> None:
        """Write the means of blocks of a picture, `factor` pixels each way.

        Args:
            small: uint8 (rows, columns), written to.
            picture: uint8 (rows * factor, columns * factor).
            factor: 1 or more.
        """
        step = 0
        while factor > 2 and factor % 2 == 0:
            half = self._buffer(step, picture.shape[0] // 2, picture.shape[1] // 2)
            cv2.resize(picture, (half.shape[1], half.shape[0]), dst=half, interpolation=cv2.INTER_AREA)
            picture, factor, step = half, factor // 2, step + 1
        cv2.resize(picture, (small.shape[1], small.shape[0]), dst=small, interpolation=cv2.INTER_AREA)

    def _buffer(self, step: int, rows: int, columns: int) -> Grey:
        """Return an array of this size, in the buffer of a halving."""
        if step == len(self._halves):
            self._halves.append(np.empty(0, np.uint8))
        if self._halves[step].size < rows * columns:
            self._halves[step] = np.empty(rows * columns, np.uint8)
        return self._halves[step][: rows * columns].reshape(rows, columns)
