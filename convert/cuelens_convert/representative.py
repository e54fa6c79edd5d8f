"""Representative images: the faces on which conversion measures the ranges of the activations."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data import images
from cuelens_models.data.faces import Faces
from cuelens_models.data.haar import LARGE, HaarCrop
from cuelens_models.data.protocols import label
from cuelens_models.errors import BadInput

LEAST: Final = 100
"""Fewer faces than this leave ranges unseen, and cost points that are hard to explain later."""
_FLAT: Final = 3.0
"""A picture whose levels deviate by less than this shows nothing."""
_RANGE: Final = 40
"""Levels of all pictures that end below this were scaled twice."""
_LIKE_NOISE: Final = 0.5
"""Neighbouring pixels of a face correlate by over .9, those of noise by nothing."""


@dataclass(frozen=True, slots=True)
class Representative:
    """Faces, uint8 (n, height, width). said: where they come from, in words. by_label: how many show what."""

    faces: Grey
    said: str
    by_label: dict[str, int]

    def inputs(self, wanted: Input) -> NDArray[np.float32]:
        """Return them as a float network is fed: (n, height, width, channels)."""
        return np.asarray(model_inputs(self.faces, wanted), dtype=np.float32)


def choose(training: Faces, protocol: str, count: int, seed: int) -> Representative:
    """Return up to `count` training faces, balanced over the classes, chosen by `seed`.

    Raises BadInput if there are fewer than 100, if they show one class only, or if they are no pictures of faces.
    """
    labelled = label(training, protocol)
    random = np.random.default_rng(seed)
    queues = [
        random.permutation(labelled.indices[labelled.truth == index]).tolist() for index in range(len(labelled.labels))
    ]
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop() for queue in queues if queue][: count - len(chosen)]
    by_label = np.bincount(labelled.truth[np.isin(labelled.indices, chosen)], minlength=len(labelled.labels))
    if np.count_nonzero(by_label) < 2:
        raise BadInput("the representative images show one expression: two at least are needed")
    check(faces := training.pixels[np.array(chosen)])
    return Representative(faces, "the training part", dict(zip(labelled.labels, by_label.tolist(), strict=True)))


def from_photographs(folder: Path, wanted: Input, count: int, seed: int) -> Representative:
    """Return the faces of up to `count` photographs, found and cut as on the glasses, chosen by `seed`.

    Pictures that are hardly larger than a face are taken whole; of the others, those without a face are left out.
    Raises BadInput as `choose` does.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    if not files:
        raise BadInput(f"{folder} holds no pictures")
    haar = HaarCrop(wanted)
    found: list[Grey] = []
    looked = 0
    for place in np.random.default_rng(seed).permutation(len(files)):
        if len(found) == count:
            break
        looked += 1
        missed = haar.missed
        face = haar.face(images.picture(files[place]))
        if haar.missed == missed:
            found.append(face)
    if not found:
        raise BadInput(f"no face was found in {looked} pictures of {folder}")
    faces = np.stack(found)
    check(faces)
    said = f"{folder.name}: {looked} pictures, {haar.missed} without a face, {haar.cropped_before} under {LARGE} pixels"
    return Representative(faces, said, {})


def check(faces: Grey) -> None:
    """Raise BadInput unless these can be faces: enough of them, neither flat nor noise, of levels 0 to 255."""
    if len(faces) < LEAST:
        raise BadInput(f"there are {len(faces)} representative images: {LEAST} at least are needed")
    top = float(np.quantile(faces, 0.999))
    if top < _RANGE:
        raise BadInput(f"the representative images' levels end at {top:.0f} of 255: they were scaled before")
    flat = sum(float(cv2.meanStdDev(face)[1][0, 0]) < _FLAT for face in faces)
    if 2 * flat > len(faces):
        raise BadInput(f"{flat} of {len(faces)} representative images are of one grey: they show no faces")
    likeness = float(np.median([_likeness(face) for face in faces]))
    if likeness < _LIKE_NOISE:
        raise BadInput(f"the representative images are noise: neighbouring pixels correlate by {likeness:.2f}")


def _likeness(face: Grey) -> float:
    """Return how neighbouring pixels of a row correlate; 1 for a picture of one grey."""
    left, right = face[:, :-1].astype(np.float64).ravel(), face[:, 1:].astype(np.float64).ravel()
    deviations = left.std() * right.std()
    return float(((left - left.mean()) * (right - right.mean())).mean() / deviations) if deviations else 1.0
