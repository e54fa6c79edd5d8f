"""The rows of the tables of a page. Figures are fractions; the templates write them as percentages."""

import base64
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.evaluate import Evaluation
from cuelens_models.evaluate.metrics import Interval

_WORST: Final = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval. value: None if it cannot be computed."""

    value: float | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class ClassRow:
    """The figures of one label that some images show."""

    label: str
    images: int
    precision: Measured
    recall: Measured
    f1: Measured
    auc: Measured


@dataclass(frozen=True, slots=True)
class CueRow:
    """The cues for one label. share: of all images. accuracy: of these cues; None if there are none."""

    label: str
    threshold: float | None
    share: float
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer. index: of the face in the held-out part. png: the face, base64; empty unless faces are shown."""

    index: int
    shown: str
    read: str
    confidence: float
    png: str


def classes(evaluation: Evaluation) -> list[ClassRow]:
    """Return precision, recall, F1 and AUC of each label that some images show."""
    answers = (evaluation.probabilities, evaluation.truth, evaluation.labels)
    precision, f1, auc = metrics.precision(*answers), metrics.f1(*answers), metrics.auc(*answers)
    intervals = evaluation.intervals
    return [
        ClassRow(
            label,
            int((evaluation.words == label).sum()),
            Measured(precision.get(label), intervals.precision[label]),
            Measured(recall, intervals.recall[label]),
            Measured(f1[label], intervals.f1[label]),
            Measured(auc.get(label), intervals.auc[label]),
        )
        for label, recall in metrics.recall(*answers).items()
    ]


def confusion(truth: NDArray[np.intp], answers: NDArray[np.intp], size: int) -> list[list[int]]:
    """Return the confusion matrix: how many images of each label (row) got which answer (column).

    Args:
        truth: indices into the labels, (n,).
        answers: indices into the labels, (n,).
        size: number of labels.
    """
    counts: list[list[int]] = np.bincount(truth * size + answers, minlength=size * size).reshape(size, size).tolist()
    return counts


def cues(evaluation: Evaluation) -> list[CueRow] | None:
    """Return the cues at each label's threshold, and those of all labels together; None without thresholds."""
    enter = evaluation.model.enter
    if enter is None:
        return None
    words = metrics.spoken(evaluation.full_probabilities, evaluation.model.labels, enter)
    rows = []
    for label in evaluation.model.labels:
        if label in metrics.SILENT:
            continue
        cued = words == label
        right = float((evaluation.words == label)[cued].mean()) if cued.any() else None
        rows.append(CueRow(label, enter[label], float(cued.mean()), right))
    total = metrics.cue_figures(words, evaluation.words)
    return [*rows, CueRow("anything", None, total.share, total.accuracy)]


def mistakes(evaluation: Evaluation, *, show_faces: bool) -> list[Mistake]:
    """Return the wrong answers with the highest confidence. show_faces: with a PNG of each face."""
    answers, confidence = evaluation.probabilities.argmax(axis=1), evaluation.probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != evaluation.truth)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:_WORST]
    rows = []
    for place in worst.tolist():
        index = int(evaluation.indices[place])
        shown, read = evaluation.labels[evaluation.truth[place]], evaluation.labels[answers[place]]
        png = cv2.imencode(".png", evaluation.data.faces.pixels[index])[1].tobytes() if show_faces else b""
        rows.append(Mistake(index, shown, read, float(confidence[place]), base64.b64encode(png).decode()))
    return rows
