"""Cut-outs of heads of the training split, for pictures that the network of candidates learns from."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.heads import camera, draw, identity, rig
from benchmarks.heads.expressions import EXPRESSIONS, ways
from benchmarks.heads.paint import tone
from benchmarks.heads.people import over_people
from benchmarks.heads.pose import Pose
from benchmarks.heads.split import Chance, Split

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Grey
from cuelens.types import Box
from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import BadInput

SIDE: Final = 256
_SPLIT: Final[Split] = "train"
_FACES: Final = (85.0, 95.0)
_SEARCHED: Final = (60, 140)
_PICTURES: Final = 5
_FIRST: Final = 5000
"""The number of the first person: apart from those whose expressions are learned."""

Cutout = tuple[Grey, Grey, Box]
"""Grey levels times opacity, opacity times 255, and the detector's box."""


def cutouts_of(place: int) -> list[Cutout]:
    """Return the heads of a person in which the detector finds a face. place: of the person, from 0."""
    number = _FIRST + place
    cv2.setNumThreads(1)
    studio, detector, chance = _studio(), HaarDetector(), Chance(_SPLIT, number, "cutouts")
    sitter, own = studio.sitter(rig.build(identity.identity(_SPLIT, number))), ways(_SPLIT, number)
    cutouts: list[Cutout] = []
    for picture in range(_PICTURES):
        expression = EXPRESSIONS[int(chance.random.integers(len(EXPRESSIONS)))]
        shown = own.face(expression) if expression == "neutral" else own.face(expression, chance.between(0.4, 1.0))
        turn = chance.between(-22, 22), chance.between(-14, 14), 0.0
        pose = Pose(shown, *turn, (-0.7 * turn[0], 0.7 * turn[1]))
        around = camera.setting(_SPLIT, number * _PICTURES + picture, SIDE, SIDE, _FACES)
        head = studio.draw(sitter, pose, tone(chance.between(0, 1)), around.light, around.view)
        wall = chance.between(60, 190)
        whole = cv2.GaussianBlur(np.clip(head.grey + (1 - head.cover) * wall, 0, 255).astype(np.uint8), (0, 0), 1)
        for box in detector.detect(np.asarray(whole, np.uint8), *_SEARCHED)[:1]:
            grey, cover = np.clip(head.grey, 0, 255).astype(np.uint8), (255 * head.cover).astype(np.uint8)
            cutouts.append((grey, cover.reshape(grey.shape), box))
    sitter.release()
    return cutouts


@lru_cache(maxsize=1)
def _studio() -> draw.Studio:
    return draw.Studio(SIDE, SIDE)


def write(people: int, out: Path, jobs: int) -> int:
    """Write the heads of people for `python -m cuelens_models.commands.candidates`, and return how many they are.

    Raises BadInput if the detector finds a face in none.

    Args:
        people: how many.
        out: the file.
        jobs: processes.
    """
    cutouts = [head for heads in over_people("cutouts", cutouts_of, people, jobs) for head in heads]
    if not cutouts:
        raise BadInput(f"the detector finds a face in no picture of {people} people: draw more")
    pictures, covers, boxes = zip(*cutouts, strict=True)
    content = BytesIO()
    squares = np.array(boxes, np.int32)[:, :3]
    np.savez_compressed(content, pictures=np.stack(pictures), covers=np.stack(covers), boxes=squares)
    write_whole(out, content.getvalue())
    return len(cutouts)
