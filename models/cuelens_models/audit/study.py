"""Cross-validation: the faces of each fold are predicted by a network that was trained on the other folds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.faces import Faces, concatenate
from cuelens_models.data.load import FaceData
from cuelens_models.progress import Steps
from cuelens_models.train.budget import Schedule
from cuelens_models.train.distilled import RECIPES, learn
from cuelens_models.train.targets import Head, heads_for
from cuelens_models.zoo import cuelens


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Faces with predictions of networks that were not trained on them.

    head: of the networks. probabilities: (n, labels of the head). features: (n, features); those of different folds
    cannot be compared. fold: of each face, (n,).
    """

    faces: Faces
    head: Head
    probabilities: Scores
    features: Scores
    fold: NDArray[np.intp]


def cross_validate(data: FaceData, out: Path, folds: int, schedule: Schedule, steps: Steps) -> OutOfFold:
    """Train a network for each fold of the training part, without that fold, and predict the fold with it.

    Args:
        data: its training part is divided, the inner split included.
        out: holds a folder for each network. A network that is already trained is not trained again.
        folds: their number.
        schedule: of each training.
        steps: progress; a stage for each fold.
    """
    faces = concatenate(data.training, data.inner)
    head = heads_for(data)[0]
    # What the votes say is asked: rare labels count as all others do, and mirror images would take twice the time.
    recipe = replace(RECIPES[cuelens.NAME], batch=cuelens.CONTROL.batch, mirror=0.0, rarity=0.0)
    fold = np.random.default_rng(schedule.seed).permutation(len(faces)) % folds
    probabilities = np.empty((len(faces), len(head.labels)))
    features: list[Scores] = [np.empty(0)] * len(faces)
    for number in range(folds):
        indices = np.flatnonzero(fold == number)
        others = replace(data, training=faces.take(np.flatnonzero(fold != number)), inner=faces.take(indices))
        steps.stage(f"fold {number + 1} of {folds}")
        run, _ = learn(others, out / f"fold-{number + 1}", schedule, steps, recipes={cuelens.NAME: recipe})
        for face, prediction in zip(indices, _predict(run.best(), head, faces.take(indices)), strict=True):
            probabilities[face], features[face] = prediction
    return OutOfFold(faces, head, probabilities, np.stack(features), fold)


def _predict(network: keras.Model, head: Head, faces: Faces) -> Iterator[tuple[Scores, Scores]]:
    """Yield the probabilities and the features of each face."""
    both = keras.Model(network.inputs, [network.get_layer(head.name).output, network.get_layer("average").output])
    logits, features = both.predict(model_inputs(faces.pixels, cuelens.INPUT), batch_size=256, verbose=0)
    return zip(softmax(np.asarray(logits, np.float64)), np.asarray(features, np.float64), strict=True)


def schedule_of(epochs: int, seed: int, precision: str) -> Schedule:
    """Return the schedule of each training: of our own network, on the labels by people, without a teacher."""
    return Schedule(cuelens.NAME, epochs, 0, 0, seed, precision)
