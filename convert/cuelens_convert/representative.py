"""Representative images: faces on which the converter measures the ranges of the activations."""

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

MIN_IMAGES: Final = 100
"""Fewer faces than this do not cover the ranges, and accuracy is lost for no visible reason."""
_FLAT: Final = 3.0
"""Standard deviation of grey levels below which a picture shows nothing."""
_DARKEST_TOP: Final = 40
"""If the brightest levels of all pictures are below this, they were already scaled to a smaller range."""
_LIKE_NOISE: Final = 0.5
"""Correlation of neighbouring pixels below which pictures are noise. Faces have more than 0.9, noise has 0."""


@dataclass(frozen=True, slots=True)
class Representative:
    """Faces, uint8 (n, height, width). origin: where they come from, in words. by_label: the number for each label."""

    faces: Grey
    origin: str
    by_label: dict[str, int]

    def inputs(self, contract: Input) -> NDArray[np.float32]:
        """Return the faces as the input of a float network, (n, height, width, channels)."""
        return np.asarray(model_inputs(self.faces, contract), dtype=np.float32)


def choose(training: Faces, protocol: str, count: int, seed: int) -> Representative:
    """Choose training faces at random, balanced over the classes.

    Raises BadInput if there are fewer than 100, if they show one class only, or as `check` does.

    Args:
        training: the faces to choose from.
        protocol: which of them count, and their labels.
        count: faces at most.
        seed: of the choice.
    """
    labelled = label(training, protocol)
    random = np.random.default_rng(seed)
    queues = [
        random.permutation(labelled.indices[labelled.truth == index]).tolist() for index in range(len(labelled.labels))
    ]
    indices: list[int] = []
    while len(indices) < count and any(queues):
        indices += [queue.pop() for queue in queues if queue][: count - len(indices)]
    by_label = np.bincount(labelled.truth[np.isin(labelled.indices, indices)], minlength=len(labelled.labels))
    if np.count_nonzero(by_label) < 2:
        raise BadInput("the representative images show one expression: at least two are needed")
    check(faces := training.pixels[np.array(indices)])
    return Representative(faces, "the training part", dict(zip(labelled.labels, by_label.tolist(), strict=True)))


def from_photographs(folder: Path, contract: Input, count: int, seed: int) -> Representative:
    """Detect and crop the faces of photographs as on the glasses.

    Pictures that are hardly larger than a face count as faces already cropped. Others without a face are left out.
    Raises BadInput if no face is found, or as `check` does.

    Args:
        folder: searched for pictures, its subfolders too.
        contract: of the network's input, which has the crop rule.
        count: faces at most.
        seed: of the order in which pictures are tried.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    if not files:
        raise BadInput(f"{folder} holds no pictures")
    haar = HaarCrop(contract)
    crops: list[Grey] = []
    tried = 0
    for place in np.random.default_rng(seed).permutation(len(files)):
        if len(crops) == count:
            break
        tried += 1
        missed = haar.missed
        face = haar.face(images.picture(files[place]))
        if haar.missed == missed:
            crops.append(face)
    if not crops:
        raise BadInput(f"no face was found in {tried} pictures of {folder}")
    faces = np.stack(crops)
    check(faces)
    origin = (
        f"{folder.name}: {tried} pictures, {haar.missed} without a face, {haar.cropped_before} under {LARGE} pixels"
    )
    return Representative(faces, origin, {})


def check(faces: Grey) -> None:
    """Raise BadInput if these are fewer than 100, are mostly flat, are noise, or were already scaled from 0 to 255."""
    if len(faces) < MIN_IMAGES:
        raise BadInput(f"there are {len(faces)} representative images: at least {MIN_IMAGES} are needed")
    top = float(np.quantile(faces, 0.999))
    if top < _DARKEST_TOP:
        raise BadInput(f"the representative images' levels end at {top:.0f} of 255: they were scaled already")
    flat = sum(float(cv2.meanStdDev(face)[1][0, 0]) < _FLAT for face in faces)
    if 2 * flat > len(faces):
        raise BadInput(f"{flat} of {len(faces)} representative images are of one grey: they show no faces")
    correlation = float(np.median([_correlation(face) for face in faces]))
    if correlation < _LIKE_NOISE:
        raise BadInput(f"the representative images are noise: neighbouring pixels correlate by {correlation:.2f}")


def _correlation(face: Grey) -> float:
    """Return the correlation of neighbouring pixels of a row; 1 for a picture of one grey."""
    left, right = face[:, :-1].astype(np.float64).ravel(), face[:, 1:].astype(np.float64).ravel()
    deviations = left.std() * right.std()
    return float(((left - left.mean()) * (right - right.mean())).mean() / deviations) if deviations else 1.0
