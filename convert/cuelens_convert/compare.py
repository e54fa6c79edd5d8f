"""The written model against the network it came from, in the runtime of the glasses, on held-out faces."""

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input, Metrics, Parity
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.evaluate import metrics
from cuelens_models.quiet import tensorflow_quiet

_ENOUGH: Final = 100
"""Held-out images that a class needs before its own drop is judged."""
SURE: Final = 0.05
"""A loss is real if chance alone would show one like it less often than this."""
_FACES_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Loss:
    """What one group of images lost. points: of recall, in percentage points. chance: of McNemar's exact test."""

    name: str
    images: int
    points: float
    chance: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be lost: points of accuracy, points of recall in one class; and the least agreement, if it is a gate."""

    drop: float = 0.5
    class_drop: float = 3.0
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """Logits of both models for the held-out faces of a protocol, (n, labels), and the truth (n,).

    A model's not_a_face, which no protocol asks about, is left out. tuned_logits: of the float network after
    fine-tuning, where there was any: agreement is with that.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.intp]
    float_logits: Scores
    converted_logits: Scores
    tuned_logits: Scores | None = None

    @property
    def agreement(self) -> float:
        """Return on how many images both name the same expression, 0 to 1."""
        before = self.float_logits if self.tuned_logits is None else self.tuned_logits
        return float((before.argmax(axis=1) == self.converted_logits.argmax(axis=1)).mean())

    @property
    def largest_difference(self) -> float:
        """Return the largest difference between two logits."""
        before = self.float_logits if self.tuned_logits is None else self.tuned_logits
        return float(np.abs(before - self.converted_logits).max())

    def loss(self) -> Loss:
        """Return what all images lost."""
        return self._loss("all", np.ones(len(self.truth), bool))

    def class_losses(self) -> list[Loss]:
        """Return what each class with enough images lost."""
        return [
            self._loss(label, of)
            for index, label in enumerate(self.labels)
            if (of := self.truth == index).sum() >= _ENOUGH
        ]

    def rare(self) -> Loss | None:
        """Return what the other classes lost together; None if there are none, or no image of them."""
        counts = np.bincount(self.truth, minlength=len(self.labels))
        few = np.flatnonzero((counts > 0) & (counts < _ENOUGH))
        of = np.isin(self.truth, few)
        return self._loss(" + ".join(self.labels[index] for index in few), of) if of.any() else None

    def _loss(self, name: str, of: NDArray[np.bool_]) -> Loss:
        before = (self.float_logits.argmax(axis=1) == self.truth)[of]
        after = (self.converted_logits.argmax(axis=1) == self.truth)[of]
        points = round(100 * float(before.mean() - after.mean()), 3)
        return Loss(name, int(of.sum()), points, mcnemar(int((before & ~after).sum()), int((after & ~before).sum())))

    def parity(self) -> Parity:
        """Return the figures that go into the contract."""
        return Parity(
            images=len(self.truth),
            float_accuracy=round(metrics.accuracy(self.float_logits, self.truth), 5),
            converted_accuracy=round(metrics.accuracy(self.converted_logits, self.truth), 5),
            agreement=round(self.agreement, 5),
            worst_class_drop=round(max((loss.points / 100 for loss in self.class_losses()), default=0.0), 5),
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


def mcnemar(lost: int, won: int) -> float:
    """Return how often chance alone would tell two equal models apart by as much (McNemar 1947, exact, two-sided).

    lost, won: images that only the first, only the second model names rightly.
    """
    both = lost + won
    rarer: int = sum(comb(both, count) for count in range(min(lost, won) + 1))
    return min(1.0, float(2 * rarer / 2**both))


def too_much(judged: Judged, limits: Limits) -> bool:
    """Return whether more than the limits was lost, by chance or not."""
    return judged.loss().points > limits.drop or any(loss.points > limits.class_drop for loss in judged.class_losses())


def refusal(judged: Judged, limits: Limits) -> str | None:
    """Return why a conversion is refused, None if it is not. A loss counts if chance alone would not show it."""
    whole = judged.loss()
    if whole.points > limits.drop and whole.chance < SURE:
        return (
            f"it loses {whole.points:.2f} points of accuracy on {whole.images} images (p {whole.chance:.1g}),"
            f" {limits.drop:g} are allowed (--max-drop)"
        )
    for loss in judged.class_losses():
        if loss.points > limits.class_drop and loss.chance < SURE:
            return (
                f"it loses {loss.points:.2f} points of recall of {loss.name} on {loss.images} images"
                f" (p {loss.chance:.1g}), {limits.class_drop:g} are allowed (--max-class-drop)"
            )
    if limits.agreement is not None and 100 * judged.agreement < limits.agreement:
        return (
            f"it agrees with the network on {judged.agreement:.2%} of {whole.images} images,"
            f" {limits.agreement:g} % are asked for (--min-agreement)"
        )
    return None


def float_logits(network: Any, faces: Grey, wanted: Input, *, probabilities: bool) -> Scores:
    """Return what a float network says of faces (n, height, width): (n, outputs), as logits."""
    with tensorflow_quiet():
        answers = network.predict(model_inputs(faces, wanted), batch_size=_FACES_AT_ONCE, verbose=0)
    return _logits(np.asarray(answers, np.float64), probabilities=probabilities)


def converted_logits(interpreter: Interpreter, faces: Grey, step: Callable[[], None]) -> Scores:
    """Return what the written model says, one face at a time as on the glasses: (n, outputs), as logits."""
    answers = []
    for face in faces:
        answers.append(interpreter.outputs(face))
        step()
    return _logits(np.stack(answers), probabilities=interpreter.contract.output.kind == "probabilities")


def _logits(answers: Scores, *, probabilities: bool) -> Scores:
    return np.log(np.maximum(answers, 1e-7)) if probabilities else answers
