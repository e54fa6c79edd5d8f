"""Networks that a smaller one can learn from: those that were trained for it, and files of others."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from cuelens_models.bundle import training_record
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.faces import SIDE
from cuelens_models.errors import BadInput
from cuelens_models.train.fit import built, fed
from cuelens_models.train.targets import Head
from cuelens_models.train.teacher_targets import Teacher

_BATCH = 512


def trained(network: keras.Model, heads: tuple[Head, ...], precision: str) -> Teacher:
    """Return a network of ours as a teacher, with its arithmetic in this precision."""
    quick = built(network.name, heads, precision)
    quick.set_weights(network.get_weights())

    def answer(faces: Grey) -> dict[str, Scores]:
        said = quick.predict_on_batch(model_inputs(faces, fed()))
        return {name: softmax(np.asarray(logits, np.float64)) for name, logits in said.items()}

    return Teacher(frozenset(head.name for head in heads), answer)


def opened(path: Path, heads: tuple[Head, ...]) -> Teacher:
    """Return the `.keras` file of any recipe as a teacher. Raises BadInput if it answers none of the heads."""
    said = training_record.read(path)
    if said is None:
        raise BadInput(f"model {path} does not say what its outputs mean: give a .keras file that train-model wrote")
    found = [head.name for head in heads if list(head.labels) == said.labels]
    if not found:
        known = "; ".join(f"{' '.join(head.labels)} ({head.name})" for head in heads)
        raise BadInput(f"model {path} answers {' '.join(said.labels)}: a teacher answers one of {known}")
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:
        # Keras raises whatever its parts raise on a damaged file.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
    wanted = said.float_input(SIDE, SIDE, 1)

    def answer(faces: Grey) -> dict[str, Scores]:
        logits = network.predict_on_batch(model_inputs(faces, wanted))
        return {found[0]: softmax(np.asarray(logits, np.float64))}

    return Teacher(frozenset(found), answer)


def checksum(paths: Sequence[Path]) -> str:
    """Return one SHA-256 of all these files, in whatever order they are given."""
    each = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    return hashlib.sha256("".join(each).encode()).hexdigest() if each else ""
