import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models import metrics
from cuelens_models.bundle.scores import softmax

FOUR = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
TRUTH = np.array([0, 1, 1, 0])
"""Right, wrong, right, wrong."""


def ranked(confidences: list[float], right: list[bool]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return two-class probabilities with these top values, and a truth that makes them right or wrong."""
    top = np.array(confidences)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def test_accuracy_and_recall_by_hand() -> None:
    assert metrics.accuracy(FOUR, TRUTH) == 0.5
    assert metrics.recall(FOUR, TRUTH, ["happy", "sad"]) == {"happy": 0.5, "sad": 0.5}


def test_recall_leaves_out_a_label_without_an_image() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]])
    found = metrics.recall(probabilities, np.array([0, 0, 0]), ["happy", "sad", "fear"])
    assert found == {"happy": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("guesses", "truth", "least", "expected"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1], 1, 1.0),
        # Class 0: 2 hits of 3 guesses and 2 images, F1 0.8. Class 1: 1 hit of 1 guess and 2 images, F1 2/3.
        ([0, 0, 0, 1], [0, 0, 1, 1], 1, (0.8 + 2 / 3) / 2),
        # Class 1 has too few images to count.
        ([0, 0, 0, 1], [0, 0, 0, 1], 2, 1.0),
        ([0, 0, 0, 0], [0, 0, 0, 1], 2, 6 / 7),
        ([1, 1], [0, 0], 1, 0.0),
        ([0, 1], [0, 1], 50, 0.0),
    ],
)
def test_macro_f1_by_hand(guesses: list[int], truth: list[int], least: int, expected: float) -> None:
    assert metrics.macro_f1(np.eye(2)[guesses], np.array(truth), least) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        ([1.0, 1.0], [True, True], 0.0),
        ([1.0, 1.0], [False, False], 1.0),
        ([0.8, 0.8], [True, False], 0.3),
        # Two bins: 0.9 twice (one right: off by 0.4), 0.6 twice (both right: off by 0.4).
        ([0.9, 0.9, 0.6, 0.6], [True, False, True, True], 0.4),
        # One bin, where right and wrong even out: 0.75 and 0.79 stand in [11/15, 12/15).
        ([0.75, 0.79, 0.75, 0.79], [True, True, True, False], 0.02),
        # Two bins that would even out in one: 0.72 stands in [10/15, 11/15), 0.75 in the next.
        ([0.72, 0.75], [True, False], (0.28 + 0.75) / 2),
    ],
)
def test_ece_by_hand(confidences: list[float], right: list[bool], expected: float) -> None:
    assert metrics.ece(*ranked(confidences, right)) == pytest.approx(expected)


def test_coverage_by_hand() -> None:
    confidences = [0.6, 0.99, 0.7, 0.95, 0.8]
    right = [False, True, True, False, True]
    # By confidence: right, wrong, right, right, wrong.
    expected = {"0.2": 1.0, "0.4": 0.5, "0.6": 2 / 3, "0.8": 0.75, "1": 0.6}
    assert metrics.coverage(*ranked(confidences, right)) == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.2])
def test_the_temperature_that_made_the_labels_is_found_again(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 4))
    chances = softmax(logits, temperature)
    truth = (chances.cumsum(axis=1) < random.random((len(chances), 1))).sum(axis=1)
    assert metrics.fit_temperature(logits, truth) == pytest.approx(temperature, abs=0.1)


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        pytest.param([0.55, 0.7, 0.9], [True, True, True], 0.5, id="always right"),
        pytest.param([0.52, 0.58, 0.62, 0.8], [False, False, True, True], 0.6, id="right from 0.6 on"),
        pytest.param([0.6, 0.7, 0.95], [False, False, False], 0.9, id="never right"),
    ],
)
def test_a_label_is_entered_where_it_is_right_nine_times_of_ten(
    confidences: list[float], right: list[bool], expected: float
) -> None:
    found = metrics.enter_thresholds(*ranked(confidences, right), ["happy", "sad"])
    assert found["happy"] == expected


def test_a_label_that_is_never_given_needs_the_most() -> None:
    found = metrics.enter_thresholds(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 0]), ["happy", "sad"])
    assert found == {"happy": 0.5, "sad": 0.9}
