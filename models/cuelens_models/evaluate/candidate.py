"""A model that is to be measured: a bundle on the glasses' runtime, or a `.keras` file that train-model wrote."""

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
from cuelens_models.bundle.scores import Scores, probabilities, softmax
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.errors import BadInput
from cuelens_models.evaluate import cost
from cuelens_models.evaluate.cost import Cost
from cuelens_models.quiet import tensorflow_quiet

Advance = Callable[[int], None]
"""Called with the number of faces that were answered since the last call."""
Answer = Callable[[Grey, Advance], Scores]
"""Probabilities over the model's labels, (n, labels), for cropped faces, uint8 (n, 48, 48)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An opened model.

    recipe, learned_from: what its file says of its training. enter: the thresholds of a bundle or of a published
    recipe, None where there are none. trained: the record of the training, where it is there.
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
    trained: TrainingRecord | None


def open_candidate(path: Path) -> Candidate:
    """Open a model. Raises BadInput (BadBundle for a bundle) if it cannot be used, MissingExtra without Keras."""
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
        return probabilities(outputs, contract)

    return Candidate(
        path,
        contract.title(),
        contract.provenance.recipe,
        contract.provenance.data,
        tuple(contract.labels),
        contract.input,
        dict(contract.probabilities.enter),
        answer,
        cost.written(bundle.model, path.stat().st_size),
        _source(path.with_suffix(".keras"), contract.provenance.source_sha256),
    )


def _source(keras_file: Path, sha256: str) -> TrainingRecord | None:
    """Return the record of the network that a bundle was made from, if it lies beside the bundle."""
    if not keras_file.is_file() or hashlib.sha256(keras_file.read_bytes()).hexdigest() != sha256:
        return None
    return training_record.read(keras_file)


def _keras(path: Path) -> Candidate:
    if not path.exists():
        raise BadInput(f"model {path} does not exist")
    said = training_record.read(path)
    if said is None:
        raise BadInput(f"model {path} does not say what its outputs mean: evaluate a bundle, or what train-model wrote")
    network = _network(path)
    wanted = said.float_input(*network.inputs[0].shape[1:])

    def answer(faces: Grey, advance: Advance) -> Scores:
        with tensorflow_quiet():
            logits = network.predict(model_inputs(faces, wanted), batch_size=256, verbose=0)
        advance(len(faces))
        return softmax(np.asarray(logits, np.float64))

    # Multiply-adds are counted on what is written for the glasses.
    price = Cost(int(network.count_params()), None, path.stat().st_size)
    recipe = f"{said.recipe}, {said.epochs} epochs, seed {said.seed}"
    return Candidate(path, said.recipe, recipe, said.data, tuple(said.labels), wanted, said.enter, answer, price, said)


def _network(path: Path) -> Any:
    try:
        with tensorflow_quiet():
            import keras
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:
        # Keras raises whatever its parts raise on a damaged file.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
