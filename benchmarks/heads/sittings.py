"""Sittings of synthetic people: what the network reads of one person who calibrates, and of the same person later.

A sitting is one place: a light, a distance, a lens and a backdrop. In the first one a person is neutral, then smiles,
then looks surprised, nearly as strongly as this person can. The later ones have other lights, distances and turns of
the head, and expressions from half strength on, anger included. Faces that the detector misses are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.heads import camera, draw, identity, rig
from benchmarks.heads.expressions import EXPRESSIONS, ways
from benchmarks.heads.paint import tone
from benchmarks.heads.people import interpreter_of
from benchmarks.heads.pose import Pose
from benchmarks.heads.split import Chance, Split
from numpy.typing import NDArray

from cuelens.adapters.haar import HaarDetector
from cuelens_models.bundle.preprocess import crop
from cuelens_models.bundle.scores import probabilities

SIDE: Final = 256
POSED: Final = (("neutral", 6), ("happy", 4), ("surprise", 4))
"""What is asked for, and how many turns of the head are drawn of each."""
READS: Final = 4
"""How often each is read, with noise of its own; every other time as its mirror image."""
LATER: Final = 3
"""Later sittings."""
TURNS: Final = 2
"""Turns of the head with each expression in a later sitting; each is read once, and once as its mirror image."""
_FACES: Final = (80.0, 140.0)
_SEARCHED: Final = (56, 224)
_FIRST: Final = 1_000_000
"""The number of the first sitting: no still, clip or face to learn from has its light."""
_SWAY: Final = (4.0, 3.0, 2.0)
"""By how much a head turns while it poses, in degrees."""


@dataclass(frozen=True)
class Sittings:
    """What was read of one person.

    Attributes:
        posed: of each expression that was asked for, probabilities in order of time, (readings, labels).
        later: of each expression in the later sittings, the same.
    """

    posed: dict[str, NDArray[np.float64]]
    later: dict[str, NDArray[np.float64]]


def sittings(split: Split, bundle: Path, number: int) -> Sittings:
    """Return what is read of a person.

    Args:
        split: of the person.
        bundle: what reads the faces.
        number: of the person.
    """
    cv2.setNumThreads(1)
    place = _Place(split, number, bundle)
    posed = {expression: place.posed(expression, turns) for expression, turns in POSED}
    later = {expression: place.later(expression) for expression in EXPRESSIONS}
    place.sitter.release()
    return Sittings(posed, later)


class _Place:
    """A person before cameras."""

    def __init__(self, split: Split, number: int, bundle: Path) -> None:
        self._split = split
        self._numbers = [_FIRST + (LATER + 1) * number + place for place in range(LATER + 1)]
        self._ways = ways(split, number)
        self._chance = Chance(split, number, "sittings")
        self._tone = tone(Chance(split, number, "tone").between(0, 1))
        self._interpreter = interpreter_of(bundle)
        self._detector = HaarDetector()
        self.sitter = _studio().sitter(rig.build(identity.identity(split, number)))
        self._facing = self._turn((6.0, 4.0, 3.0), (0.0, 0.0, 0.0))

    def posed(self, expression: str, turns: int) -> NDArray[np.float64]:
        """Return what is read while an expression is posed, (readings, labels), probabilities."""
        rows: list[NDArray[np.float64]] = []
        for turn in range(turns):
            strength = 1.0 if expression == "neutral" else self._chance.between(0.8, 1.0)
            facing = self._turn(_SWAY, self._facing)
            rows += self._read(self._numbers[0], expression, strength, facing, turn, READS)
        return self._shaped(rows)

    def later(self, expression: str) -> NDArray[np.float64]:
        """Return what is read of an expression in the later sittings, (readings, labels), probabilities."""
        rows: list[NDArray[np.float64]] = []
        for sitting in self._numbers[1:]:
            for turn in range(TURNS):
                strength = 1.0 if expression == "neutral" else self._chance.between(0.5, 1.0)
                facing = self._turn((15.0, 10.0, 8.0), (0.0, 0.0, 0.0))
                rows += self._read(sitting, expression, strength, facing, turn, 2)
        return self._shaped(rows)

    def _turn(self, reach: tuple[float, float, float], about: tuple[float, float, float]) -> tuple[float, float, float]:
        yaw, pitch, roll = (at + self._chance.between(-most, most) for most, at in zip(reach, about, strict=True))
        return yaw, pitch, roll

    def _read(
        self, sitting: int, expression: str, strength: float, facing: tuple[float, float, float], turn: int, reads: int
    ) -> Iterator[NDArray[np.float64]]:
        face = self._ways.face(expression) if expression == "neutral" else self._ways.face(expression, strength)
        pose = Pose(face, *facing, (-0.7 * facing[0], 0.7 * facing[1]))
        around = _around(self._split, sitting)
        head = _studio().draw(self.sitter, pose, self._tone, around.light, around.view)
        sensor = camera.Sensor(self._split, sitting, around)
        contract = self._interpreter.contract
        for read in range(reads):
            picture = sensor.picture(head, (EXPRESSIONS.index(expression) * LATER + turn) * READS + read)
            for box in self._detector.detect(picture, *_SEARCHED)[:1]:
                seen = crop(picture, box, contract)
                yield probabilities(self._interpreter.outputs(np.ascontiguousarray(seen[:, :: (-1) ** read])), contract)

    def _shaped(self, rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.reshape(np.array(rows, float), (-1, len(self._interpreter.contract.labels)))


@lru_cache(maxsize=1)
def _studio() -> draw.Studio:
    return draw.Studio(SIDE, SIDE)


@lru_cache(maxsize=2)
def _around(split: Split, number: int) -> camera.Setting:
    return camera.setting(split, number, SIDE, SIDE, _FACES)
