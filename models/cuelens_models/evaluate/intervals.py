"""How far a figure would move if other images had been drawn: 95 % percentile bootstrap intervals.

1000 samples of n images are drawn with replacement (Efron and Tibshirani 1993, chapter 13). Every figure is made from
sums over images, so a sample is a row of weights, how often each image was drawn, and all samples are a few products
of matrices. The calibration error of a sample leans upwards, so that its interval is mirrored about the figure (the
basic bootstrap).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.scores import Scores
from cuelens_models.evaluate.metrics import BINS, ENOUGH, ece

SAMPLES: Final = 1000
_SEED: Final = 2013
_AT_ONCE: Final = 50
_TAILS: Final = (2.5, 97.5)

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals of the figures of `metrics`. By label: of the labels that some images show.

    coverage: accuracy on the 60 % of the images with the highest top probability.
    """

    accuracy: Interval
    macro_f1: Interval
    macro_f1_all: Interval
    ece: Interval
    coverage: Interval
    recall: dict[str, Interval]
    precision: dict[str, Interval]
    f1: dict[str, Interval]
    auc: dict[str, Interval]


COVERED: Final = 0.6


def intervals(probabilities: Scores, truth: NDArray[np.intp], labels: Sequence[str], seed: int = _SEED) -> Intervals:
    """Return the intervals of all figures. The same seed gives the same ones."""
    shown = [index for index in range(len(labels)) if (truth == index).any()]
    enough = np.array([(truth == index).sum() >= ENOUGH for index in shown])
    found: dict[str, list[Scores]] = {}
    for weights in _samples(len(truth), seed):
        for name, values in _figures(weights, probabilities, truth, shown, enough).items():
            found.setdefault(name, []).append(values)
    drawn = {name: np.concatenate(values) for name, values in found.items()}

    def by_label(name: str) -> dict[str, Interval]:
        return {labels[index]: _interval(drawn[name][:, place]) for place, index in enumerate(shown)}

    return Intervals(
        _interval(drawn["accuracy"]),
        _interval(drawn["macro_f1"]),
        _interval(drawn["macro_f1_all"]),
        _mirrored(_interval(drawn["ece"]), ece(probabilities, truth)),
        _interval(drawn["coverage"]),
        by_label("recall"),
        by_label("precision"),
        by_label("f1"),
        by_label("auc"),
    )


def _samples(count: int, seed: int) -> Iterator[Scores]:
    """Yield how often each image was drawn, (samples, count), a few samples at once."""
    random = np.random.default_rng(seed)
    for _ in range(SAMPLES // _AT_ONCE):
        drawn = random.integers(0, count, (_AT_ONCE, count))
        drawn += np.arange(_AT_ONCE)[:, np.newaxis] * count
        yield np.bincount(drawn.ravel(), minlength=_AT_ONCE * count).reshape(_AT_ONCE, count).astype(np.float64)


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
    # A class that a sample lacks does not count in it.
    counted = images > 0
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)[:, np.newaxis] == np.arange(BINS)
    gaps = weights @ (bins * (right - confidence)[:, np.newaxis])
    auc = [_auc(weights, probabilities[:, index], truth == index) for index in shown]
    return {
        "accuracy": weights @ right / len(truth),
        "macro_f1": np.nan_to_num(_mean(f1, counted & enough)),
        "macro_f1_all": _mean(f1, counted),
        "ece": np.abs(gaps).sum(axis=1) / len(truth),
        "coverage": _coverage(weights, confidence, right),
        "recall": _ratio(hits, images),
        "precision": _ratio(hits, guesses),
        "f1": f1,
        "auc": np.stack(auc, axis=1),
    }


def _coverage(weights: Scores, confidence: Scores, right: NDArray[np.bool_]) -> Scores:
    order = np.argsort(-confidence, kind="stable")
    drawn = weights[:, order]
    kept = max(1, round(COVERED * len(order)))
    before = np.cumsum(drawn, axis=1) - drawn
    return np.asarray(np.clip(kept - before, 0, drawn) @ right[order] / kept)


def _auc(weights: Scores, scores: Scores, positive: NDArray[np.bool_]) -> Scores:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-1.0))
    with_label = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    without = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(without, axis=1) - without
    pairs = with_label.sum(axis=1) * without.sum(axis=1)
    return _ratio((with_label * (below + without / 2)).sum(axis=1), pairs)


def _mean(values: Scores, counted: NDArray[np.bool_]) -> Scores:
    return _ratio(np.where(counted, values, 0.0).sum(axis=1), counted.sum(axis=1).astype(np.float64))


def _ratio(above: Scores, below: Scores) -> Scores:
    """Return the quotient, NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _interval(values: Scores) -> Interval:
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0, 1.0
    low, high = np.percentile(known, _TAILS)
    return float(low), float(high)


def _mirrored(interval: Interval, figure: float) -> Interval:
    return max(0.0, 2 * figure - interval[1]), max(0.0, 2 * figure - interval[0])
