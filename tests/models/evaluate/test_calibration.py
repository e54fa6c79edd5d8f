from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.evaluate import metrics
from cuelens_models.evaluate.calibration import ece_interval

Chance = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From the confidence of answers to the chance that they are right."""
TRIALS = 400
KINDS: dict[str, Chance] = {
    "well calibrated": lambda confidence: confidence,
    "too sure everywhere": lambda confidence: confidence - 0.1,
    "slightly too sure": lambda confidence: 0.97 * confidence,
    "too sure where it is sure": lambda confidence: np.where(confidence > 13 / 15, confidence - 0.1, confidence),
    "too sure above and unsure below": lambda confidence: confidence + np.where(confidence > 9 / 15, -0.08, 0.08),
}


def drawn(count: int, chance: Chance, random: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return answers of a two-class model, most of them sure, and a truth that makes them right by that chance."""
    top = 1 - random.beta(0.8, 2, count) / 2
    return np.stack([top, 1 - top], axis=1), np.where(random.random(count) < chance(top), 0, 1)


def true_ece(chance: Chance) -> float:
    """Return the ECE in a million images that are as right as the chance says, without the noise of drawing."""
    probabilities, _ = drawn(1_000_000, chance, np.random.default_rng(0))
    top, bins = probabilities[:, 0], metrics.bins_of(probabilities)
    return float(np.abs(np.bincount(bins, chance(top) - top)).sum() / len(top))


@pytest.mark.slow
@pytest.mark.parametrize("count", [500, 3000])
@pytest.mark.parametrize("kind", KINDS)
def test_19_of_20_intervals_include_the_true_ece_and_all_include_the_figure(kind: str, count: int) -> None:
    chance, random = KINDS[kind], np.random.default_rng(count)
    true = true_ece(chance)
    covered = 0
    for trial in range(TRIALS):
        probabilities, truth = drawn(count, chance, random)
        low, high = ece_interval(probabilities, truth, trial)
        assert low <= metrics.ece(probabilities, truth) <= high
        covered += low <= true <= high
    assert covered / TRIALS >= 0.95


@pytest.mark.parametrize(
    ("count", "most"), [pytest.param(500, 0.13, id="500 faces"), pytest.param(3000, 0.05, id="3,000 faces")]
)
def test_an_interval_says_that_a_badly_calibrated_model_is_one(count: int, most: float) -> None:
    random = np.random.default_rng(1)
    for trial in range(50):
        low, high = ece_interval(*drawn(count, KINDS["too sure everywhere"], random), trial)
        assert low > 0
        assert high - low < most


def test_the_same_seed_gives_the_same_interval_and_another_does_not() -> None:
    answers = drawn(300, KINDS["too sure everywhere"], np.random.default_rng(2))
    assert ece_interval(*answers, 1) == ece_interval(*answers, 1) != ece_interval(*answers, 2)


@pytest.mark.parametrize(
    ("top", "truth"),
    [
        pytest.param([0.6], [0], id="one image, right"),
        pytest.param([0.6], [1], id="one image, wrong"),
        pytest.param([1.0] * 5, [0] * 5, id="quite sure and right"),
        pytest.param([1.0] * 5, [1] * 5, id="quite sure and wrong"),
        pytest.param([0.5] * 4, [0, 1, 0, 1], id="guesses"),
    ],
)
def test_a_few_images_have_an_interval_within_0_and_1(top: list[float], truth: list[int]) -> None:
    probabilities = np.stack([top, 1 - np.array(top)], axis=1)
    low, high = ece_interval(probabilities, np.array(truth), 0)
    assert 0 <= low <= metrics.ece(probabilities, np.array(truth)) <= high <= 1


def test_a_bin_without_a_mistake_is_no_proof_of_too_little_confidence() -> None:
    # Twenty answers of 99 %: all of them are right in four of five draws.
    probabilities = np.tile([0.99, 0.01], (20, 1))
    low, high = ece_interval(probabilities, np.zeros(20, np.intp), 0)
    assert low == 0
    assert high > 0.04
