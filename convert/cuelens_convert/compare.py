"""The written model against the network it came from, in the runtime of the glasses, on held-out faces."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models import metrics
from cuelens_models.bundle.contract import Input, Metrics, Parity
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.faces import Faces
from cuelens_models.data.protocols import label
from cuelens_models.errors import Refused

_ENOUGH: Final = 100
"""Held-out images that a class needs before its own drop is judged."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Logits of both models for the held-out faces of a protocol, (n, labels), and the truth (n,).

    A model's not_a_face, which no protocol asks about, is left out.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.intp]
    float_logits: Scores
    converted_logits: Scores

    def parity(self) -> Parity:
        """Return the figures that go into the contract."""
        right = self.float_logits.argmax(axis=1) == self.truth
        converted_right = self.converted_logits.argmax(axis=1) == self.truth
        drops = [
            float(right[of].mean() - converted_right[of].mean())
            for index in range(len(self.labels))
            if (of := self.truth == index).sum() >= _ENOUGH
        ]
        return Parity(
            images=len(self.truth),
            float_accuracy=round(float(right.mean()), 5),
            converted_accuracy=round(float(converted_right.mean()), 5),
            agreement=round(
                float((self.float_logits.argmax(axis=1) == self.converted_logits.argmax(axis=1)).mean()), 5
            ),
            worst_class_drop=round(max(drops, default=0.0), 5),
        )

    def scored(self, protocol: str, temperature: float) -> Metrics:
        """Return what the converted model scores."""
        probabilities = softmax(self.converted_logits, temperature)
        return Metrics(
            protocol=protocol,
            images=len(self.truth),
            accuracy=round(metrics.accuracy(probabilities, self.truth), 5),
            macro_f1=round(metrics.macro_f1(probabilities, self.truth), 5),
            ece=round(metrics.ece(probabilities, self.truth), 5),
        )


def converted_logits(interpreter: Interpreter, faces: Faces, step: Callable[[], None]) -> Scores:
    """Return (n, outputs) of the written model, one face at a time as on the glasses."""
    answers = []
    for face in faces.pixels:
        answers.append(interpreter.outputs(face))
        step()
    return np.stack(answers)


def judge(
    network: keras.Model,
    wanted: Input,
    interpreter: Interpreter,
    held_out: Faces,
    protocol: str,
    step: Callable[[], None],
) -> Judged:
    """Run both models on the held-out faces of a protocol."""
    labelled = label(held_out, protocol)
    faces = held_out.take(labelled.chosen)
    # The network has a static batch of one.
    floats = network.predict(model_inputs(faces.pixels, wanted), batch_size=1, verbose=0)
    asked = len(labelled.labels)
    return Judged(
        labelled.labels,
        labelled.truth,
        np.asarray(floats, np.float64)[:, :asked],
        converted_logits(interpreter, faces, step)[:, :asked],
    )


def gate(parity: Parity, max_drop: float, max_class_drop: float) -> None:
    """Raise Refused if accuracy fell by more than `max_drop` points, or one class by more than `max_class_drop`."""
    # Parity has five digits; what floats make of their difference is cut off.
    drop = round(100 * (parity.float_accuracy - parity.converted_accuracy), 3)
    if drop > max_drop:
        raise Refused(
            f"int8 loses {drop:.2f} points of accuracy, {max_drop:g} are allowed (--max-drop): nothing was written"
        )
    if round(100 * parity.worst_class_drop, 3) > max_class_drop:
        raise Refused(
            f"int8 loses {100 * parity.worst_class_drop:.2f} points of recall in one class,"
            f" {max_class_drop:g} are allowed (--max-class-drop): nothing was written"
        )
