"""The one path from pixels to model input.

The glasses start at `crop`, with a frame and a detector's box. Data sets of cropped faces start at `model_input`.
Training, conversion and the glasses all use this module, so their preprocessing cannot differ.
"""

import math
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


class HasInput(Protocol):
    """Anything that knows a model's input: a contract, or a network that has none yet."""

    @property
    def input(self) -> Input:
        """Size of the crop, crop rule and normalisation."""


def square(box: Box, contract: HasInput) -> Box:
    """Return the square that the crop rule puts around a detector's box. Both are in pixels of the same frame."""
    x, y, width, height = box
    rule = contract.input.crop
    side = rule.scale * max(width, height)
    left = x + width / 2 - side / 2
    top = y + height / 2 - side / 2 + rule.shift_y * side
    whole_side = round(side)
    return round(left), round(top), whole_side, whole_side


def crop(frame: Grey, box: Box, contract: HasInput, out: Grey | None = None, tilt: float = 0.0) -> Grey:
    """Cut one face out of a frame and resize it to the model's input size.

    Raises EmptyCrop if the box is under 16 pixels on a side or lies wholly outside the frame.

    Args:
        frame: uint8 (height, width), luminance 0-255. Outside it the edge pixel repeats.
        box: the detector's box of the face, in pixels of `frame`.
        contract: gives the crop rule and the size.
        out: buffer for the result, uint8 (contract height, contract width). None: a new array.
        tilt: by how much the head leans, in degrees, counter-clockwise in the frame. The crop shows it upright.
    """
    if min(box[2], box[3]) < SMALLEST_BOX:
        raise EmptyCrop(f"a face of {box[2]}x{box[3]} pixels is too small: it needs {SMALLEST_BOX} on each side")
    if tilt:
        return _upright(frame, box, contract, tilt, out)
    x, y, side, _ = square(box, contract)
    return resize(_cut(frame, x, y, side, box), contract.input.width, contract.input.height, out)


def _cut(frame: Grey, x: int, y: int, side: int, box: Box) -> Grey:
    """Return a square of a frame, with repeated edges. Raises EmptyCrop, which names `box`, if none of it is inside."""
    height, width = frame.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if left >= right or top >= bottom:
        raise EmptyCrop(f"the box {box} lies outside the frame of {width}x{height} pixels")
    face = frame[top:bottom, left:right]
    if right - left < side or bottom - top < side:
        borders = (top - y, y + side - bottom, left - x, x + side - right)
        face = np.asarray(cv2.copyMakeBorder(face, *borders, cv2.BORDER_REPLICATE), dtype=np.uint8)
    return face


def _upright(frame: Grey, box: Box, contract: HasInput, tilt: float, out: Grey | None) -> Grey:
    """Return the crop of a head that leans. A square around the leaning one is shrunk, then turned."""
    rule, spec = contract.input.crop, contract.input
    sine, cosine = math.sin(math.radians(tilt)), math.cos(math.radians(tilt))
    side = rule.scale * max(box[2], box[3])
    # The rule's shift goes from the face's brow to its chin.
    x = box[0] + box[2] / 2 + rule.shift_y * side * sine
    y = box[1] + box[3] / 2 + rule.shift_y * side * cosine
    reach = abs(sine) + abs(cosine)
    around = round(side * reach)
    target = max(spec.width, spec.height)
    grown = math.ceil(target * reach)
    small = resize(_cut(frame, round(x - around / 2), round(y - around / 2), around, box), grown, grown)
    middle, scale = ((grown - 1) / 2, (grown - 1) / 2), target * around / (side * grown)
    turn = np.asarray(cv2.getRotationMatrix2D(middle, -tilt, scale), np.float64)
    turn[:, 2] -= (grown - target) / 2
    is_square = spec.width == spec.height
    size, flags, border = (target, target), cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    face = cv2.warpAffine(small, turn, size, out if is_square else None, flags=flags, borderMode=border)
    upright = np.asarray(face, np.uint8)
    return upright if is_square else resize(upright, spec.width, spec.height, out)


def resize(face: Grey, width: int, height: int, out: Grey | None = None) -> Grey:
    """Resize a cropped face: INTER_AREA shrinks, INTER_LINEAR enlarges.

    Args:
        face: uint8, luminance.
        width: of the result, in pixels.
        height: of the result, in pixels.
        out: buffer for the result, uint8 (height, width). None: a new array.
    """
    shrinking = face.shape[0] > height
    interpolation = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(face, (width, height), dst=out, interpolation=interpolation), dtype=np.uint8)


def model_input(face: Grey, contract: Contract, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Normalise and quantise one cropped face. Returns the contract's dtype, (1, height, width, channels).

    Args:
        face: uint8 (height, width), luminance 0-255. A face of another size than the input's is resized first.
        contract: gives size, normalisation and quantisation.
        out: buffer for the result. None: a new array.
    """
    spec = contract.input
    if face.shape != (spec.height, spec.width):
        face = resize(face, spec.width, spec.height)
    tensor = np.empty((1, *face.shape, spec.channels), spec.dtype) if out is None else out
    table = _table_for(face, spec)
    if spec.channels == 1:
        # Unlike numpy's take, cv2.LUT allocates no index array.
        cv2.LUT(face, table, dst=tensor[0, :, :, 0])
    else:
        tensor[0] = cv2.LUT(face, table)[:, :, np.newaxis]
    return tensor


def model_inputs(faces: Grey, spec: Input) -> NDArray[Any]:
    """Return `model_input` of many faces, (n, height, width, channels). faces: (n, height, width), of one size."""
    if faces.shape[1:] != (spec.height, spec.width):
        faces = np.stack([resize(face, spec.width, spec.height) for face in faces])
    if spec.per_image:
        levels = np.stack([_table_for(face, spec)[face] for face in faces])
    else:
        levels = _table_for(faces, spec)[faces]
    return np.repeat(levels[..., np.newaxis], spec.channels, axis=-1)


def _table_for(face: Grey, spec: Input) -> NDArray[Any]:
    if spec.per_image:
        mean, deviation = cv2.meanStdDev(face)
        return _table(spec, float(mean[0, 0]), float(deviation[0, 0]))
    return _constant_table(spec)


@lru_cache(maxsize=8)
def _constant_table(spec: Input) -> NDArray[Any]:
    return _table(spec, 0.0, 1.0)


def _table(spec: Input, mean: float, deviation: float) -> NDArray[Any]:
    """Return a lookup table: the input value of each of the 256 grey levels."""
    value = _LEVELS - mean
    value /= max(deviation, 1.0)
    value *= spec.multiply
    value += spec.add
    if spec.scale == 0:
        return value.astype(np.float32)
    value /= spec.scale
    np.rint(value, out=value)
    value += spec.zero_point
    lowest, highest = _LIMITS[spec.dtype]
    np.maximum(value, lowest, out=value)
    np.minimum(value, highest, out=value)
    return value.astype(spec.dtype)
