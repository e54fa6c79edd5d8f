"""A small set as somebody gathers it: of each of five expressions 52 pictures, with a face somewhere on each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models.atomic_file import writable, write_whole
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import resized
from cuelens_models.data import image_folder, images
from cuelens_models.data.backgrounds import texture
from cuelens_models.data.faces import EMOTIONS, SIDE, Faces
from cuelens_models.data.haar import HaarCrop
from cuelens_models.data.protocols import label
from cuelens_models.data.quality import faults
from cuelens_models.errors import BadInput

PROTOCOL: Final = "fer5"
EACH: Final = 52
_PICTURE: Final = 200
_SMALLEST, _LARGEST = 72, 144
_BOXES: Final = "boxes.json"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The faces of a small set. missed: pictures in which the detector found none, taken whole. poor: left out."""

    faces: Faces
    missed: int
    poor: dict[str, int]


def write_few(faces: Faces, folder: Path, seed: int) -> None:
    """Write `class/picture.png` of 200 pixels, and where the face is in each. What is there already stays as it is.

    Raises BadInput if there are too few faces of a class, Unwritable if the folder cannot be written.
    """
    if (folder / _BOXES).exists():
        return
    labelled = label(faces, PROTOCOL)
    random = np.random.default_rng(seed)
    boxes = {}
    for index, word in enumerate(labelled.labels):
        candidates = labelled.chosen[labelled.truth == index]
        if len(candidates) < EACH:
            raise BadInput(f"{len(candidates)} faces to learn from are {word}: {EACH} are needed")
        writable(folder / word)
        for face in random.choice(candidates, EACH, replace=False):
            side = int(random.integers(_SMALLEST, _LARGEST + 1))
            left, top = (int(place) for place in random.integers(0, _PICTURE - side + 1, 2))
            picture = texture(random)[:_PICTURE, :_PICTURE].copy()
            picture[top : top + side, left : left + side] = resized(faces.pixels[face], side, side)
            name = f"{word}/{face:05}.png"
            write_whole(folder / name, cv2.imencode(".png", picture)[1].tobytes())
            boxes[name] = [left, top, side, side]
    write_whole(folder / _BOXES, json.dumps(boxes, indent=1).encode())


def read_few(folder: Path, wanted: Input, *, detected: bool, inspected: bool) -> Gathered:
    """Read the pictures, cut by the glasses' detector or by where the faces are known to be.

    inspected: faces that are dark, bright, flat or blurred, and pictures without a detected face, are left out.
    Raises BadInput if that is all of them.
    """
    boxes = json.loads((folder / _BOXES).read_bytes())
    cutter = HaarCrop(wanted)
    pixels, words, missed = [], [], 0
    poor: dict[str, int] = {}
    for name, (left, top, width, height) in sorted(boxes.items()):
        picture = images.picture(folder / name)
        before = cutter.missed
        known = picture[top : top + height, left : left + width]
        face = cutter.face(picture) if detected else resized(known, SIDE, SIDE)
        unseen = cutter.missed > before
        missed += unseen
        found = ["no face found"] if unseen else faults(face)
        if inspected and found:
            for fault in found:
                poor[fault] = poor.get(fault, 0) + 1
            continue
        pixels.append(face)
        words.append(name.partition("/")[0])
    if not pixels:
        raise BadInput(
            f"no picture in {folder} is left: {', '.join(f'{fault} {count}' for fault, count in poor.items())}"
        )
    emotion = np.array([EMOTIONS.index(word) for word in words], np.int8)
    votes = np.stack([image_folder.ballot(word) for word in words])
    return Gathered(Faces(np.stack(pixels), emotion, votes), missed, poor)
