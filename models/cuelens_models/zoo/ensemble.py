"""Several trained networks as one: the logarithms of their mean probabilities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import keras
import msgspec
from keras import layers, ops

from cuelens_models.bundle import training_record
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.errors import BadInput

NAME: Final = "ensemble"
_LEAST: Final = 1e-6
"""The least probability, so that its logarithm stays finite."""


def joined(members: Sequence[Path]) -> tuple[keras.Model, TrainingRecord]:
    """Return the ensemble of `.keras` files that train-model wrote, and its training record.

    Raises BadInput if there are fewer than two, or if their inputs or their labels differ.
    """
    if len(members) < 2:
        raise BadInput("an ensemble has two members at least (--members)")
    records = [_record(path) for path in members]
    first = records[0]
    for path, other in zip(members[1:], records[1:], strict=True):
        if other.labels != first.labels:
            raise BadInput(f"{path} answers {' '.join(other.labels)}, {members[0]} answers {' '.join(first.labels)}")
        if other.float_input(48, 48, 1) != first.float_input(48, 48, 1):
            raise BadInput(f"{path} and {members[0]} are not fed alike: they cannot be one network")
    face = keras.Input((48, 48, 1), name="face")
    probabilities = []
    for number, path in enumerate(members, start=1):
        network = keras.models.load_model(path, compile=False)
        network.name = f"member{number}"
        probabilities.append(layers.Softmax(name=f"believed{number}")(network(face)))
    mean = layers.Average(name="mean")(probabilities)
    data = ", ".join(dict.fromkeys(one.data for one in records))
    record = msgspec.structs.replace(first, recipe=NAME, epochs=0, seed=0, device="", enter=None, curve=[], data=data)
    return keras.Model(face, ops.log(ops.maximum(mean, _LEAST)), name=NAME), record


def _record(path: Path) -> TrainingRecord:
    record = training_record.read(path)
    if record is None:
        raise BadInput(f"model {path} does not say what its outputs mean: give a .keras file that train-model wrote")
    return record
