"""95 % intervals: how much a figure would vary with another sample of images.

Percentile bootstrap: 1000 samples of n images are drawn with replacement (Efron and Tibshirani 1993, chapter 13). Every
figure is computed from sums over images. So a sample is a row of weights (how often each image was drawn), and all
samples take a few matrix products. Two figures have intervals of their own: a recall that of `binomial`, and the ECE
that of `calibration`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.scores import Scores
from cuelens_models.evaluate.binomial import share_interval
from cuelens_models.evaluate.calibration import ece_interval
from cuelens_models.evaluate.metrics import ENOUGH, Interval

SAMPLES: Final = 1000
_SEED: Final = 2013
_AT_ONCE: Final = 50
_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals of the figures of `metrics`. The dictionaries hold the labels that some image shows.

    coverage: the accuracy on the 60 % of the images with the highest top probability.
    """

    accuracy: Interval
    macro_f1: Interval
    macro_f1_all: Interval
    macro_recall: Interval
    ece: Interval
    coverage: Interval
    recall: dict[str, Interval]
    precision: dict[str, Interval]
    f1: dict[str, Interval]
    auc: dict[str, Interval]


COVERED: Final = 0.6


def intervals(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str], seed: int = _SEED) -> Intervals:
    """Return the intervals of all figures.

    Args:
        probabilities: (n, labels).
        truth: indices into the labels, (n,).
        labels: their names.
        seed: of the samples. The same seed gives the same intervals.
    """
    shown = [index for index in range(len(labels)) if (truth == index).any()]
    enough = np.array([(truth == index).sum() >= ENOUGH for index in shown])
    blocks: dict[str, list[Scores]] = {}
    for weights in _samples(len(truth), seed):
        for name, values in _figures(weights, probabilities, truth, shown, enough).items():
            blocks.setdefault(name, []).append(values)
    figures = {name: np.concatenate(values) for name, values in blocks.items()}

    def by_label(name: str) -> dict[str, Interval]:
        return {labels[index]: _interval(figures[name][:, place]) for place, index in enumerate(shown)}

    return Intervals(
        _interval(figures["accuracy"]),
        _interval(figures["macro_f1"]),
        _interval(figures["macro_f1_all"]),
        _interval(figures["macro_recall"]),
        ece_interval(probabilities, truth, seed),
        _interval(figures["coverage"]),
        {labels[index]: _recall_interval(probabilities, truth, index) for index in shown},
        by_label("precision"),
        by_label("f1"),
        by_label("auc"),
    )


def _recall_interval(probabilities: Scores, truth: NDArray[np.intp], index: int) -> Interval:
    guesses = probabilities.argmax(axis=1)[truth == index]
    return share_interval(int((guesses == index).sum()), len(guesses))


def _samples(count: int, seed: int) -> Iterator[Scores]:
    """Yield blocks of samples, (samples, count): how often each image was drawn."""
    random = np.random.default_rng(seed)
    for _ in range(SAMPLES // _AT_ONCE):
        images = random.integers(0, count, (_AT_ONCE, count))
        images += np.arange(_AT_ONCE)[:, np.newaxis] * count
        yield np.bincount(images.ravel(), minlength=_AT_ONCE * count).reshape(_AT_ONCE, count).astype(np.float64)


def _figures(
    weights: Scores,
    probabilities: Scores,
    truth: NDArray[np.intp],
    shown: list[int],
    enough: NDArray[np.bool_],
) -> dict[str, Scores]:
    guess, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = guess == truth
    images = weights @ (truth[:, np.newaxis] == shown)
    guesses = weights @ (guess[:, np.newaxis] == shown)
    hits = weights @ ((truth[:, np.newaxis] == shown) & right[:, np.newaxis])
    f1 = _ratio(2 * hits, images + guesses)
    # The macro-F1 and the macro-recall of a sample leave out the classes that it lacks.
    present = images > 0
    auc = [_auc(weights, probabilities[:, index], truth == index) for index in shown]
    return {
        "accuracy": weights @ right / len(truth),
        "macro_f1": np.nan_to_num(_mean(f1, present & enough)),
        "macro_f1_all": _mean(f1, present),
        "macro_recall": _mean(_ratio(hits, images), present),
        "coverage": _coverage(weights, confidence, right),
        "precision": _ratio(hits, guesses),
        "f1": f1,
        "auc": np.stack(auc, axis=1),
    }


def _coverage(weights: Scores, confidence: Scores, right: NDArray[np.bool_]) -> Scores:
    order = np.argsort(-confidence, kind="stable")
    # Images of equal confidence count as their mean, as in `metrics.selective_accuracy`.
    starts = np.flatnonzero(np.diff(-confidence[order], prepend=-2.0))
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    hits = np.add.reduceat(weights[:, order] * right[order], starts, axis=1)
    covered = max(1, round(COVERED * len(order)))
    before = np.cumsum(counts, axis=1) - counts
    taken = np.clip(covered - before, 0, counts)
    return np.asarray((taken * hits / np.maximum(counts, 1)).sum(axis=1) / covered)


def _auc(weights: Scores, scores: Scores, positive: NDArray[np.bool_]) -> Scores:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-1.0))
    with_label = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    without = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(without, axis=1) - without
    pairs = with_label.sum(axis=1) * without.sum(axis=1)
    return _ratio((with_label * (below + without / 2)).sum(axis=1), pairs)


def _mean(values: Scores, included: NDArray[np.bool_]) -> Scores:
    return _ratio(np.where(included, values, 0.0).sum(axis=1), included.sum(axis=1).astype(np.float64))


def _ratio(above: Scores, below: Scores) -> Scores:
    """Return the quotient, NaN where `below` is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _interval(values: Scores) -> Interval:
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return 0.0, 1.0
    low, high = np.percentile(values, _TAILS)
    return float(low), float(high)
