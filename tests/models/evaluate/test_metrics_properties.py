import numpy as np
import pytest

from cuelens_models.evaluate import metrics

pytest.importorskip("hypothesis", reason="properties are tried with hypothesis (extra dev)")

from hypothesis import given, settings
from hypothesis import strategies as st

# Of few values too, as the outputs of an int8 network: images are often equally sure.
confidences = st.floats(0.5, 1) | st.sampled_from([0.5, 0.75, 1.0])
answers = st.lists(st.tuples(confidences, st.integers(0, 1), st.booleans()).map(tuple), min_size=1, max_size=60)
Answers = list[tuple[float, int, bool]]


def arrays(given_answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Return two-class probabilities and truth for (confidence, class, right)."""
    confidence, guess, right = (np.array(column) for column in zip(*given_answers, strict=True))
    probabilities = np.where(guess[:, np.newaxis] == [0, 1], confidence[:, np.newaxis], 1 - confidence[:, np.newaxis])
    truth = np.where(right, probabilities.argmax(axis=1), 1 - probabilities.argmax(axis=1))
    return probabilities, truth


@settings(deadline=None, database=None, max_examples=60)
@given(answers)
def test_ece_is_at_most_1_and_at_least_the_gap_of_the_means(given_answers: Answers) -> None:
    probabilities, truth = arrays(given_answers)
    ece = metrics.ece(probabilities, truth)
    gap = abs(probabilities.max(axis=1).mean() - metrics.accuracy(probabilities, truth))
    assert gap - 1e-9 <= ece <= 1


@settings(deadline=None, database=None, max_examples=60)
@given(answers)
def test_full_coverage_is_accuracy_and_no_coverage_leaves_0_to_1(given_answers: Answers) -> None:
    probabilities, truth = arrays(given_answers)
    coverage = metrics.coverage(probabilities, truth)
    assert coverage["1"] == pytest.approx(metrics.accuracy(probabilities, truth))
    assert all(0 <= value <= 1 for value in coverage.values())
    assert list(coverage) == ["0.2", "0.4", "0.6", "0.8", "1"]


@settings(deadline=None, database=None, max_examples=60)
@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_the_images_changes_nothing(given_answers: Answers, random: object) -> None:
    shuffled = list(given_answers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for figure in (metrics.accuracy, metrics.ece, lambda p, t: metrics.macro_f1(p, t, least=1)):
        assert figure(*arrays(shuffled)) == pytest.approx(figure(*arrays(given_answers)))
    assert metrics.coverage(*arrays(shuffled)) == pytest.approx(metrics.coverage(*arrays(given_answers)))


@settings(deadline=None, database=None, max_examples=60)
@given(answers)
def test_macro_f1_is_1_only_without_a_mistake(given_answers: Answers) -> None:
    probabilities, truth = arrays(given_answers)
    macro_f1 = metrics.macro_f1(probabilities, truth, least=1)
    assert 0 <= macro_f1 <= 1
    assert (macro_f1 == 1) == (metrics.accuracy(probabilities, truth) == 1)


@settings(deadline=None, database=None, max_examples=60)
@given(answers)
def test_thresholds_stay_between_a_half_and_nineteen_twentieths(given_answers: Answers) -> None:
    thresholds = metrics.enter_thresholds(*arrays(given_answers), ["happy", "sad"])
    assert all(0.5 <= value <= 0.95 for value in thresholds.values())
