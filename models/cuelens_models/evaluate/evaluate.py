"""The evaluation of a model on the held-out faces of a protocol."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import Scores, softmax
from cuelens_models.data.corruptions import CORRUPTIONS, NONE, corrupt
from cuelens_models.data.load import HeldOut
from cuelens_models.data.protocols import PROTOCOLS, LabelledFaces, exclusions, label
from cuelens_models.errors import BadInput
from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.candidate import Candidate
from cuelens_models.evaluate.intervals import COVERED, Intervals, intervals
from cuelens_models.progress import Recorder, Steps

_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Apart:
    """Pictures in which the detector found no face.

    images: number of those that count under the protocol. accuracy: of the whole pictures; None if there are none.
    """

    images: int
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answers of a model on the n images of a protocol, and their accuracy.

    indices: of these images among the held-out faces, (n,). truth: indices into labels, (n,). full_probabilities: over
    all labels of the model, (n, model's labels). probabilities: over the protocol's labels only, (n, labels).
    robustness: accuracy by corruption, "none" first, and alone unless corruptions were asked for. exclusions: number of
    faces outside the protocol, by label. apart: pictures without a face that the detector found; the glasses would not
    read them, and no other figure includes them.
    """

    model: Candidate
    data: HeldOut
    protocol: str
    labels: tuple[str, ...]
    indices: NDArray[np.intp]
    truth: NDArray[np.intp]
    full_probabilities: Scores
    probabilities: Scores
    intervals: Intervals
    robustness: dict[str, float]
    exclusions: dict[str, int]
    apart: Apart

    @property
    def words(self) -> NDArray[np.str_]:
        """The true labels as words, (n,)."""
        return np.array(self.labels)[self.truth]


def evaluate(
    model: Candidate, data: HeldOut, protocol: str, steps: Steps | None = None, *, corruptions: bool = False
) -> Evaluation:
    """Evaluate a model on the held-out faces of a protocol, uncorrupted and, on request, under each corruption.

    Labels of the model that the protocol lacks are left out, and the other probabilities scaled to sum to 1.

    Args:
        model: with at least the labels of the protocol.
        data: the held-out faces.
        protocol: a key of PROTOCOLS.
        steps: progress; a stage for each corruption.
        corruptions: run the model under each corruption too, which takes eight times as many answers more.

    Raises:
        BadInput: if the model lacks a label of the protocol, or the detector found no face in any picture.
    """
    steps = steps or Recorder()
    check_protocol(model, protocol)
    every = label(data.faces, protocol)
    unread = np.isin(every.indices, data.missed)
    if unread.all():
        raise BadInput(f"{data.name}: no face is found in any of its {len(unread)} pictures: are they cropped faces?")
    labelled = LabelledFaces(every.labels, every.indices[~unread], every.truth[~unread])
    faces = data.faces.pixels[labelled.indices]
    columns = [model.labels.index(word) for word in labelled.labels]
    robustness = {}
    full_probabilities = probabilities = np.empty((0, 0))
    for name in (NONE, *(CORRUPTIONS if corruptions else ())):
        steps.stage("faces as they are" if name == NONE else f"faces with {name.replace('_', ' ')}", len(faces))
        answers = model.answer(corrupt(faces, name), steps.advance)
        # At a low temperature all of these may be too small for a number: only their logarithms have a sum.
        restricted = softmax(answers[:, columns])
        robustness[name] = metrics.accuracy(restricted, labelled.truth)
        if name == NONE:
            full_probabilities, probabilities = np.exp(answers), restricted
    steps.stage("intervals")
    return Evaluation(
        model,
        data,
        protocol,
        labelled.labels,
        labelled.indices,
        labelled.truth,
        full_probabilities,
        probabilities,
        intervals(probabilities, labelled.truth, labelled.labels),
        robustness,
        exclusions(data.faces, every, protocol),
        _apart(model, data.faces.pixels[every.indices[unread]], every.truth[unread], columns),
    )


def check_protocol(model: Candidate, protocol: str) -> None:
    """Raise BadInput if the model lacks a label of the protocol."""
    missing = [word for word in PROTOCOLS[protocol] if word not in model.labels]
    if missing:
        raise BadInput(f"{model.path} cannot say {', '.join(sorted(missing))}, which {protocol} asks for")


def _apart(model: Candidate, pictures: Grey, truth: NDArray[np.intp], columns: list[int]) -> Apart:
    if len(pictures) == 0:
        return Apart(0, None)
    answers = model.answer(pictures, lambda _: None)
    return Apart(len(pictures), metrics.accuracy(answers[:, columns], truth))


def figures(evaluation: Evaluation, crop: dict[str, str | int] | None = None) -> dict[str, Any]:
    """Return the figures as plain data: fractions rounded to five digits.

    crop: counts of the detector, if it was used. `ece` is the plug-in estimator: of the sample itself, which chance
    makes too great; its interval is of the ECE without chance, and includes it. `ties` counts the images with two or
    more equal top outputs. `said` is None without thresholds, `not_a_face` without that label.
    """
    probabilities, truth, labels = evaluation.probabilities, evaluation.truth, evaluation.labels
    bounds = evaluation.intervals
    report = {
        "protocol": f"{evaluation.protocol} on {evaluation.data.part}",
        "images": len(truth),
        "accuracy": metrics.accuracy(probabilities, truth),
        "macro_f1": metrics.macro_f1(probabilities, truth),
        "recall": metrics.recall(probabilities, truth, labels),
        "ece": metrics.ece(probabilities, truth),
        "coverage": metrics.coverage(probabilities, truth),
        "macro_f1_all": metrics.macro_f1(probabilities, truth, least=1),
        "macro_recall": metrics.macro_recall(probabilities, truth),
        "auc": metrics.auc(probabilities, truth, labels),
        "precision": metrics.precision(probabilities, truth, labels),
        "f1": metrics.f1(probabilities, truth, labels),
        "said": _cue_figures(evaluation),
        "not_a_face": _not_a_face(evaluation),
        "intervals": {
            "accuracy": bounds.accuracy,
            "macro_f1": bounds.macro_f1,
            "macro_f1_all": bounds.macro_f1_all,
            "macro_recall": bounds.macro_recall,
            "ece": bounds.ece,
            "coverage": {f"{COVERED:g}": bounds.coverage},
            "recall": bounds.recall,
        },
        "robustness": evaluation.robustness,
        "cost": {
            "parameters": evaluation.model.cost.parameters,
            "multiply_adds": evaluation.model.cost.multiply_adds,
            "bytes": evaluation.model.cost.bytes,
        },
        "ties": metrics.ties(probabilities),
        **({"crop": {**crop, "not_found_accuracy": evaluation.apart.accuracy}} if crop else {}),
        "notes": _notes(evaluation),
    }
    return {name: _rounded(value) for name, value in report.items()}


def _cue_figures(evaluation: Evaluation) -> dict[str, float | None] | None:
    """Return the share of images that would get a cue, and the accuracy of those cues; None without thresholds."""
    model = evaluation.model
    if model.enter is None:
        return None
    words = metrics.spoken(evaluation.full_probabilities, model.labels, model.enter)
    cues = metrics.cue_figures(words, evaluation.words)
    return {"share": cues.share, "accuracy": cues.accuracy}


def _not_a_face(evaluation: Evaluation) -> float | None:
    """Return the share of images that the model takes for no face; None if it has no such label."""
    labels = evaluation.model.labels
    if NOT_A_FACE not in labels:
        return None
    return float((evaluation.full_probabilities.argmax(axis=1) == labels.index(NOT_A_FACE)).mean())


def _notes(evaluation: Evaluation) -> list[str]:
    """Return remarks about the data, sentences without a full stop."""
    data, outside = evaluation.data, evaluation.exclusions
    notes = list(data.notes)
    if outside:
        kinds = ", ".join(f"{word} {count}" for word, count in outside.items())
        total = f"{sum(outside.values())} of {len(data.faces)}"
        notes.append(f"{total} faces do not count under {evaluation.protocol} ({kinds})")
    if np.bincount(evaluation.truth, minlength=1).max() < metrics.ENOUGH:
        notes.append(f"macro-F1 is 0 because no expression has {metrics.ENOUGH} images: take that over all classes")
    return notes


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_rounded(inner) for inner in value]
    return value
