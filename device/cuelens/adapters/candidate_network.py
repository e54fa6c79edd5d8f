"""The network that tells where in a small picture faces may be, of which size, and how far their heads lean.

Its outputs are two grids, of small faces and of large ones. A cell has a logit, and the place, the side and the tilt of
a face whose centre is near that of the cell.
"""

import math
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey
from cuelens.types import Candidate
from cuelens_models.bundle.grids import GRIDS, TILT, Grid
from cuelens_models.bundle.interpreter import find_runtime
from cuelens_models.quiet import native_quiet

FILE: Final = Path(__file__).parent / "candidates.tflite"
SMALLEST: Final = 10
"""Side of the smallest face that it knows, in pixels. The largest is eight times as large."""
_MULTIPLE: Final = 16
"""Its input has multiples of so many rows and columns."""
_LEAST: Final = -1.5
"""Least logit of a candidate."""
_NEIGHBOURS: Final = np.ones((3, 3), np.uint8)
_MOST: Final = 16
"""Most candidates of a picture."""


class CandidateNetwork:
    """Not safe for use from two threads at once."""

    def __init__(self, file: Path = FILE) -> None:
        """Load the network. Raises MissingExtra without a runtime."""
        self._model = file.read_bytes()
        with native_quiet():
            self._interpreter: Any = find_runtime()[1](model_content=self._model, num_threads=1)
        self._shape = (0, 0)
        self._pixels = np.empty((0, 0), np.uint8)
        """The input's bytes."""

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return where faces may be, in pixels of the picture, the likeliest first: at most 16.

        Args:
            picture: uint8 (rows, columns) of any size. Another size than before costs a few milliseconds.
        """
        if picture.shape != self._shape:
            self._reshape(picture.shape[0], picture.shape[1])
        rows, columns = self._shape
        # A grey level minus 128 is the same byte with its first bit turned over.
        np.bitwise_xor(picture, 128, out=self._pixels[:rows, :columns])
        self._pixels[rows:, :columns] = self._pixels[rows - 1, :columns]
        self._pixels[:, columns:] = self._pixels[:, columns - 1 : columns]
        self._interpreter.set_tensor(self._input, self._pixels.view(np.int8)[np.newaxis, :, :, np.newaxis])
        self._interpreter.invoke()
        cells = []
        for grid, presence, geometry in zip(GRIDS, self._tensors(1), self._tensors(4), strict=True):
            logits, scale, zero = presence
            # As bytes without a sign, of which OpenCV finds the greatest of nine neighbours.
            levels = logits[0, :, :, 0].view(np.uint8) ^ 128
            least = min(max(round(zero + _LEAST / scale) + 128, 0), 254)
            peaks = (levels > least) & (levels == cv2.dilate(levels, _NEIGHBOURS))
            for row, column in np.argwhere(peaks).tolist():
                cells.append(((int(levels[row, column]) - 128 - zero) * scale, grid, row, column, geometry))
        cells.sort(key=lambda cell: -cell[0])
        return [_candidate(*cell[1:]) for cell in cells[:_MOST]]

    def _reshape(self, rows: int, columns: int) -> None:
        """Take pictures of this size from now on."""
        self._shape = rows, columns
        whole = -(-rows // _MULTIPLE) * _MULTIPLE, -(-columns // _MULTIPLE) * _MULTIPLE
        self._pixels = np.empty(whole, np.uint8)
        with native_quiet():
            self._input = self._interpreter.get_input_details()[0]["index"]
            shape = 1, *whole, 1
            if shape != tuple(self._interpreter.get_input_details()[0]["shape"].tolist()):
                self._interpreter.resize_tensor_input(self._input, shape)
            self._interpreter.allocate_tensors()
        outputs = self._interpreter.get_output_details()
        self._outputs = sorted(outputs, key=lambda output: -int(output["shape"][1]))

    def _tensors(self, channels: int) -> list[tuple[NDArray[np.int8], float, int]]:
        """Return the outputs with so many channels, the finest grid first, with their scales and zeros."""
        return [
            (self._interpreter.get_tensor(output["index"]), *output["quantization"])
            for output in self._outputs
            if output["shape"][3] == channels
        ]


def _candidate(grid: Grid, row: int, column: int, geometry: tuple[NDArray[np.int8], float, int]) -> Candidate:
    """Return what a cell tells."""
    numbers, scale, zero = geometry
    right, down, grown, lean = ((number - zero) * scale for number in numbers[0, row, column].tolist())
    side = grid.reference * math.exp(grown)
    x, y = (column + 0.5) * grid.stride + right * side, (row + 0.5) * grid.stride + down * side
    return Candidate(x, y, side, lean * TILT)
