"""Representative images: the faces on which int8 conversion measures the ranges of the activations."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.faces import Faces
from cuelens_models.data.protocols import label
from cuelens_models.errors import BadInput

LEAST: Final = 100
"""Fewer faces than this leave ranges unseen, and cost points that are hard to explain later."""


def choose(training: Faces, protocol: str, wanted: Input, count: int, seed: int) -> NDArray[np.float32]:
    """Return up to `count` training faces as float model input, balanced over the classes, chosen by `seed`.

    Raises BadInput if there are fewer than 100, or if they show one class only.
    """
    labelled = label(training, protocol)
    random = np.random.default_rng(seed)
    queues = [
        random.permutation(labelled.chosen[labelled.truth == index]).tolist() for index in range(len(labelled.labels))
    ]
    queues = [queue for queue in queues if queue]
    chosen: list[int] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop() for queue in queues if queue][: count - len(chosen)]
    if len(chosen) < LEAST or len(queues) < 2:
        raise BadInput(
            f"{len(chosen)} representative images of {len(queues)} classes are too few: {LEAST} of two are needed"
        )
    inputs = model_inputs(training.pixels[np.array(chosen)], wanted)
    return np.asarray(inputs, dtype=np.float32)
