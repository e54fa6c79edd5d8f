"""A small data set as one person might gather it: 52 pictures of each of five expressions, one face in each."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import resize
from cuelens_models.data import image_folder, images
from cuelens_models.data.backgrounds import texture
from cuelens_models.data.faces import EMOTIONS, SIDE, Faces
from cuelens_models.data.haar import HaarCrop
from cuelens_models.data.protocols import label
from cuelens_models.data.quality import faults
from cuelens_models.errors import BadInput

PROTOCOL: Final = "fer5"
EACH: Final = 52
FOLDER: Final = "faces"
"""In the folder of a training."""
_PICTURE: Final = 200
_SMALLEST, _LARGEST = 72, 144
_BOXES: Final = "boxes.json"


@dataclass(frozen=True, slots=True)
class SmallSet:
    """The faces of a small set. missed: pictures without a detection, used whole. poor: pictures left out, by fault."""

    faces: Faces
    missed: int
    poor: dict[str, int]


def check_apart(data: Path, out: Path) -> None:
    """Raise BadInput if the data lies where a training in `out` writes its pictures: they would overwrite the data."""
    if data.resolve().is_relative_to((out / FOLDER).resolve()):
        raise BadInput(f"{out / FOLDER}, where {data} is, would be overwritten by pictures: choose another --out")


def write_few(faces: Faces, folder: Path, seed: int) -> None:
    """Write `class/picture.png` of 200 pixels each, and the boxes of their faces. A folder that has boxes is kept.

    Raises BadInput if there are too few faces of a class, Unwritable if the folder cannot be written.

    Args:
        faces: to draw from.
        folder: is made if absent.
        seed: the same seed gives the same pictures.
    """
    if (folder / _BOXES).exists():
        return
    labelled = label(faces, PROTOCOL)
    random = np.random.default_rng(seed)
    boxes = {}
    for index, word in enumerate(labelled.labels):
        candidates = labelled.indices[labelled.truth == index]
        if len(candidates) < EACH:
            raise BadInput(f"{len(candidates)} faces to learn from are {word}: {EACH} are needed")
        make_folder(folder / word)
        for face in random.choice(candidates, EACH, replace=False):
            side = int(random.integers(_SMALLEST, _LARGEST + 1))
            left, top = (int(place) for place in random.integers(0, _PICTURE - side + 1, 2))
            picture = texture(random)[:_PICTURE, :_PICTURE].copy()
            picture[top : top + side, left : left + side] = resize(faces.pixels[face], side, side)
            name = f"{word}/{face:05}.png"
            write_whole(folder / name, cv2.imencode(".png", picture)[1].tobytes())
            boxes[name] = [left, top, side, side]
    write_whole(folder / _BOXES, json.dumps(boxes, indent=1).encode())


def read_few(folder: Path, model_input: Input, *, detected: bool, inspected: bool) -> SmallSet:
    """Read the pictures and cut out their faces. Raises BadInput if no picture is left.

    Args:
        folder: as `write_few` leaves it.
        model_input: gives the crop rule.
        detected: cut by the detector of the glasses; otherwise by the known boxes.
        inspected: leave out dark, bright, flat or blurred faces, and pictures without a detection.
    """
    boxes = json.loads((folder / _BOXES).read_bytes())
    cutter = HaarCrop(model_input)
    pixels, words, missed = [], [], 0
    poor: dict[str, int] = {}
    for name, (left, top, width, height) in sorted(boxes.items()):
        picture = images.picture(folder / name)
        before = cutter.missed
        box = picture[top : top + height, left : left + width]
        face = cutter.face(picture) if detected else resize(box, SIDE, SIDE)
        undetected = cutter.missed > before
        missed += undetected
        problems = ["no face found"] if undetected else faults(face)
        if inspected and problems:
            for fault in problems:
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
    return SmallSet(Faces(np.stack(pixels), emotion, votes), missed, poor)
