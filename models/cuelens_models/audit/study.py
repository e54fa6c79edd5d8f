"""What networks say about faces that they did not learn from: each fold is judged by one that learned the others."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.faces import Faces, joined
from cuelens_models.data.load import FaceData
from cuelens_models.progress import Steps
from cuelens_models.train.budget import Schedule
from cuelens_models.train.distilled import heads_for, learn
from cuelens_models.train.targets import Head
from cuelens_models.zoo import cuelens


@dataclass(frozen=True, slots=True)
class Studied:
    """Faces and what was said of them. head: that answered. probabilities: (n, its labels). features: (n, features).

    fold: by which network, (n,). Features of different folds cannot be compared.
    """

    faces: Faces
    head: Head
    probabilities: Scores
    features: Scores
    fold: NDArray[np.intp]


def study(data: FaceData, out: Path, folds: int, schedule: Schedule, steps: Steps) -> Studied:
    """Train a network for each fold of the training part in a folder of its own, and ask it about that fold.

    schedule: of each; a network that was trained before is not trained again.
    """
    faces = joined(data.training, data.inner)
    head = heads_for(data)[0]
    fold = np.random.default_rng(schedule.seed).permutation(len(faces)) % folds
    probabilities = np.empty((len(faces), len(head.labels)))
    features: list[Scores] = [np.empty(0)] * len(faces)
    for number in range(folds):
        mine = np.flatnonzero(fold == number)
        others = replace(data, training=faces.take(np.flatnonzero(fold != number)), inner=faces.take(mine))
        steps.stage(f"fold {number + 1} of {folds}")
        run, _ = learn(others, out / f"fold-{number + 1}", schedule, steps)
        for face, (said, seen) in zip(mine, _asked(run.best(), head, faces.take(mine)), strict=True):
            probabilities[face], features[face] = said, seen
    return Studied(faces, head, probabilities, np.stack(features), fold)


def _asked(network: keras.Model, head: Head, faces: Faces) -> Iterator[tuple[Scores, Scores]]:
    both = keras.Model(network.inputs, [network.get_layer(head.name).output, network.get_layer("average").output])
    logits, features = both.predict(model_inputs(faces.pixels, cuelens.INPUT), batch_size=256, verbose=0)
    return zip(softmax(np.asarray(logits, np.float64)), np.asarray(features, np.float64), strict=True)


def schedule_of(epochs: int, seed: int, precision: str) -> Schedule:
    """Return how each network is trained: ours, on what people said alone."""
    return Schedule(cuelens.NAME, epochs, 0, 0, seed, precision)
