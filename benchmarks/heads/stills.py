"""Paired stills: one person, light and camera, seen in the lightest and in the darkest skin.

A still is scanned once. It is also held before the glasses' own search, which looks at frame after frame.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.heads import camera, draw, identity, rig
from benchmarks.heads.expressions import EXPRESSIONS, ways
from benchmarks.heads.paint import tone
from benchmarks.heads.people import interpreter_of, interval, over_people
from benchmarks.heads.pose import Pose
from benchmarks.heads.split import Chance, Split
from benchmarks.heads.timeline import FPS
from numpy.typing import NDArray

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame, Grey
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop

SIDE: Final = 256
TONES: Final = {"lightest": 0.0, "darkest": 1.0}
_FACES: Final = (80.0, 140.0)
_SEARCHED: Final = (56, 224)
"""Sides of boxes that the detector searches for, in pixels."""
_FRAMES: Final = 30
"""How many frames the search has at fifteen a second, each with noise of its own."""
_OPTICS: Final = Optics(horizontal_degrees=2 * math.degrees(math.atan(SIDE / 2 / camera.FOCAL)))
MISSED: Final = "missed"


@dataclass(frozen=True)
class Pair:
    """One person with one expression, in both tones.

    Attributes:
        expression: the truth.
        answers: the bundle's label of each tone after one scan, "missed" where no face is found.
        looked: the same after the glasses' search, two seconds at most.
        crops: what the bundle sees of each tone, grey where no face is found.
    """

    expression: str
    answers: tuple[str, ...]
    looked: tuple[str, ...]
    crops: tuple[Grey, ...]


def picture_of(studio: draw.Studio, sitter: draw.Sitter, expression: str, darkness: float) -> Grey:
    """Return one still, uint8 (256, 256), the frame of `frames_of` with the number of its expression."""
    return frames_of(studio, sitter, expression, darkness)(EXPRESSIONS.index(expression))


def frames_of(studio: draw.Studio, sitter: draw.Sitter, expression: str, darkness: float) -> Callable[[int], Grey]:
    """Return a camera before a face that stands still: from the number of a frame to uint8 (256, 256).

    Two that differ in tone differ in nothing else, the noise included.

    Args:
        studio: draws.
        sitter: the person.
        expression: at full strength.
        darkness: of the skin, 0 to 1.
    """
    person = sitter.rig.person
    chance = Chance(person.split, person.number, expression)
    turn = chance.between(-15, 15), chance.between(-10, 10), chance.between(-8, 8)
    pose = Pose(ways(person.split, person.number).face(expression), *turn, (-0.7 * turn[0], 0.7 * turn[1]))
    around = camera.setting(person.split, person.number, SIDE, SIDE, _FACES)
    head = studio.draw(sitter, pose, tone(darkness), around.light, around.view)
    return partial(camera.Sensor(person.split, person.number, around).picture, head)


def look_at(split: Split, bundle: Path, number: int) -> list[Pair]:
    """Return what the detector and the bundle make of a person's stills.

    Args:
        split: of the person.
        bundle: what reads the faces.
        number: of the person.
    """
    cv2.setNumThreads(1)
    studio, detector, interpreter = _studio(), HaarDetector(), interpreter_of(bundle)
    sitter = studio.sitter(rig.build(identity.identity(split, number)))
    contract = interpreter.contract
    pairs = []
    for expression in EXPRESSIONS:
        answers, looked, crops = [], [], []
        for darkness in TONES.values():
            frames = frames_of(studio, sitter, expression, darkness)
            picture = frames(EXPRESSIONS.index(expression))
            scanned = next((crop(picture, box, contract) for box in detector.detect(picture, *_SEARCHED)), None)
            answers.append(_answer(interpreter, scanned))
            looked.append(_answer(interpreter, _followed(frames, contract)))
            crops.append(np.full((48, 48), 128, np.uint8) if scanned is None else scanned)
        pairs.append(Pair(expression, tuple(answers), tuple(looked), tuple(crops)))
    sitter.release()
    return pairs


def _answer(interpreter: Interpreter, face: Grey | None) -> str:
    return MISSED if face is None else interpreter.contract.labels[int(np.argmax(interpreter.outputs(face)))]


def _followed(frames: Callable[[int], Grey], contract: Contract) -> Grey | None:
    """Return the face that the glasses' search finds first, in a crop of that frame; None if it finds none."""
    finder = FaceFinder(HaarDetector(), _OPTICS, LookPace(), StageTimes())
    for number in range(_FRAMES):
        picture = frames(number)
        for face in finder.find(Frame(picture, number / FPS, 0)).seen:
            return crop(picture, face.box, contract, tilt=face.tilt)
    return None


@lru_cache(maxsize=1)
def _studio() -> draw.Studio:
    return draw.Studio(SIDE, SIDE)


def measure(split: Split, people: int, bundle: Path, jobs: int) -> list[list[Pair]]:
    """Return the pairs of each person.

    Args:
        split: whose people.
        people: how many of them.
        bundle: what reads the faces.
        jobs: processes.
    """
    return over_people("stills", partial(look_at, split, bundle), people, jobs)


def lines(people: Sequence[Sequence[Pair]]) -> list[str]:
    """Return what was measured, in words."""
    scanned = [[(pair.expression, pair.answers) for pair in pairs] for pairs in people]
    looked = [[(pair.expression, pair.looked) for pair in pairs] for pairs in people]
    return ["one scan of a still", *_told(scanned), "the glasses' search, two seconds at most", *_told(looked)]


def _told(people: Sequence[Sequence[tuple[str, tuple[str, ...]]]]) -> list[str]:
    """Return what was measured in one of the two ways. people: of each, each expression and its answers by tone."""
    right = np.array([[[one == truth for one in answers] for truth, answers in pairs] for pairs in people], float)
    in_view = np.array([[[one != MISSED for one in answers] for _, answers in pairs] for pairs in people], float)
    said = [f"recall, missed faces counted as wrong: {', '.join(EXPRESSIONS)}; mean; faces found"]
    for place, name in enumerate(TONES):
        each = ", ".join(f"{share:.1%}" for share in right[:, :, place].mean(axis=0))
        mean, low, high = interval(right[:, :, place], lambda some: float(some.mean()))
        said.append(f"  {name}: {each}; {mean:.1%} ({low:.1%} to {high:.1%}); {in_view[:, :, place].mean():.1%}")
    gap, low, high = interval(right, _gap)
    said.append(f"lightest minus darkest: {100 * gap:.1f} points (95 % interval {100 * low:.1f} to {100 * high:.1f})")
    both = in_view.all(axis=2)
    alone = right[both].mean(axis=0)
    said.append(
        f"  where both faces are found ({both.mean():.1%} of pairs), answers alone: {alone[0]:.1%} and {alone[1]:.1%};"
        f" right in one tone only: {int((right[both][:, 0] > right[both][:, 1]).sum())} lightest,"
        f" {int((right[both][:, 0] < right[both][:, 1]).sum())} darkest"
    )
    for place, name in enumerate(TONES):
        said.append(f"  answers, {name}: " + "; ".join(_answers(people, row, place) for row in range(len(EXPRESSIONS))))
    return said


def _gap(right: NDArray[np.float64]) -> float:
    return float(right[:, :, 0].mean() - right[:, :, 1].mean())


def _answers(people: Sequence[Sequence[tuple[str, tuple[str, ...]]]], row: int, place: int) -> str:
    labels, counts = np.unique([pairs[row][1][place] for pairs in people], return_counts=True)
    order = np.argsort(-counts)
    return f"{EXPRESSIONS[row]} is " + ", ".join(f"{labels[n]} {counts[n]}" for n in order)


def sheet(people: Sequence[Sequence[Pair]]) -> Grey:
    """Return a picture of what the bundle sees: a row for each person, two tones of each expression."""
    rows = [np.hstack([_enlarged(face) for pair in pairs for face in pair.crops]) for pairs in people[:12]]
    return np.asarray(np.vstack(rows), np.uint8)


def _enlarged(face: Grey) -> Grey:
    return np.asarray(cv2.resize(face, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)
