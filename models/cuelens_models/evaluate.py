"""Figures of a model on the held-out faces of a protocol: a bundle on the glasses' runtime, or a `.keras` file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cuelens_models import command, metrics, record
from cuelens_models.bundle import file
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import Grey, model_inputs
from cuelens_models.bundle.scores import Scores, probabilities, softmax
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import PROTOCOLS, label
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet


def evaluate(model: Path, data: FaceData, protocol: str) -> dict[str, Any]:
    """Return the evaluation of a model: protocol, images, accuracy, macro_f1, recall, ece, coverage.

    A model with more labels than the protocol answers among the protocol's own; one with fewer raises BadInput.
    """
    labelled = label(data.held_out, protocol)
    faces = data.held_out.pixels[labelled.chosen]
    if model.suffix == ".keras":
        labels, answers = _keras(model, faces)
    else:
        labels, answers = _bundle(model, faces)
    missing = set(PROTOCOLS[protocol]) - set(labels)
    if missing:
        raise BadInput(f"{model} cannot say {', '.join(sorted(missing))}, which {protocol} asks for")
    asked = answers[:, [labels.index(word) for word in labelled.labels]]
    asked = asked / asked.sum(axis=1, keepdims=True)
    return {
        "protocol": f"{protocol} on {data.held_out_name}",
        "images": len(asked),
        "accuracy": round(metrics.accuracy(asked, labelled.truth), 5),
        "macro_f1": round(metrics.macro_f1(asked, labelled.truth), 5),
        "recall": {
            word: round(value, 5) for word, value in metrics.recall(asked, labelled.truth, labelled.labels).items()
        },
        "ece": round(metrics.ece(asked, labelled.truth), 5),
        "coverage": {share: round(value, 5) for share, value in metrics.coverage(asked, labelled.truth).items()},
    }


def _bundle(path: Path, faces: Grey) -> tuple[Sequence[str], Scores]:
    bundle = file.load(path)
    interpreter = Interpreter(bundle)
    outputs = np.stack([interpreter.outputs(face) for face in faces])
    return bundle.contract.labels, probabilities(outputs, bundle.contract)


def _keras(path: Path, faces: Grey) -> tuple[Sequence[str], Scores]:
    if not path.exists():
        raise BadInput(f"model {path} does not exist")
    said = record.read(path)
    if said is None:
        raise BadInput(f"model {path} does not say what its outputs mean: evaluate a bundle, or what train-model wrote")
    try:
        with tensorflow_quiet():
            import keras
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error

    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:
        # Keras raises whatever its parts raise on a damaged file.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
    wanted = said.float_input(*network.inputs[0].shape[1:])
    logits = network.predict(model_inputs(faces, wanted), batch_size=256, verbose=0)
    return said.labels, softmax(np.asarray(logits, np.float64))
