"""The correction: what it does to probabilities, what it leaves alone, and what it may hold."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.calibration.correction import Correction, correct, corrector
from cuelens_models.bundle.expressions import LABELS

EVERY = (*LABELS, "not_a_face")
SCORES = (0.5, 0.2, 0.05, 0.05, 0.04, 0.03, 0.02, 0.01, 0.1)

readings = (
    st.lists(st.floats(0, 1), min_size=9, max_size=9)
    .filter(lambda row: sum(row) > 1e-3)
    .map(lambda row: tuple(value / sum(row) for value in row))
)
shifts = st.dictionaries(st.sampled_from(LABELS[1:]), st.floats(-4, 4))
scales = st.dictionaries(st.sampled_from(LABELS[1:]), st.floats(0.5, 2))


def margin(scores: tuple[float, ...], label: str) -> float:
    return math.log(scores[EVERY.index(label)] / scores[0])


@given(readings)
def test_no_correction_changes_nothing(scores: tuple[float, ...]) -> None:
    assert correct(scores, EVERY, Correction()) == pytest.approx(scores, abs=1e-12)
    assert corrector(EVERY, Correction()) is None
    assert corrector(EVERY, Correction(shift={"happy": 0.0}, scale={"sad": 1.0}, people=1)) is None


@given(readings, shifts, scales)
def test_probabilities_stay_probabilities_and_not_a_face_stays_as_it_is(
    scores: tuple[float, ...], shift: dict[str, float], scale: dict[str, float]
) -> None:
    corrected = correct(scores, EVERY, Correction(shift=shift, scale=scale))
    assert sum(corrected) == pytest.approx(sum(scores))
    assert all(0 <= score <= 1 + 1e-9 for score in corrected)
    assert corrected[-1] == scores[-1]


def test_margins_are_scaled_and_then_shifted_and_others_stay() -> None:
    scale = {"happy": 1.2, "fear": 0.8}
    corrected = correct(SCORES, EVERY, Correction(shift={"happy": 1.5, "sad": -1.0}, scale=scale))
    assert margin(corrected, "fear") == pytest.approx(0.8 * margin(SCORES, "fear"))
    assert margin(corrected, "happy") == pytest.approx(1.2 * margin(SCORES, "happy") + 1.5)
    assert margin(corrected, "sad") == pytest.approx(margin(SCORES, "sad") - 1.0)
    assert margin(corrected, "surprise") == pytest.approx(margin(SCORES, "surprise"))


@pytest.mark.parametrize(
    ("scores", "labels", "expected"),
    [
        ((0.6, 0.4), ("happy", "sad"), (0.6, 0.4)),
        ((0.5, 0.5), ("neutral", "happy"), (1 / (1 + math.e), math.e / (1 + math.e))),
        ((0.0, 0.0, 1.0), ("neutral", "happy", "not_a_face"), (0.0, 0.0, 1.0)),
    ],
    ids=["no neutral among the labels", "no not_a_face among the labels", "nothing but not_a_face"],
)
def test_any_labels(scores: tuple[float, ...], labels: tuple[str, ...], expected: tuple[float, ...]) -> None:
    assert correct(scores, labels, Correction(shift={"happy": 1.0, "fear": 2.0})) == pytest.approx(expected)


def test_a_probability_of_nothing_is_no_error() -> None:
    corrected = correct((0.0, 1.0, 0.0), ("neutral", "happy", "sad"), Correction(scale={"happy": 2.0, "sad": 0.5}))
    assert sum(corrected) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"shift": {"happy": 4.1}}, "<= 4"),
        ({"shift": {"happy": -4.1}}, ">= -4"),
        ({"scale": {"happy": 0.4}}, ">= 0.5"),
        ({"scale": {"happy": 2.1}}, "<= 2"),
        ({"shift": {"neutral": 1.0}}, "matching regex"),
        ({"shift": {"not_a_face": 1.0}}, "matching regex"),
        ({"people": 13}, "<= 12"),
        ({"template": [0.1]}, "unknown field"),
    ],
)
def test_a_correction_is_bounded_and_holds_nothing_else(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(raw, Correction)


@pytest.mark.parametrize(("people", "familiar"), [(0, 0.0), (1, 1.0), (2, 0.5), (4, 0.25)])
def test_the_more_people_the_less_is_known_of_whoever_comes(people: int, familiar: float) -> None:
    assert Correction(people=people).familiar == familiar
