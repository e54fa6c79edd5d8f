"""Metrics of predicted probabilities against the truth. Fractions are 0 to 1.

ECE: 15 equal-width bins of the top probability (Guo et al. 2017, arXiv 1706.04599). Coverage c: the accuracy on the
share c of the images with the highest top probability. AUC: area under the ROC curve of one label against the rest. It
is the chance that an image with this label gets a higher probability of it than an image without, ties counting half
(Hanley and McNeil 1982).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.scores import Scores, softmax

Interval = tuple[float, float]
"""The lower and the upper end of a 95 % interval."""

BINS: Final = 15
ENOUGH: Final = 50
"""Least images of a class that macro-F1 includes. In a smaller class one image moves the F1 by percentage points."""
_COVERAGES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 0.01, 100.0
_CLOSE: Final = 1e-4
"""Width of the last interval of the search, as a logarithm: a hundredth of a percent of the temperature."""
_END_MET: Final = {
    _LEAST_TEMPERATURE: "its faces are all read rightly or the logits hardly differ, so use more faces or check logits",
    _MOST_TEMPERATURE: "the logits say nothing of its faces, or are far too large, so check labels, pixels and logits",
}
_LEAST_ENTER, _MOST_ENTER = 0.5, 0.95
_BIAS_ROUNDS, _BIAS_STEPS = 3, 30
SILENT: Final = frozenset({"neutral", NOT_A_FACE})
"""Labels for which the glasses give no cue."""


@dataclass(frozen=True, slots=True)
class CueFigures:
    """share: of all images that would get a cue. accuracy: of these cues; None if there are none."""

    share: float
    accuracy: float | None


def accuracy(probabilities: Scores, truth: NDArray[np.intp]) -> float:
    """Return the share of images whose most probable label is right."""
    return float((probabilities.argmax(axis=1) == truth).mean())


def recall(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label that some image shows, the share of its images that get this label as answer."""
    right = probabilities.argmax(axis=1) == truth
    return {label: float(right[truth == index].mean()) for index, label in enumerate(labels) if (truth == index).any()}


def macro_recall(probabilities: Scores, truth: NDArray[np.intp]) -> float:
    """Return the mean recall over all classes that some image shows: each class counts the same, however rare."""
    labels = [str(index) for index in range(probabilities.shape[1])]
    return float(np.mean(list(recall(probabilities, truth, labels).values())))


def ties(probabilities: Scores) -> int:
    """Return the number of images with two or more equal top outputs. Their answer is the first of these labels."""
    tops = probabilities == probabilities.max(axis=1, keepdims=True)
    return int((tops.sum(axis=1) > 1).sum())


def precision(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label that some image gets as answer, the share of these images that show it."""
    guess = probabilities.argmax(axis=1)
    return {label: float((truth[guess == i] == i).mean()) for i, label in enumerate(labels) if (guess == i).any()}


def f1(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return, for each label that some image shows, the harmonic mean of its precision and its recall."""
    guess = probabilities.argmax(axis=1)
    scores = {}
    for index, label in enumerate(labels):
        positives = int((truth == index).sum())
        if positives:
            hits = int(((guess == index) & (truth == index)).sum())
            scores[label] = 2 * hits / (positives + int((guess == index).sum()))
    return scores


def macro_f1(probabilities: Scores, truth: NDArray[np.intp], least: int = ENOUGH) -> float:
    """Return the mean F1 over the large enough classes; 0 if there are none.

    Args:
        probabilities: (n, labels).
        truth: indices into the labels, (n,).
        least: images that a class needs to be included.
    """
    counts = np.bincount(truth, minlength=probabilities.shape[1])
    scores = f1(probabilities, truth, [str(index) for index in range(len(counts))])
    enough = [score for index, score in scores.items() if counts[int(index)] >= least]
    return float(np.mean(enough)) if enough else 0.0


def ece(probabilities: Scores, truth: NDArray[np.intp]) -> float:
    """Return the expected calibration error: the mean distance of confidence from accuracy over the bins.

    It is that of the sample itself (the plug-in estimator), which chance makes too great: `calibration.ece_interval`.
    """
    confidence, right, share = reliability(probabilities, truth)
    return float(np.abs(right - confidence) @ share)


def reliability(probabilities: Scores, truth: NDArray[np.intp]) -> tuple[Scores, Scores, Scores]:
    """Return mean confidence, accuracy and share of all images of each bin of the ECE that is not empty."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    _, place, count = np.unique(bins_of(probabilities), return_inverse=True, return_counts=True)
    return (
        np.bincount(place, confidence) / count,
        np.bincount(place, right.astype(np.float64)) / count,
        count / len(truth),
    )


def bins_of(probabilities: Scores) -> NDArray[np.intp]:
    """Return the bin of each image in the ECE, (n,), counted from 0."""
    bins: NDArray[np.intp] = np.minimum((probabilities.max(axis=1) * BINS).astype(np.intp), BINS - 1)
    return bins


def coverage(probabilities: Scores, truth: NDArray[np.intp]) -> dict[str, float]:
    """Return accuracy by coverage, at 20, 40, 60, 80 and 100 %."""
    accuracies = selective_accuracy(probabilities, truth)
    return {f"{share:g}": float(accuracies[max(1, round(share * len(truth))) - 1]) for share in _COVERAGES}


def selective_accuracy(probabilities: Scores, truth: NDArray[np.intp]) -> Scores:
    """Return the accuracy on the surest image, on the two surest, and so on to all n of them: (n,).

    Images of equal confidence, of which an int8 network has many, come in no order: each counts as their mean.
    """
    right = probabilities.argmax(axis=1) == truth
    _, place, count = np.unique(-probabilities.max(axis=1), return_inverse=True, return_counts=True)
    shared = np.repeat(np.bincount(place, right.astype(np.float64)) / count, count)
    return np.cumsum(shared) / np.arange(1, len(truth) + 1)


def roc(scores: Scores, positive: NDArray[np.bool_]) -> tuple[Scores, Scores]:
    """Return the false and the true positive rate at every threshold, from (0, 0) to (1, 1).

    scores: (n,), the probability of one label. positive: (n,), which images show it; some must, and some must not.
    """
    order = np.argsort(-scores, kind="stable")
    # Images of equal score share one threshold.
    last = np.flatnonzero(np.diff(scores[order], append=-1.0))
    hits = np.cumsum(positive[order])[last]
    misses = last + 1 - hits
    return np.concatenate([[0.0], misses / misses[-1]]), np.concatenate([[0.0], hits / hits[-1]])


def auc(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return the area under the ROC curve of each label that some images show and some do not."""
    areas = {}
    for index, label in enumerate(labels):
        positive = truth == index
        if positive.any() and not positive.all():
            false_rate, true_rate = roc(probabilities[:, index], positive)
            areas[label] = float((np.diff(false_rate) * (true_rate[1:] + true_rate[:-1]) / 2).sum())
    return areas


def spoken(probabilities: Scores, labels: Sequence[str], enter: Mapping[str, float]) -> NDArray[np.str_]:
    """Return the word that each image would get as cue, (n,): its most probable label, or "" for no cue.

    Args:
        probabilities: (n, labels), over all labels of the model.
        labels: of the model. Those in SILENT give no cue.
        enter: threshold by label. Below its threshold a label gives no cue.
    """
    top = probabilities.argmax(axis=1)
    thresholds = np.array([np.inf if label in SILENT else enter[label] for label in labels])
    return np.where(probabilities.max(axis=1) >= thresholds[top], np.array(labels)[top], "")


def cue_figures(words: NDArray[np.str_], truth: NDArray[np.str_]) -> CueFigures:
    """Return how often there is a cue, and how often it is right. words: of `spoken`. truth: labels as words, (n,)."""
    cued = words != ""
    return CueFigures(float(cued.mean()), float((words == truth)[cued].mean()) if cued.any() else None)


def fit_temperature(logits: Scores, truth: NDArray[np.intp], say: Callable[[str], None] | None = None) -> float:
    """Return the temperature of maximum likelihood, 0.01 to 100, to two digits after the point (three under 0.1).

    The loss has one minimum over the inverse temperature, so it is narrowed down on the logarithm. Logits that are all
    equal get 1.

    Args:
        logits: (n, labels).
        truth: indices into the labels, (n,).
        say: takes one sentence if the search ends at its least or greatest temperature, where no fit is.
    """
    rows = np.arange(len(truth))
    behind = logits - logits[rows, truth][:, np.newaxis]

    def loss(temperature: float) -> float:
        # The logarithm of the sum of exponentials, without overflow.
        scaled = behind / temperature
        top = scaled.max(axis=1)
        return float((top + np.log(np.exp(scaled - top[:, np.newaxis]).sum(axis=1))).mean())

    if not behind.any():
        return 1.0
    low, high = math.log(_LEAST_TEMPERATURE), math.log(_MOST_TEMPERATURE)
    while high - low > _CLOSE:
        third = (high - low) / 3
        if loss(math.exp(low + third)) <= loss(math.exp(high - third)):
            high -= third
        else:
            low += third
    best = math.exp((low + high) / 2)
    step = 0.001 if best < 0.1 else 0.01
    around = [round(step * (math.floor(best / step) + further), 3) for further in (0, 1)]
    temperature = min((t for t in around if _LEAST_TEMPERATURE <= t <= _MOST_TEMPERATURE), key=loss)
    if say and (remark := _END_MET.get(temperature)):
        say(f"the best temperature lies beyond {temperature:g}, where the search ends: {remark}")
    return temperature


def fit_biases(logits: Scores, truth: NDArray[np.intp]) -> Scores:
    """Return a bias for each logit, so that each label's mean probability equals its frequency in the truth.

    These are the biases of maximum likelihood, at the temperature that fits best with them. A label that is never true
    gets 0. The biases of the true labels of all faces sum to 0.
    """
    counts = np.bincount(truth, minlength=logits.shape[1])
    present = counts > 0
    biases = np.zeros(logits.shape[1])
    for _ in range(_BIAS_ROUNDS):
        temperature = fit_temperature(logits + biases, truth)
        for _ in range(_BIAS_STEPS):
            expected = softmax(logits + biases, temperature).sum(axis=0)
            biases[present] += temperature * np.log(counts[present] / np.maximum(expected[present], 1e-9))
        biases[present] -= biases @ counts / counts.sum()
    return biases


def enter_thresholds(
    probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str], precision: float = 0.9, neutral: float = 0.9
) -> dict[str, float]:
    """Return for each label the lowest threshold, 0.5 to 0.95, from which on its answers reach the precision.

    Args:
        probabilities: (n, labels).
        truth: indices into the labels, (n,).
        labels: of the model.
        precision: least share of right answers at or above a threshold. A label that never reaches it gets 0.95.
        neutral: the share of neutral faces in front of the glasses. It is far greater than in data sets, so most faces
            taken for a smile there are neutral. If some images are neutral and some are not, they are weighted so that
            the neutral ones make up this share.
    """
    steps = np.arange(_LEAST_ENTER, _MOST_ENTER + 0.001, 0.05)
    weights = np.ones(len(truth))
    shown = truth == labels.index("neutral") if "neutral" in labels else np.zeros(len(truth), bool)
    if 0 < shown.sum() < len(truth):
        weights[shown], weights[~shown] = neutral / shown.sum(), (1 - neutral) / (~shown).sum()
    thresholds = {}
    for index, label in enumerate(labels):
        enough = [
            step
            for step in steps
            if (above := probabilities[:, index] >= step).any()
            and np.average(truth[above] == index, weights=weights[above]) >= precision
        ]
        thresholds[label] = round(float(enough[0]) if enough else _MOST_ENTER, 2)
    return thresholds


def usual_margins(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return for each label the mean logarithm of its odds against neutral, in nats, over the neutral images.

    Empty if no label or no image is neutral. probabilities: (n, labels). truth: indices into the labels, (n,).
    """
    if "neutral" not in labels or not (shown := truth == labels.index("neutral")).any():
        return {}
    logs = np.log(np.maximum(probabilities[shown], 1e-9))
    margins = (logs - logs[:, [labels.index("neutral")]]).mean(axis=0)
    return {label: round(float(margin), 2) for label, margin in zip(labels, margins, strict=True) if label != "neutral"}


def roc_thresholds(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str]) -> dict[str, float]:
    """Return for each label the threshold of the greatest true minus false positive rate (Youden's J, 1950).

    A label that no image or every image shows gets the threshold 1.
    """
    thresholds = dict.fromkeys(labels, 1.0)
    for index, label in enumerate(labels):
        positive = truth == index
        if positive.any() and not positive.all():
            scores = probabilities[:, index]
            false_rate, true_rate = roc(scores, positive)
            steps = np.unique(scores)[::-1]
            thresholds[label] = float(steps[int(np.argmax((true_rate - false_rate)[1:]))])
    return thresholds
