"""A model under evaluation: a bundle in the runtime of the glasses, or a `.keras` file that train-model wrote."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cuelens_models import command
from cuelens_models.bundle import file, training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, log_probabilities, log_softmax
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.errors import BadInput
from cuelens_models.evaluate import cost
from cuelens_models.evaluate.cost import Cost
from cuelens_models.quiet import tensorflow_quiet

Advance = Callable[[int], None]
"""A callback for progress: takes the number of faces answered since the last call."""
Answer = Callable[[Grey, Advance], Scores]
"""Takes cropped faces, uint8 (n, 48, 48); returns log-probabilities over the model's labels, (n, labels)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An opened model.

    recipe, learned_from: the recipe and the training data that its file names. enter: the threshold of each label, from
    a bundle or a published recipe; None without thresholds. record: of the training; None if it is not found.
    """

    path: Path
    title: str
    recipe: str
    learned_from: str
    labels: tuple[str, ...]
    input: Input
    enter: dict[str, float] | None
    answer: Answer
    cost: Cost
    record: TrainingRecord | None


def open_candidate(path: Path) -> Candidate:
    """Open a model file. Raises BadInput (BadBundle for a bundle) if it is unusable, MissingExtra without Keras."""
    return _keras(path) if path.suffix == ".keras" else _bundle(path)


def _bundle(path: Path) -> Candidate:
    bundle = file.load(path)
    contract = bundle.contract
    interpreter = Interpreter(bundle)

    def answer(faces: Grey, advance: Advance) -> Scores:
        outputs = np.empty((len(faces), len(contract.labels)))
        for place, face in enumerate(faces):
            outputs[place] = interpreter.outputs(face)
            advance(1)
        return log_probabilities(outputs, contract)

    return Candidate(
        path,
        contract.title(),
        contract.provenance.recipe,
        contract.provenance.data,
        tuple(contract.labels),
        contract.input,
        dict(contract.probabilities.enter),
        answer,
        cost.tflite_cost(bundle.model, path.stat().st_size),
        _source(path.with_suffix(".keras"), contract.provenance.source_sha256),
    )


def _source(keras_file: Path, sha256: str) -> TrainingRecord | None:
    """Return the training record of the network that a bundle was made from, if that network lies beside the bundle."""
    if not keras_file.is_file() or hashlib.sha256(keras_file.read_bytes()).hexdigest() != sha256:
        return None
    return training_record.read(keras_file)


def _keras(path: Path) -> Candidate:
    if not path.exists():
        raise BadInput(f"model {path} does not exist")
    record = training_record.read(path)
    if record is None:
        raise BadInput(f"model {path} does not say what its outputs mean: evaluate a bundle, or what train-model wrote")
    network = _network(path)
    model_input = record.float_input(*network.inputs[0].shape[1:])

    def answer(faces: Grey, advance: Advance) -> Scores:
        with tensorflow_quiet():
            logits = network.predict(model_inputs(faces, model_input), batch_size=256, verbose=0)
        advance(len(faces))
        return log_softmax(np.asarray(logits, np.float64))

    # Multiply-adds are counted in the bundle, which is what the glasses run.
    keras_cost = Cost(int(network.count_params()), None, path.stat().st_size)
    return Candidate(
        path,
        record.recipe,
        f"{record.recipe}, {record.epochs} epochs, seed {record.seed}",
        record.data,
        tuple(record.labels),
        model_input,
        record.enter,
        answer,
        keras_cost,
        record,
    )


def _network(path: Path) -> Any:
    try:
        with tensorflow_quiet():
            import keras
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        # On a damaged file Keras lets errors of every type through.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
