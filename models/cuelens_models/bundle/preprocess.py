"""The one path from pixels to model input.

The glasses enter at `crop`, with a frame and a detector's box; data sets of faces that are already cropped enter
at `model_input`. Training, conversion and the glasses all come through here, so they cannot disagree.
"""

from functools import lru_cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.boxes import Box
from cuelens_models.bundle.contract import Contract, Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.errors import EmptyCrop

SMALLEST_BOX = 16
_LEVELS = np.arange(256, dtype=np.float64)
_LIMITS = {dtype: (np.iinfo(dtype).min, np.iinfo(dtype).max) for dtype in ("int8", "uint8", "int16")}


class Fed(Protocol):
    """What says how a model is fed: a contract, or a network that has none yet."""

    @property
    def input(self) -> Input:
        """Size of the crop, and the rule that cuts it."""


def square(box: Box, contract: Fed) -> Box:
    """Return the square that the contract's crop rule cuts around a detector's box, in the same pixels."""
    x, y, width, height = box
    rule = contract.input.crop
    side = rule.scale * max(width, height)
    left = x + width / 2 - side / 2
    top = y + height / 2 - side / 2 + rule.shift_y * side
    whole_side = round(side)
    return round(left), round(top), whole_side, whole_side


def crop(frame: Grey, box: Box, contract: Fed, out: Grey | None = None) -> Grey:
    """Cut one face out of a frame and resize it to the model's input size.

    frame: uint8 (height, width), luminance 0-255. box: a detector's box; outside the frame the edge pixel repeats.
    out: where to write, uint8 (contract height, contract width); made if absent.
    Raises EmptyCrop if the box is under 16 pixels on a side or lies wholly outside the frame.
    """
    if min(box[2], box[3]) < SMALLEST_BOX:
        raise EmptyCrop(f"a face of {box[2]}x{box[3]} pixels is too small: {SMALLEST_BOX} is the least")
    x, y, side, _ = square(box, contract)
    height, width = frame.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if left >= right or top >= bottom:
        raise EmptyCrop(f"the box {box} lies outside the frame of {width}x{height} pixels")
    face = frame[top:bottom, left:right]
    if right - left < side or bottom - top < side:
        borders = (top - y, y + side - bottom, left - x, x + side - right)
        face = np.asarray(cv2.copyMakeBorder(face, *borders, cv2.BORDER_REPLICATE), dtype=np.uint8)
    return resized(face, contract.input.width, contract.input.height, out)


def resized(face: Grey, width: int, height: int, out: Grey | None = None) -> Grey:
    """Bring a cropped face to a size: INTER_AREA when shrinking, INTER_LINEAR when growing."""
    shrinking = face.shape[0] > height
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(face, (width, height), dst=out, interpolation=interpolation), dtype=np.uint8)


def model_input(face: Grey, contract: Contract, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Normalise and quantise one cropped face as the model was trained and converted.

    face: uint8 (height, width), luminance 0-255, resized first if it has not the input's size.
    out: where to write, the contract's dtype, (1, height, width, channels); made if absent.
    """
    wanted = contract.input
    if face.shape != (wanted.height, wanted.width):
        face = resized(face, wanted.width, wanted.height)
    tensor = np.empty((1, *face.shape, wanted.channels), wanted.dtype) if out is None else out
    table = _table_for(face, wanted)
    if wanted.channels == 1:
        # Unlike numpy's take, this needs no memory for indices.
        cv2.LUT(face, table, dst=tensor[0, :, :, 0])
    else:
        tensor[0] = cv2.LUT(face, table)[:, :, np.newaxis]
    return tensor


def model_inputs(faces: Grey, wanted: Input) -> NDArray[Any]:
    """Do what `model_input` does, for faces (n, height, width), of any one size: (n, height, width, channels)."""
    if faces.shape[1:] != (wanted.height, wanted.width):
        faces = np.stack([resized(face, wanted.width, wanted.height) for face in faces])
    if wanted.per_image:
        levels = np.stack([_table_for(face, wanted)[face] for face in faces])
    else:
        levels = _table_for(faces, wanted)[faces]
    return np.repeat(levels[..., np.newaxis], wanted.channels, axis=-1)


def _table_for(face: Grey, wanted: Input) -> NDArray[Any]:
    if wanted.per_image:
        mean, deviation = cv2.meanStdDev(face)
        return _table(wanted, float(mean[0, 0]), float(deviation[0, 0]))
    return _lasting_table(wanted)


@lru_cache(maxsize=8)
def _lasting_table(wanted: Input) -> NDArray[Any]:
    return _table(wanted, 0.0, 1.0)


def _table(wanted: Input, mean: float, deviation: float) -> NDArray[Any]:
    """Return the 256 input values that the 256 grey levels become."""
    value = _LEVELS - mean
    value /= max(deviation, 1.0)
    value *= wanted.multiply
    value += wanted.add
    if wanted.scale == 0:
        return value.astype(np.float32)
    value /= wanted.scale
    np.rint(value, out=value)
    value += wanted.zero_point
    least, most = _LIMITS[wanted.dtype]
    np.maximum(value, least, out=value)
    np.minimum(value, most, out=value)
    return value.astype(wanted.dtype)
