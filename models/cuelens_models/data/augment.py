"""Augmentation: random changes of training faces, as a small camera and an inexact box make them."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cuelens_models.bundle.pixels import Grey

_PLACES: Final = np.arange(48, dtype=np.float32) / 47 - 0.5


@dataclass(frozen=True, slots=True)
class Movement:
    """Limits of random movement. turn: degrees. zoom, shift: shares of the side. flip: mirror half of the faces."""

    turn: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    flip: bool = False


_MILD: Final = Movement(turn=12, zoom=0.12, shift=0.08, flip=True)


def augment(face: Grey, random: np.random.Generator) -> Grey:
    """Return a mildly changed copy of a face, uint8 (48, 48): `pose`, then `damage`."""
    return damage(pose(face, random), random)


def pose(face: Grey, random: np.random.Generator) -> Grey:
    """Return a face with another box, lean and lighting. No detail is lost."""
    return _change_tone(move(face, _MILD, random), random)


def damage(face: Grey, random: np.random.Generator) -> Grey:
    """Return a face as a small camera may see it: a tenth are blurred, a seventh are partly covered.

    A third get all faults of a small camera at once, in random strengths.
    """
    view = face.copy()
    if random.random() < 0.1:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), random.uniform(0.4, 1.6)), np.uint8)
    if random.random() < 0.35:
        view = _small_camera(view, random)
    if random.random() < 0.15:
        _cover(view, random)
    return view


def move(face: Grey, by: Movement, random: np.random.Generator) -> Grey:
    """Return a face turned, scaled, shifted and mirrored at random. Beyond the border the edge pixel repeats.

    Args:
        face: uint8, square.
        by: limits of the movement.
        random: source of chance.
    """
    side = face.shape[0]
    middle = side / 2 - 0.5
    turn = cv2.getRotationMatrix2D(
        (middle, middle), random.uniform(-by.turn, by.turn), random.uniform(1 - by.zoom, 1 + by.zoom)
    )
    turn[:, 2] += random.uniform(-by.shift, by.shift, 2) * side
    if random.random() < 0.5 and by.flip:
        turn[0] = -turn[0]
        turn[0, 2] += side - 1
    view = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(view, np.uint8)


def _small_camera(face: Grey, random: np.random.Generator) -> Grey:
    """Return a face of 20 to 48 pixels in a soft, dim, noisy and compressed frame, enlarged again."""
    side = int(random.integers(20, 49))
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), random.uniform(0.1, 0.9))
    levels = small * random.uniform(0.3, 1.0) + random.standard_normal(small.shape, np.float32) * random.uniform(1, 10)
    small = np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(20, 90))])
    small = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _change_tone(face: Grey, random: np.random.Generator) -> Grey:
    """Change gamma, contrast and brightness. A quarter are lit from one side; a quarter get sensor noise."""
    level = face.astype(np.float32) / 255
    level **= np.exp(random.uniform(-0.5, 0.5))
    level = (level - 0.5) * np.exp(random.uniform(-0.5, 0.3)) + 0.5 + random.uniform(-0.15, 0.15)
    if random.random() < 0.25:
        across, down = random.uniform(-0.8, 0.8, 2)
        level *= 1 + across * _PLACES + down * _PLACES[:, np.newaxis]
    if random.random() < 0.25:
        level += random.standard_normal(level.shape, np.float32) * random.uniform(0.01, 0.05)
    return np.asarray(np.clip(level * 255 + 0.5, 0, 255), np.uint8)


def _cover(face: Grey, random: np.random.Generator) -> None:
    """Draw an even rectangle over the face, up to a third of its side: hair, a hand, a cup."""
    height, width = random.integers(5, 17, 2)
    top, left = random.integers(0, face.shape[0] - height), random.integers(0, face.shape[1] - width)
    face[top : top + height, left : left + width] = random.integers(0, 256)
