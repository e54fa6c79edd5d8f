"""Where the picture changed: what stands still, and is no face, need not be searched again and again.

A frame is divided into blocks of 16 pixels each way. A block has changed if its mean differs from that of an earlier
frame by more than the noise of the picture.
"""

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np

from cuelens.frame import Grey
from cuelens.types import Box

BLOCK: Final = 16
"""Side of a block, in pixels of a frame 640 wide; others have as many blocks."""
_ROWS: Final = 8
"""One row of so many is sampled."""
_CHANGED: Final = 4
"""Most difference that is no change, in grey levels: five times that of the noise of a camera. More noise, or another
exposure, looks like changes, and is searched.
"""
_FEWEST: Final = 2
"""Blocks that make a change: the smallest face covers six."""
_ABOUT: Final = 0.5
"""A followed face moves hair and neck with it: so far around its box, in sides."""

_EVERYTHING: Final = (0, 0, 1 << 16, 1 << 16)

Blocks = Grey
"""Means of the blocks of a frame, in grey levels: (rows, columns)."""


class Motion:
    """The blocks of the newest frame.

    blocks: their means.
    """

    def __init__(self) -> None:
        self.blocks: Blocks = np.empty((0, 0), np.uint8)
        self._side = BLOCK

    def see(self, grey: Grey) -> None:
        """Take the blocks of a frame, uint8 (height, width)."""
        self._side = max(BLOCK * grey.shape[1] // 640, 1)
        rows, columns = -(-grey.shape[0] // self._side), -(-grey.shape[1] // self._side)
        self.blocks = np.asarray(cv2.resize(grey[::_ROWS], (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)

    def beside(self, faces: Iterable[Box], before: Blocks | None) -> Blocks:
        """Return the blocks; where followed faces are those of an earlier frame: of what a face hides nothing is known.

        Args:
            faces: boxes of followed faces.
            before: the blocks of an earlier frame, if there are any.
        """
        if before is None or before.shape != self.blocks.shape:
            return self.blocks
        blocks = self.blocks.copy()
        for face in faces:
            about = self._about(face)
            blocks[about] = before[about]
        return blocks

    def area(self, since: Blocks | None, faces: Iterable[Box], hits: Iterable[Box]) -> Box | None:
        """Return the part of the frame that changed, in pixels; None if nothing did.

        Args:
            since: the blocks of an earlier frame; None: everything changed.
            faces: boxes of followed faces, which may move.
            hits: boxes of what may be a face, changed or not.
        """
        if since is None or not since.size or since.shape != self.blocks.shape:
            return _EVERYTHING
        _, changed = cv2.threshold(cv2.absdiff(self.blocks, since), _CHANGED, 255, cv2.THRESH_BINARY)
        for face in faces:
            changed[self._about(face)] = 0
        for x, y, width, height in hits:
            changed[self._span(y, height), self._span(x, width)] = 255
        if cv2.countNonZero(changed) < _FEWEST:
            return None
        left, top, across, down = cv2.boundingRect(changed)
        return left * self._side, top * self._side, across * self._side, down * self._side

    def _about(self, face: Box) -> tuple[slice, slice]:
        """Return the blocks that move with a face."""
        x, y, width, height = face
        about = round(_ABOUT * width)
        return self._span(y - about, height + 2 * about), self._span(x - about, width + 2 * about)

    def _span(self, begin: int, length: int) -> slice:
        """Return the blocks of some pixels."""
        return slice(max(begin // self._side, 0), max(-(-(begin + length) // self._side), 0))
