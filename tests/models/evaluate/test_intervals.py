import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.intervals import SAMPLES, intervals

LABELS = ("neutral", "happy", "sad")


def answers_of(count: int, skill: float, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return probabilities over three labels that know the truth as far as `skill` goes."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count)
    logits = random.normal(0, 1, (count, 3)) + skill * np.eye(3)[truth]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), truth


def test_the_same_seed_gives_the_same_intervals_and_another_does_not() -> None:
    answers = answers_of(300, 1.0)
    assert intervals(*answers, LABELS) == intervals(*answers, LABELS)
    assert intervals(*answers, LABELS) != intervals(*answers, LABELS, seed=1)


def test_an_interval_of_a_share_is_as_wide_as_theory_says() -> None:
    probabilities, truth = answers_of(1000, 1.0)
    p = metrics.accuracy(probabilities, truth)
    low, high = intervals(probabilities, truth, LABELS).accuracy
    half = 1.96 * np.sqrt(p * (1 - p) / len(truth))
    assert (low, high) == pytest.approx((p - half, p + half), abs=0.006)


def test_intervals_hold_the_figures_they_are_for() -> None:
    probabilities, truth = answers_of(800, 1.5)
    bounds = intervals(probabilities, truth, LABELS)
    for interval, value in (
        (bounds.macro_f1, metrics.macro_f1(probabilities, truth)),
        (bounds.macro_f1_all, metrics.macro_f1(probabilities, truth, least=1)),
        (bounds.macro_recall, metrics.macro_recall(probabilities, truth)),
        (bounds.ece, metrics.ece(probabilities, truth)),
        (bounds.coverage, metrics.coverage(probabilities, truth)["0.6"]),
        *((bounds.recall[word], value) for word, value in metrics.recall(probabilities, truth, LABELS).items()),
        *((bounds.auc[word], value) for word, value in metrics.auc(probabilities, truth, LABELS).items()),
    ):
        assert interval[0] < value < interval[1]


@pytest.mark.parametrize(("count", "decimals"), [(30, 9), (200, 9), (200, 1)])
def test_the_weighted_figures_are_those_of_the_drawn_images(count: int, decimals: int) -> None:
    """The slow way: draw the images themselves, and ask `metrics` about each sample.

    decimals: of the probabilities. With few, many images are equally sure.
    """
    probabilities, truth = answers_of(count, 1.0)
    probabilities = probabilities.round(decimals)
    random = np.random.default_rng(2013)
    slow = []
    for _ in range(SAMPLES // 50):
        for indices in random.integers(0, count, (50, count)):
            some, there = probabilities[indices], truth[indices]
            auc = metrics.auc(some, there, LABELS)["sad"]
            slow.append(
                (
                    metrics.accuracy(some, there),
                    metrics.macro_f1(some, there, least=1),
                    metrics.macro_recall(some, there),
                    metrics.coverage(some, there)["0.6"],
                    auc,
                )
            )
    bounds = intervals(probabilities, truth, LABELS)
    fast = (bounds.accuracy, bounds.macro_f1_all, bounds.macro_recall, bounds.coverage, bounds.auc["sad"])
    expected = np.percentile(np.array(slow), (2.5, 97.5), axis=0).T
    np.testing.assert_allclose(fast, expected, atol=1e-9)


def test_a_label_that_most_samples_lack_and_one_that_no_image_shows() -> None:
    probabilities, truth = answers_of(60, 1.0)
    truth = np.where(truth == 2, 0, truth)
    truth[0] = 2
    bounds = intervals(probabilities, truth, LABELS)
    assert set(bounds.recall) == set(LABELS)
    assert not np.isnan([*bounds.recall["sad"], *bounds.auc["sad"], *bounds.f1["sad"]]).any()
    assert set(intervals(probabilities, np.minimum(truth, 1), LABELS).recall) == {"neutral", "happy"}


@pytest.mark.parametrize("truth", [[0], [1, 1]])
def test_a_handful_of_images_is_enough(truth: list[int]) -> None:
    bounds = intervals(np.full((len(truth), 3), 1 / 3), np.array(truth), LABELS)
    assert bounds.accuracy in {(0.0, 0.0), (1.0, 1.0)}
