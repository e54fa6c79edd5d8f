"""Heads to paste into pictures: photographs of faces on drawn heads, and cut-outs of synthetic heads.

Each has a mask, and the box that the glasses' cascade gives its face: what is learned from them has boxes of that kind.
"""

from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models import regular_file
from cuelens_models.bundle.cascade import NEIGHBOURS, STEP, cascade_file
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput

Floats = NDArray[np.float32]
Circle = tuple[float, float, float]
"""Centre and side of a face's box, in pixels."""

_SIDE: Final = 144
"""Side of the picture of a drawn head. The photograph of the face is the middle third of each side."""
_FACE: Final = 48
_MARGIN: Final = 16
_SIDES: Final = (36, 58)
"""Sides of boxes that the cascade may give a photograph 48 pixels wide. Others are mistakes."""


class Head(NamedTuple):
    """A head to paste.

    Attributes:
        picture: float32 (height, width), grey levels.
        mask: float32 (height, width), opacity, 0 to 1.
        box: of its face.
    """

    picture: Floats
    mask: Floats
    box: Circle


class HeadShop:
    """Heads of photographs and of synthetic people."""

    def __init__(self, faces: Faces, cutouts: Path) -> None:
        """Find the box of each face.

        Raises BadInput if the cascade finds none of them, or if the file holds no cut-outs.

        Args:
            faces: photographs of faces, cut closely. Those in which the cascade finds none are left out.
            cutouts: written by `python -m benchmarks.heads cutouts`.
        """
        self._pictures, self._covers, self._boxes = _cutouts(cutouts)
        cascade = cv2.CascadeClassifier(str(cascade_file()))
        boxes = [_box(cascade, pixels) for pixels in faces.pixels]
        self._faces = [(pixels, box) for pixels, box in zip(faces.pixels, boxes, strict=True) if box]
        if not self._faces:
            raise BadInput(f"the detector finds a face in none of {len(faces)} photographs: they must be upright faces")

    def head(self, random: np.random.Generator) -> Head:
        """Return a head with a face: three of five are drawn, the others are cut-outs."""
        if random.random() < 0.6:
            return self.drawn(random)
        number = random.integers(len(self._pictures))
        mask = self._covers[number].astype(np.float32) / 255
        x, y, side = self._boxes[number].astype(float)
        picture = self._pictures[number].astype(np.float32) / np.maximum(mask, 0.02)
        return Head(picture, mask, (x + side / 2, y + side / 2, side))

    def drawn(self, random: np.random.Generator, *, faceless: bool = False) -> Head:
        """Return a photograph of a face, mostly on a drawn head. faceless: only the head, as from behind."""
        pixels, (x, y, side) = self._faces[random.integers(len(self._faces))]
        face = pixels.astype(np.float32)
        third = (_SIDE - _FACE) / 2
        box = third + x + side / 2, third + y + side / 2, side
        if not faceless and random.random() < 0.25:
            return Head(*_surrounded(face, random), box)
        skin = float(np.median(face[12:36, 14:34]))
        picture, mask = _bust(skin, random)
        if not faceless:
            oval = np.zeros((_SIDE, _SIDE), np.float32)
            middle, axes = (72, int(random.uniform(71, 75))), (int(random.uniform(18, 22)), int(random.uniform(23, 28)))
            cv2.ellipse(oval, middle, axes, 0, 0, 360, 1.0, -1)
            np.maximum(mask, oval, out=mask)
            oval = np.asarray(cv2.GaussianBlur(oval, (0, 0), random.uniform(1, 2.5)), np.float32)
            whole = np.pad(face, (_SIDE - _FACE) // 2, mode="edge")
            picture += oval * (whole - picture)
        return Head(picture, np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0), np.float32), box)


def _cutouts(path: Path) -> tuple[Grey, Grey, NDArray[np.int32]]:
    """Return pictures and covers, (n, height, width), and boxes, (n, 3). Raises BadInput if the file lacks them."""
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        # np.load leaves an unreadable file open, so it is opened here.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pictures, covers, boxes = arrays["pictures"], arrays["covers"], arrays["boxes"]
        if not (pictures.ndim == 3 and pictures.shape == covers.shape and boxes.shape == (len(pictures), 3)):
            raise ValueError(f"shapes {pictures.shape}, {covers.shape} and {boxes.shape} do not fit each other")
        if not len(pictures):
            raise ValueError("it is empty")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged file can make numpy and zipfile raise almost anything.
        raise BadInput(f"{path} holds no cut-outs of heads: {error}") from error
    return pictures, covers, boxes


def _box(cascade: cv2.CascadeClassifier, pixels: Grey) -> tuple[float, float, float] | None:
    """Return the cascade's box of a closely cut face, left, top and side; None if it finds no likely one."""
    framed = np.pad(pixels, _MARGIN, mode="edge")
    found = cascade.detectMultiScale(cv2.GaussianBlur(framed, (0, 0), 0.6), STEP, NEIGHBOURS, 0, (32, 32), (64, 64))
    likely = [(float(x - _MARGIN), float(y - _MARGIN), float(w)) for x, y, w, _ in found if _SIDES[0] < w < _SIDES[1]]
    return max(likely, key=lambda box: box[2], default=None)


def _surrounded(face: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a face with mirrored surroundings, and an oval mask."""
    near = np.pad(face, 24, mode="reflect")
    picture = np.pad(near, 24, mode="edge")
    mask = np.zeros((_SIDE, _SIDE), np.float32)
    cv2.ellipse(mask, (72, 72), (int(random.uniform(22, 30)), int(random.uniform(24, 34))), 0, 0, 360, 1.0, -1)
    return picture, np.asarray(cv2.GaussianBlur(mask, (0, 0), random.uniform(1, 4)), np.float32)


def _bust(skin: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return hair, neck and shoulders of random kinds, without a face, and their mask. skin: its grey level."""
    picture, mask = np.full((_SIDE, _SIDE), skin, np.float32), np.zeros((_SIDE, _SIDE), np.float32)
    hair = random.uniform(5, 70) if random.random() < 0.65 else random.uniform(5, 220)
    if random.random() < 0.85:
        cloth, width, top = random.uniform(5, 245), int(random.uniform(38, 66)), int(random.uniform(112, 124))
        neck, shade = int(random.uniform(12, 18)), skin * random.uniform(0.6, 1)
        for layer, garment, skin_there in ((picture, cloth, shade), (mask, 1.0, 1.0)):
            cv2.ellipse(layer, (72, top + 30), (width, 36), 0, 180, 360, garment, -1)
            cv2.rectangle(layer, (72 - width, top + 30), (72 + width, _SIDE), garment, -1)
            cv2.rectangle(layer, (72 - neck, 90), (72 + neck, top + 4), skin_there, -1)
        if random.random() < 0.4:
            checks = random.normal(0, random.uniform(5, 40), (_SIDE // 6, _SIDE // 6)).astype(np.float32)
            picture[top:] += checks.repeat(6, 0).repeat(6, 1)[top:]
    width, height, middle = int(random.uniform(25, 36)), int(random.uniform(32, 44)), int(random.uniform(58, 70))
    length = int(random.uniform(100, 125)) if random.random() < 0.35 else 0
    for layer, level in ((picture, hair), (mask, 1.0)):
        if length:
            cv2.rectangle(layer, (72 - width, middle), (72 + width, length), level, -1)
        cv2.ellipse(layer, (72, middle), (width, height), 0, 0, 360, level, -1)
    if random.random() < 0.5:
        strands = cv2.GaussianBlur(random.normal(0, 1, (_SIDE, _SIDE)), (0, 0), random.uniform(0.8, 3))
        picture += (strands / strands.std() * random.uniform(2, 14) * (mask > 0)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.float32), mask
