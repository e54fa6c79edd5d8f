"""What training does to a face so that the network has seen what a small camera and a loose box do to it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cuelens_models.bundle.pixels import Grey

_PLACES: Final = np.arange(48, dtype=np.float32) / 47 - 0.5


@dataclass(frozen=True, slots=True)
class Movement:
    """How far a face may be moved, either way. turn: degrees. zoom, shift: of the side. flip: half are mirrored."""

    turn: float = 0.0
    zoom: float = 0.0
    shift: float = 0.0
    flip: bool = False


_MILD: Final = Movement(turn=12, zoom=0.12, shift=0.08, flip=True)


def augment(face: Grey, random: np.random.Generator) -> Grey:
    """Return a mildly changed copy of a face, uint8 (48, 48), sometimes damaged as by a small camera."""
    return damaged(posed(face, random), random)


def posed(face: Grey, random: np.random.Generator) -> Grey:
    """Return a face as a detector's box, a leaning head and the light of a room change it: nothing is lost."""
    return _toned(moved(face, _MILD, random), random)


def damaged(face: Grey, random: np.random.Generator) -> Grey:
    """Return a face as a small camera may see it: a tenth out of focus, a seventh with something in front.

    A third has all that a small camera does at once, each fault a little or a lot.
    """
    changed = face.copy()
    if random.random() < 0.1:
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), random.uniform(0.4, 1.6)), np.uint8)
    if random.random() < 0.35:
        changed = _by_a_small_camera(changed, random)
    if random.random() < 0.15:
        _cover(changed, random)
    return changed


def moved(face: Grey, by: Movement, random: np.random.Generator) -> Grey:
    """Return a face turned, scaled, moved and mirrored by chance; beyond the border its edge repeats."""
    side = face.shape[0]
    middle = side / 2 - 0.5
    turn = cv2.getRotationMatrix2D(
        (middle, middle), random.uniform(-by.turn, by.turn), random.uniform(1 - by.zoom, 1 + by.zoom)
    )
    turn[:, 2] += random.uniform(-by.shift, by.shift, 2) * side
    if random.random() < 0.5 and by.flip:
        turn[0] = -turn[0]
        turn[0, 2] += side - 1
    changed = cv2.warpAffine(face, turn, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(changed, np.uint8)


def _by_a_small_camera(face: Grey, random: np.random.Generator) -> Grey:
    """As a face that fills 20 to 48 pixels of a soft, dim, noisy and compressed frame, and is enlarged."""
    side = int(random.integers(20, 49))
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), random.uniform(0.1, 0.9))
    levels = small * random.uniform(0.3, 1.0) + random.standard_normal(small.shape, np.float32) * random.uniform(1, 10)
    small = np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)
    _, squeezed = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(20, 90))])
    small = np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _toned(face: Grey, random: np.random.Generator) -> Grey:
    """Another gamma, contrast and brightness; a quarter lit from a side; a quarter with the noise of a sensor."""
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
    """Lay an even rectangle of up to a third of the side over the face: hair, a hand, a cup."""
    height, width = random.integers(5, 17, 2)
    top, left = random.integers(0, face.shape[0] - height), random.integers(0, face.shape[1] - width)
    face[top : top + height, left : left + width] = random.integers(0, 256)
