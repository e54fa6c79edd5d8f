"""Comparison of the converted model, in the runtime of the glasses, with the float network, on held-out faces."""

from collections.abc import Callable
from dataclasses import dataclass
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

MIN_CLASS_IMAGES: Final = 100
"""Held-out images below which a class is pooled with other rare ones."""
_SIGNIFICANCE: Final = 0.05
"""Significance level of McNemar's test."""
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class Loss:
    """Loss on one group of images. points: percentage points of recall. chance: p-value of McNemar's exact test."""

    name: str
    images: int
    points: float
    chance: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest loss of accuracy and of recall in one class, in percentage points; least agreement, in percent."""

    drop: float = 0.5
    class_drop: float = 3.0
    agreement: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Logits of both models for the held-out faces of a protocol, (n, labels), and the true labels, (n,).

    The output not_a_face is left out: no protocol evaluates it. tuned_logits: of the fine-tuned float network, None
    without fine-tuning. Agreement is with the network that was converted, so with the fine-tuned one if there is one.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.intp]
    float_logits: Scores
    converted_logits: Scores
    tuned_logits: Scores | None = None

    @property
    def agreement(self) -> float:
        """Return the share of images on which both models name the same expression, 0 to 1."""
        return float((self._before.argmax(axis=1) == self.converted_logits.argmax(axis=1)).mean())

    @property
    def largest_difference(self) -> float:
        """Return the largest difference between two logits."""
        return float(np.abs(self._before - self.converted_logits).max())

    @property
    def _before(self) -> Scores:
        return self.float_logits if self.tuned_logits is None else self.tuned_logits

    def loss(self) -> Loss:
        """Return the loss on all images."""
        return self._loss("all", np.ones(len(self.truth), bool))

    def class_losses(self) -> list[Loss]:
        """Return the loss of each class that has at least 100 images."""
        return [
            self._loss(label, group)
            for index, label in enumerate(self.labels)
            if (group := self.truth == index).sum() >= MIN_CLASS_IMAGES
        ]

    def rare(self) -> Loss | None:
        """Return the accuracy that conversion costs the classes with few images, pooled; None without such images."""
        counts = np.bincount(self.truth, minlength=len(self.labels))
        few = np.flatnonzero((counts > 0) & (counts < MIN_CLASS_IMAGES))
        group = np.isin(self.truth, few)
        return self._loss(" + ".join(self.labels[index] for index in few), group) if group.any() else None

    def _loss(self, name: str, group: NDArray[np.bool_]) -> Loss:
        before = (self.float_logits.argmax(axis=1) == self.truth)[group]
        after = (self.converted_logits.argmax(axis=1) == self.truth)[group]
        points = round(100 * float(before.mean() - after.mean()), 3)
        return Loss(name, int(group.sum()), points, mcnemar(int((before & ~after).sum()), int((after & ~before).sum())))

    def parity(self) -> Parity:
        """Return the figures of this comparison for the contract."""
        return Parity(
            images=len(self.truth),
            float_accuracy=round(metrics.accuracy(self.float_logits, self.truth), 5),
            converted_accuracy=round(metrics.accuracy(self.converted_logits, self.truth), 5),
            agreement=round(self.agreement, 5),
            worst_class_drop=round(max((loss.points / 100 for loss in self.class_losses()), default=0.0), 5),
        )

    def measure(self, protocol: str, temperature: float) -> Metrics:
        """Return the metrics that the contract states: those of the converted model, at a softmax temperature."""
        probabilities = softmax(self.converted_logits, temperature)
        return Metrics(
            protocol=protocol,
            images=len(self.truth),
            accuracy=round(metrics.accuracy(probabilities, self.truth), 5),
            macro_f1=round(metrics.macro_f1(probabilities, self.truth), 5),
            ece=round(metrics.ece(probabilities, self.truth), 5),
        )


def mcnemar(lost: int, won: int) -> float:
    """Return the p-value of McNemar's test that two models are equally accurate (McNemar 1947, exact, two-sided).

    lost, won: images on which only the first, only the second model is right.
    """
    discordant = lost + won
    tail = ways = 1
    for count in range(min(lost, won)):
        ways = ways * (discordant - count) // (count + 1)
        tail += ways
    return min(1.0, float(2 * tail / 2**discordant))


def exceeds(comparison: Comparison, limits: Limits) -> bool:
    """Return whether the loss exceeds the limits, significant or not."""
    classes = comparison.class_losses()
    return comparison.loss().points > limits.drop or any(loss.points > limits.class_drop for loss in classes)


def refusal(comparison: Comparison, limits: Limits) -> str | None:
    """Return why a conversion is refused, None if it is not. A loss counts only if it is significant."""
    whole = comparison.loss()
    if whole.points > limits.drop and whole.chance < _SIGNIFICANCE:
        return (
            f"it loses {whole.points:.2f} points of accuracy on {whole.images} images (p {whole.chance:.1g}),"
            f" {limits.drop:g} are allowed (--max-drop)"
        )
    for loss in comparison.class_losses():
        if loss.points > limits.class_drop and loss.chance < _SIGNIFICANCE:
            return (
                f"it loses {loss.points:.2f} points of recall of {loss.name} on {loss.images} images"
                f" (p {loss.chance:.1g}), {limits.class_drop:g} are allowed (--max-class-drop)"
            )
    if limits.agreement is not None and 100 * comparison.agreement < limits.agreement:
        return (
            f"it agrees with the network on {comparison.agreement:.2%} of {whole.images} images,"
            f" {limits.agreement:g} % are required (--min-agreement)"
        )
    return None


def float_logits(infer: Callable[[Any], Any], faces: Grey, contract: Input, *, probabilities: bool) -> Scores:
    """Return the logits of a float network, (n, outputs).

    Args:
        infer: the network's inference.
        faces: uint8 (n, height, width).
        contract: of its input.
        probabilities: the network outputs those; their logarithm is returned.
    """
    inputs = model_inputs(faces, contract)
    with tensorflow_quiet():
        batches = [np.asarray(infer(inputs[n : n + _BATCH])) for n in range(0, len(inputs), _BATCH)]
    return _logits(np.concatenate(batches).astype(np.float64), probabilities=probabilities)


def converted_logits(interpreter: Interpreter, faces: Grey, step: Callable[[], None]) -> Scores:
    """Return the logits of the converted model, (n, outputs), run on one face at a time as on the glasses.

    Args:
        interpreter: of the model.
        faces: uint8 (n, height, width).
        step: called after each face.
    """
    outputs = []
    for face in faces:
        outputs.append(interpreter.outputs(face))
        step()
    return _logits(np.stack(outputs), probabilities=interpreter.contract.output.kind == "probabilities")


def _logits(outputs: Scores, *, probabilities: bool) -> Scores:
    return np.log(np.maximum(outputs, 1e-7)) if probabilities else outputs
