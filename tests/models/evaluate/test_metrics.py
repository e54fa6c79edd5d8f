import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.bundle.scores import softmax
from cuelens_models.evaluate import metrics

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
    recall = metrics.recall(probabilities, np.array([0, 0, 0]), ["happy", "sad", "fear"])
    assert recall == {"happy": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("guesses", "truth", "expected"),
    [
        ([0, 0, 1, 1], [0, 0, 1, 1], 1.0),
        # Class 0: all of 4 images. Class 1: 1 of 2.
        ([0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 1, 1], 0.75),
        ([0, 0, 0], [0, 0, 1], 0.5),
        # No image shows class 1.
        ([0, 1], [0, 0], 0.5),
        ([1, 0], [0, 1], 0.0),
    ],
)
def test_macro_recall_by_hand(guesses: list[int], truth: list[int], expected: float) -> None:
    assert metrics.macro_recall(np.eye(2)[guesses], np.array(truth)) == pytest.approx(expected)


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
        # The top bin is [14/15, 1]: 0.95 and 1 even out in it, 0.92 and 1 do not.
        ([0.95, 1.0], [True, False], 0.475),
        ([0.92, 1.0], [True, False], (0.08 + 1) / 2),
        # Two bins that would even out in one: 0.72 stands in [10/15, 11/15), 0.75 in the next.
        ([0.72, 0.75], [True, False], (0.28 + 0.75) / 2),
    ],
)
def test_ece_by_hand(confidences: list[float], right: list[bool], expected: float) -> None:
    assert metrics.ece(*ranked(confidences, right)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        # By confidence: right, wrong, right, right, wrong.
        ([0.6, 0.99, 0.7, 0.95, 0.8], [False, True, True, False, True], [1.0, 0.5, 2 / 3, 0.75, 0.6]),
        # The three surest are equally sure, and two of them are right.
        ([0.9, 0.6, 0.9, 0.7, 0.9], [True, True, False, False, True], [2 / 3, 2 / 3, 2 / 3, 0.5, 0.6]),
        ([0.9] * 5, [True, False, False, False, False], [0.2] * 5),
    ],
)
def test_coverage_by_hand(confidences: list[float], right: list[bool], expected: list[float]) -> None:
    coverage = metrics.coverage(*ranked(confidences, right))
    assert coverage == pytest.approx(dict(zip(("0.2", "0.4", "0.6", "0.8", "1"), expected, strict=True)))


@pytest.mark.parametrize("temperature", [0.05, 0.2, 0.5, 1.0, 2.2, 8.0, 30.0])
def test_the_temperature_that_made_the_labels_is_found_again(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2 * temperature, (20_000, 4))
    chances = softmax(logits, temperature)
    truth = (chances.cumsum(axis=1) < random.random((len(chances), 1))).sum(axis=1)
    said: list[str] = []
    assert metrics.fit_temperature(logits, truth, said.append) == pytest.approx(temperature, rel=0.05)
    assert said == []


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_no_temperature_near_it_fits_better(sharpness: float) -> None:
    random = np.random.default_rng(3)
    truth = random.integers(0, 5, 300)
    logits = sharpness * (random.normal(0, 1, (300, 5)) + np.eye(5)[truth])
    best = metrics.fit_temperature(logits, truth)
    assert best == round(best, 2)

    def loss(temperature: float) -> float:
        return float(-np.log(softmax(logits, temperature)[np.arange(300), truth]).mean())

    assert min((best - 0.01, best, best + 0.01), key=loss) == best


def test_logits_that_are_all_equal_need_no_temperature() -> None:
    said: list[str] = []
    assert metrics.fit_temperature(np.zeros((6, 3)), np.array([0, 1, 2, 0, 1, 2]), said.append) == 1.0
    assert said == []


@pytest.mark.parametrize(
    ("logits", "truth", "expected", "words"),
    [
        pytest.param([[4.0, 0.0], [0.0, 3.0]], [0, 1], 0.01, "are all read rightly", id="always right"),
        pytest.param([[4.0, 0.0], [0.0, 3.0]], [1, 0], 100.0, "say nothing", id="always wrong"),
        pytest.param([[4.0, 0.0], [4.0, 0.0]], [1, 0], 100.0, "say nothing", id="right by chance"),
        pytest.param([[900.0, 0.0], [0.0, 900.0]], [0, 1], 0.01, "are all read rightly", id="logits of hundreds"),
    ],
)
def test_an_end_of_the_search_is_said(logits: list[list[float]], truth: list[int], expected: float, words: str) -> None:
    said: list[str] = []
    assert metrics.fit_temperature(np.array(logits), np.array(truth), said.append) == expected
    (sentence,) = said
    assert words in sentence
    assert f"beyond {expected:g}" in sentence


@pytest.mark.parametrize(
    ("confidences", "right", "expected"),
    [
        pytest.param([0.55, 0.7, 0.9], [True, True, True], 0.5, id="always right"),
        pytest.param([0.52, 0.58, 0.62, 0.8], [False, False, True, True], 0.6, id="right from 0.6 on"),
        pytest.param([0.6, 0.7, 0.95], [False, False, False], 0.95, id="never right"),
    ],
)
def test_a_label_is_entered_where_it_is_right_nine_times_of_ten(
    confidences: list[float], right: list[bool], expected: float
) -> None:
    thresholds = metrics.enter_thresholds(*ranked(confidences, right), ["happy", "sad"])
    assert thresholds["happy"] == expected


def test_a_label_that_is_never_given_needs_the_most() -> None:
    thresholds = metrics.enter_thresholds(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 0]), ["happy", "sad"])
    assert thresholds == {"happy": 0.5, "sad": 0.95}


def test_thresholds_are_for_a_world_in_which_most_faces_are_neutral() -> None:
    # Of a hundred smiles and a hundred neutral faces, five of the latter are taken for smiles, and never quite surely.
    happy = np.repeat([0.97, 0.82, 0.1], [100, 5, 95])
    answers = np.stack([1 - happy, happy], axis=1)
    truth = np.repeat([1, 0], [100, 100])
    assert metrics.enter_thresholds(answers, truth, ["neutral", "happy"], neutral=0.5)["happy"] == 0.5
    assert metrics.enter_thresholds(answers, truth, ["neutral", "happy"])["happy"] == 0.85


@pytest.mark.parametrize(
    ("labels", "truth", "expected"),
    [
        # The mean of ln 1/4 and ln 1/16, and of ln 1/4 and ln 1; the smile does not count.
        (["neutral", "happy", "sad"], [0, 0, 1], {"happy": -2.08, "sad": -0.69}),
        (["sad", "neutral", "happy"], [1, 1, 2], {"sad": 2.08, "happy": 1.39}),
        (["neutral", "happy", "sad"], [1, 2, 1], {}),
        (["angry", "happy", "sad"], [0, 0, 1], {}),
    ],
)
def test_what_is_usual_is_the_mean_margin_of_the_neutral_images(
    labels: list[str], truth: list[int], expected: dict[str, float]
) -> None:
    probabilities = np.array([[4, 1, 1], [16, 1, 16], [1, 8, 1]]) / [[6], [33], [10]]
    assert metrics.usual_margins(probabilities, np.array(truth), labels) == expected


def test_what_is_usual_is_a_number_even_for_a_label_that_is_never_given() -> None:
    margins = metrics.usual_margins(np.array([[1.0, 0.0]]), np.array([0]), ["neutral", "happy"])
    assert margins == {"happy": -20.72}


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [
        ([0.9, 0.8, 0.3, 0.1], [1, 1, 0, 0], 1.0),
        ([0.9, 0.8, 0.3, 0.1], [0, 0, 1, 1], 0.0),
        # Of four pairs, three are in order.
        ([0.9, 0.8, 0.3, 0.1], [1, 0, 1, 0], 0.75),
        # A tie counts half: (1 + 0.5 + 1 + 1) / 4.
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], 0.875),
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0], 0.5),
    ],
)
def test_auc_by_hand(scores: list[float], positive: list[int], expected: float) -> None:
    probabilities = np.stack([scores, 1 - np.array(scores)], axis=1)
    truth = 1 - np.array(positive)
    areas = metrics.auc(probabilities, truth, ["happy", "sad"])
    assert areas["happy"] == pytest.approx(expected)
    assert areas["sad"] == pytest.approx(expected)


@pytest.mark.parametrize("truth", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_auc_needs_images_of_both_kinds(truth: list[int]) -> None:
    assert metrics.auc(FOUR, np.array(truth), ["happy", "sad"]) == {}


def test_a_roc_curve_goes_from_corner_to_corner_and_up() -> None:
    false_rate, true_rate = metrics.roc(FOUR[:, 0], TRUTH == 0)
    # By score: shown, not, not, shown.
    assert false_rate.tolist() == [0, 0, 0.5, 1, 1]
    assert true_rate.tolist() == [0, 0.5, 0.5, 0.5, 1]


def test_reliability_by_hand() -> None:
    confidence, accuracy, share = metrics.reliability(*ranked([0.9, 0.9, 0.6, 0.6], [True, False, True, True]))
    assert confidence == pytest.approx([0.6, 0.9])
    assert accuracy == pytest.approx([1, 0.5])
    assert share == pytest.approx([0.5, 0.5])


def test_reliability_and_ece_agree() -> None:
    random = np.random.default_rng(0)
    answers = ranked(random.uniform(0.5, 1, 500).tolist(), (random.random(500) < 0.7).tolist())
    confidence, accuracy, share = metrics.reliability(*answers)
    assert (np.abs(confidence - accuracy) * share).sum() == pytest.approx(metrics.ece(*answers))


def test_what_is_said_is_the_top_label_from_its_threshold_on() -> None:
    labels = ["neutral", "happy", "not_a_face"]
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.4, 0.6, 0], [0.45, 0.55, 0], [0, 0.1, 0.9]])
    words = metrics.spoken(probabilities, labels, {"neutral": 0.1, "happy": 0.6, "not_a_face": 0.1})
    assert words.tolist() == ["", "happy", "happy", "", ""]
    truth = np.array(["neutral", "happy", "neutral", "happy", "happy"])
    assert metrics.cue_figures(words, truth) == metrics.CueFigures(0.4, 0.5)
    assert metrics.cue_figures(np.array(["", ""]), truth[:2]) == metrics.CueFigures(0.0, None)


@pytest.fixture
def sampled() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Logits of 20,000 faces, and a truth drawn from them after 0.8, -0.5 and 0 were added."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1.5, (20_000, 3))
    chances = softmax(logits + np.array([0.8, -0.5, 0.0]))
    return logits, np.array([random.choice(3, p=row) for row in chances])


def test_biases_find_what_the_logits_lack(sampled: tuple[NDArray[np.float64], NDArray[np.intp]]) -> None:
    logits, truth = sampled
    added = metrics.fit_biases(logits, truth)
    np.testing.assert_allclose(added - added[2], [0.8, -0.5, 0.0], atol=0.06)
    assert added[truth].mean() == pytest.approx(0, abs=1e-6)
    believed = softmax(logits + added, metrics.fit_temperature(logits + added, truth)).sum(axis=0)
    np.testing.assert_allclose(believed, np.bincount(truth), rtol=0.01)


def test_biases_suit_logits_that_are_too_sure(sampled: tuple[NDArray[np.float64], NDArray[np.intp]]) -> None:
    logits, truth = sampled
    added = metrics.fit_biases(3 * logits, truth)
    np.testing.assert_allclose(added - added[2], [2.4, -1.5, 0.0], atol=0.2)


def test_biases_leave_a_label_alone_that_is_never_true() -> None:
    logits = np.array([[2.0, 1.0, 9.0], [1.0, 2.0, 9.0], [2.0, 1.0, -9.0]])
    added = metrics.fit_biases(logits, np.array([0, 1, 0]))
    assert added[2] == 0
    assert np.isfinite(added).all()


def test_precision_and_f1_by_hand() -> None:
    probabilities = np.eye(3)[[0, 0, 0, 1]]
    truth = np.array([0, 0, 1, 2])
    labels = ["happy", "sad", "fear"]
    assert metrics.precision(probabilities, truth, labels) == {"happy": pytest.approx(2 / 3), "sad": 0.0}
    assert metrics.f1(probabilities, truth, labels) == {"happy": pytest.approx(4 / 5), "sad": 0.0, "fear": 0.0}


def test_a_threshold_of_the_roc_is_where_rates_differ_most() -> None:
    happy = np.array([0.9, 0.8, 0.6, 0.58, 0.55, 0.3])
    truth = np.array([0, 0, 1, 1, 0, 1])
    probabilities = np.stack([happy, 1 - happy, 0 * happy], axis=1)
    thresholds = metrics.roc_thresholds(probabilities, truth, ["happy", "sad", "fear"])
    # Of happy, two of three and no other face are at .8 and above; all three and two others at .55.
    assert thresholds == {"happy": 0.8, "sad": pytest.approx(0.4), "fear": 1.0}
