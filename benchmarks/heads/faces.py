"""Faces of the training split to learn from, with votes: what the glasses would cut out of pictures of them."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.heads import camera, draw, identity, rig
from benchmarks.heads.expressions import EXPRESSIONS, VISEMES, added, sided, ways
from benchmarks.heads.paint import tone
from benchmarks.heads.people import over_people
from benchmarks.heads.pose import Pose
from benchmarks.heads.split import Chance, Split

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Grey
from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.preprocess import crop
from cuelens_models.data.faces import VOTES
from cuelens_models.errors import BadInput

SIDE: Final = 256
_SPLIT: Final[Split] = "train"
_FACES: Final = (60.0, 150.0)
_SEARCHED: Final = (44, 224)
"""Sides of boxes that the detector searches for, in pixels."""
_PICTURES: Final = 3
"""Of each person with each expression: one at full strength in both tones, then weaker ones in a tone between them."""
_WEAKEST: Final = 0.5
_UNSEEN, _PLAIN = 0.3, 0.8
"""Strengths of an expression up to which nobody names it, and from which everybody does."""
_VOTERS: Final = 10
_FIRST: Final = 1000
"""The number of the first person. A choice that learned faces must not sway is made on people of the split before."""

Voted = tuple[Grey, list[int]]


def ballot(expression: str, strength: float) -> list[int]:
    """Return ten votes for a face, in the order of VOTES: the weaker the expression, the more of them are neutral."""
    named = round(_VOTERS * min(max((strength - _UNSEEN) / (_PLAIN - _UNSEEN), 0.0), 1.0))
    votes = [0] * len(VOTES)
    votes[VOTES.index("neutral")] = _VOTERS - named
    votes[VOTES.index(expression)] += named
    return votes


def faces_of(place: int) -> list[Voted]:
    """Return the faces of a person that the detector finds, each uint8 (48, 48), with their votes.

    Args:
        place: of the person among those learned from.
    """
    number = _FIRST + place
    cv2.setNumThreads(1)
    studio, detector, chance = _studio(), HaarDetector(), Chance(_SPLIT, number, "faces")
    sitter, own = studio.sitter(rig.build(identity.identity(_SPLIT, number))), ways(_SPLIT, number)
    contract = load(SHIPPED).contract
    voted: list[Voted] = []
    for expression in EXPRESSIONS:
        for picture in range(_PICTURES):
            turn = chance.between(-18, 18), chance.between(-12, 12), chance.between(-8, 8)
            strength = 1.0 if picture == 0 else chance.between(_WEAKEST, 1.0)
            shown = own.face(expression) if expression == "neutral" else own.face(expression, strength)
            if expression == "neutral" and picture == _PICTURES - 1:
                shown = added(shown, sided(VISEMES[int(chance.random.integers(len(VISEMES)))], 0.0))
            pose = Pose(shown, *turn, (-0.7 * turn[0], 0.7 * turn[1]))
            setting = number * _PICTURES + picture
            around = camera.setting(_SPLIT, setting, SIDE, SIDE, _FACES)
            for darkness in (0.0, 1.0) if picture == 0 else (chance.between(0, 1),):
                head = studio.draw(sitter, pose, tone(darkness), around.light, around.view)
                taken = camera.Sensor(_SPLIT, setting, around).picture(head, picture)
                boxes = detector.detect(taken, *_SEARCHED)[:1]
                voted += [(crop(taken, box, contract), ballot(expression, strength)) for box in boxes]
    sitter.release()
    return voted


@lru_cache(maxsize=1)
def _studio() -> draw.Studio:
    return draw.Studio(SIDE, SIDE)


def write(people: int, out: Path, jobs: int) -> int:
    """Write the faces of people as an .npz that `train-model --besides` reads, and return how many they are.

    Raises BadInput if the detector finds a face in none.

    Args:
        people: how many.
        out: the file.
        jobs: processes.
    """
    voted = [face for faces in over_people("faces", faces_of, people, jobs) for face in faces]
    if not voted:
        raise BadInput(f"the detector finds a face in no picture of {people} people: draw more")
    pixels, votes = (np.array(column, np.uint8) for column in zip(*voted, strict=True))
    content = BytesIO()
    np.savez_compressed(content, pixels=pixels, votes=votes)
    write_whole(out, content.getvalue())
    return len(voted)
