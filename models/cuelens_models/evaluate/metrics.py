"""Figures about probabilities and truth. Fractions are 0 to 1.

ECE: 15 equal-width bins of the top probability (Guo et al. 2017, arXiv 1706.04599). Coverage c: the accuracy on the
share c of the images with the highest top probability. AUC: of one label against the rest, by its own probability; the
chance that an image that shows it scores above one that does not, ties counting half (Hanley and McNeil 1982).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.scores import Scores, softmax

BINS: Final = 15
ENOUGH: Final = 50
"""Images that a class needs to count in macro-F1: on fewer, one image moves it by points."""
_COVERAGES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
_LEAST_ENTER, _MOST_ENTER = 0.5, 0.95
_BIAS_ROUNDS, _BIAS_STEPS = 3, 30
SILENT: Final = frozenset({"neutral", NOT_A_FACE})
"""Labels that the glasses never say anything about."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a model would say at its thresholds. share: of all images. accuracy: of those; None if there are none."""

    share: float
    accuracy: float | None


def accuracy(probabilities: Scores, truth: NDArray[np.intp]) -> float:
    """Return the share of images whose top label is right."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def recall(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label with an image, the share of its images that are found."""
    right = probabilities.argmax(axis=1) == truth
    return {label: float(right[truth == index].mean()) for index, label in enumerate(labels) if (truth == index).any()}


def precision(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label that is some image's answer, the share of those that show it."""
    guess = probabilities.argmax(axis=1)
    return {label: float((truth[guess == i] == i).mean()) for i, label in enumerate(labels) if (guess == i).any()}


def f1(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label with an image, the harmonic mean of its precision and its recall."""
    guess = probabilities.argmax(axis=1)
    scores = {}
    for index, label in enumerate(labels):
        positives = int((truth == index).sum())
        if positives:
            hits = int(((guess == index) & (truth == index)).sum())
            scores[label] = 2 * hits / (positives + int((guess == index).sum()))
    return scores


def macro_f1(probabilities: Scores, truth: NDArray[np.intp], least: int = ENOUGH) -> float:
    """Return the mean F1 over the classes with at least `least` images."""
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    scores = f1(probabilities, truth, [str(index) for index in range(len(counts))])
    enough = [score for index, score in scores.items() if counts[int(index)] >= least]
    return float(np.mean(enough)) if enough else 0.0


def ece(probabilities: Scores, truth: NDArray[np.intp]) -> float:
    """Return the expected calibration error: how far confidence is from accuracy, averaged over bins."""
    confidence, right, share = reliability(probabilities, truth)
    return float(np.abs(right - confidence) @ share)


def reliability(probabilities: Scores, truth: NDArray[np.intp]) -> tuple[Scores, Scores, Scores]:
    """Return of each bin of the ECE that holds an image: mean confidence, accuracy, and share of all images."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    _, place, count = np.unique(bins, return_inverse=True, return_counts=True)
    return (
        np.bincount(place, confidence) / count,
        np.bincount(place, right.astype(np.float64)) / count,
        count / len(truth),
    )


def coverage(probabilities: Scores, truth: NDArray[np.intp]) -> dict[str, float]:
    """Return the accuracy at several coverages."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == truth)[order]
    return {f"{share:g}": float(right[: max(1, round(share * len(right)))].mean()) for share in _COVERAGES}


def roc(scores: Scores, positive: NDArray[np.bool_]) -> tuple[Scores, Scores]:
    """Return the false and the true positive rate at every threshold, from (0, 0) to (1, 1).

    scores: (n,), the probability of one label. positive: (n,), which images show it; some do and some do not.
    """
    order = np.argsort(-scores, kind="stable")
    # Images of one score come in together.
    last = np.flatnonzero(np.diff(scores[order], append=-1.0))
    hits = np.cumsum(positive[order])[last]
    misses = last + 1 - hits
    return np.concatenate([[0.0], misses / misses[-1]]), np.concatenate([[0.0], hits / hits[-1]])


def auc(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return the area under the ROC curve of each label that some images show and others do not."""
    areas = {}
    for index, label in enumerate(labels):
        positive = truth == index
        if positive.any() and not positive.all():
            false_rate, true_rate = roc(probabilities[:, index], positive)
            areas[label] = float((np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2).sum())
    return areas


def spoken(probabilities: Scores, labels: Sequence[str], enter: Mapping[str, float]) -> NDArray[np.str_]:
    """Return what a model would say of each image, (n,): its top label if that reaches its threshold, else "".

    probabilities: (n, labels), the model's whole distribution. The silent labels are never said.
    """
    top = probabilities.argmax(axis=1)
    thresholds = np.array([np.inf if label in SILENT else enter[label] for label in labels])
    return np.where(probabilities.max(axis=1) >= thresholds[top], np.array(labels)[top], "")


def said(words: NDArray[np.str_], truth: NDArray[np.str_]) -> Said:
    """Return how often something is said, and how often it is right. words: of `spoken`. truth: in words, (n,)."""
    told = words != ""
    return Said(float(told.mean()), float((words == truth)[told].mean()) if told.any() else None)


def fit_temperature(logits: Scores, truth: NDArray[np.intp]) -> float:
    """Return the temperature, to two digits, that makes the likelihood of the truth greatest."""
    candidates = np.arange(0.3, 3.001, 0.01)
    rows = np.arange(len(truth))
    losses = [-np.log(np.maximum(softmax(logits, float(t))[rows, truth], 1e-12)).mean() for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 2)


def fit_biases(logits: Scores, truth: NDArray[np.intp]) -> Scores:
    """Return what to add to each label's logit so that it is believed, in sum, as often as it is true.

    That is where the likelihood of the truth is greatest, at the temperature that the logits want. A label that is
    never true stays as it is. Over all faces, what is added to the label that is true comes to 0.
    """
    counts = np.bincount(truth, minlength=logits.shape[1])
    seen = counts > 0
    added = np.zeros(logits.shape[1])
    for _ in range(_BIAS_ROUNDS):
        temperature = fit_temperature(logits + added, truth)
        for _ in range(_BIAS_STEPS):
            believed = softmax(logits + added, temperature).sum(axis=0)
            added[seen] += temperature * np.log(counts[seen] / np.maximum(believed[seen], 1e-9))
        added[seen] -= added @ counts / counts.sum()
    return added


def enter_thresholds(
    probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str], precision: float = 0.9, neutral: float = 0.9
) -> dict[str, float]:
    """Return for each label the lowest threshold, 0.5 to 0.95, above which it is right with the asked precision.

    neutral: the share of neutral faces in front of the glasses, which is far greater than in collections of faces; what
    is taken for a smile there is mostly none. Images are weighed so that it is the share here, where there are neutral
    and other ones.
    """
    steps = np.arange(_LEAST_ENTER, _MOST_ENTER + 0.001, 0.05)
    weights = np.ones(len(truth))
    shown = truth == labels.index("neutral") if "neutral" in labels else np.zeros(len(truth), bool)
    if 0 < shown.sum() < len(truth):
        weights[shown], weights[~shown] = neutral / shown.sum(), (1 - neutral) / (~shown).sum()
    found = {}
    for index, label in enumerate(labels):
        enough = [
            step
            for step in steps
            if (above := probabilities[:, index] >= step).any()
            and np.average(truth[above] == index, weights=weights[above]) >= precision
        ]
        found[label] = round(float(enough[0]) if enough else _MOST_ENTER, 2)
    return found


def roc_thresholds(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return for each label the threshold at which true positives exceed false ones most, as rates (Youden 1950).

    A label that no image or every image shows is asked for certainty.
    """
    found = dict.fromkeys(labels, 1.0)
    for index, label in enumerate(labels):
        positive = truth == index
        if positive.any() and not positive.all():
            scores = probabilities[:, index]
            false_rate, true_rate = roc(scores, positive)
            steps = np.unique(scores)[::-1]
            found[label] = float(steps[int(np.argmax((true_rate - false_rate)[1:]))])
    return found
