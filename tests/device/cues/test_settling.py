import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.cues.settling import Belief, SettleRule, is_confirmed, is_doubted, settle, thresholds

LABELS = ("neutral", "happy", "sad", "not_a_face")
RULE = SettleRule(
    labels=LABELS,
    enter={"neutral": 0.6, "happy": 0.6, "sad": 0.7, "not_a_face": 0.5},
    smoothing_s=0.4,
    dwell_s=0.8,
    neutral_weight=1.0,
)
"""As slow as a dwell is easily seen, and with probabilities as they are read."""
HAPPY = (0.05, 0.9, 0.03, 0.02)
NEUTRAL = (0.9, 0.05, 0.03, 0.02)
TORN = (0.4, 0.35, 0.2, 0.05)


def run(readings: list[tuple[float, tuple[float, ...]]], rule: SettleRule = RULE) -> list[Belief]:
    beliefs: list[Belief] = []
    for t, scores in readings:
        beliefs.append(settle(beliefs[-1] if beliefs else None, scores, t, rule))
    return beliefs


def steady(
    scores: tuple[float, ...], begin: float, end: float, fps: float = 15.0
) -> list[tuple[float, tuple[float, ...]]]:
    return [(begin + n / fps, scores) for n in range(round((end - begin) * fps))]


def test_a_new_face_is_unsure_until_the_dwell_time_is_over() -> None:
    beliefs = run(steady(HAPPY, 0, 2))
    settled = next(belief for belief in beliefs if belief.expression == "happy")
    assert beliefs[0].expression == "unsure"
    assert 0.8 <= settled.t < 0.8 + 1 / 15 + 1e-9
    assert settled.since_t == settled.t


@pytest.mark.parametrize("fps", [5.0, 15.0, 30.0, 60.0])
def test_the_moment_of_settling_does_not_depend_on_the_frame_rate(fps: float) -> None:
    beliefs = run(steady(NEUTRAL, 0, 2, fps) + steady(HAPPY, 2, 5, fps))
    settled = next(belief.t for belief in beliefs if belief.expression == "happy")
    # Smoothing takes 0.05 over 0.6 after 0.42 s, then the dwell time passes; each may be seen a frame late.
    crossing = 0.4 * math.log((0.9 - 0.05) / (0.9 - 0.6))
    assert 2 + crossing + 0.8 - 1 / fps <= settled <= 2 + crossing + 0.8 + 2 / fps


def test_weak_evidence_stays_unsure() -> None:
    assert {belief.expression for belief in run(steady(TORN, 0, 5))} == {"unsure"}


def test_a_class_leaves_below_its_threshold_minus_the_hysteresis() -> None:
    just_inside = (0.5, 0.46, 0.02, 0.02)
    below = (0.56, 0.40, 0.02, 0.02)
    held = run(steady(HAPPY, 0, 2) + steady(just_inside, 2, 5))
    left = run(steady(HAPPY, 0, 2) + steady(below, 2, 5))
    assert held[-1].expression == "happy"
    assert left[-1].expression == "unsure"


def test_what_was_not_seen_has_not_dwelt() -> None:
    beliefs = run([(0.0, HAPPY), (0.3, HAPPY), (2.0, HAPPY), (2.3, HAPPY), (2.7, HAPPY), (2.9, HAPPY)])
    assert [belief.expression for belief in beliefs] == ["unsure"] * 5 + ["happy"]


def test_the_mass_of_not_a_face_is_never_an_expression() -> None:
    assert {belief.expression for belief in run(steady((0.02, 0.04, 0.04, 0.9), 0, 3))} == {"unsure"}


def test_one_odd_frame_changes_nothing() -> None:
    readings = steady(NEUTRAL, 0, 2)
    readings[20] = (readings[20][0], HAPPY)
    assert run(readings)[-1].expression == "neutral"
    assert "happy" not in {belief.expression for belief in run(readings)}


@pytest.mark.parametrize(
    ("weight", "reading", "expected"),
    [
        (1.0, (0.2, 0.7, 0.05, 0.05), "happy"),
        (10.0, (0.1, 0.7, 0.1, 0.1), "unsure"),  # 1.0 of neutral against 0.7
        (10.0, (0.4, 0.55, 0.03, 0.02), "neutral"),  # 4.0 against 0.55
        (10.0, (0.02, 0.88, 0.05, 0.05), "happy"),  # 0.2 against 0.88
    ],
)
def test_neutral_counts_as_often_as_it_is_met(weight: float, reading: tuple[float, ...], expected: str) -> None:
    beliefs = run(steady(reading, 0, 3), replace(RULE, neutral_weight=weight))
    assert beliefs[-1].expression == expected
    assert sum(beliefs[-1].smoothed) == pytest.approx(1)


def test_readings_without_any_probability_are_believed_of_nothing() -> None:
    assert {belief.expression for belief in run(steady((0.0, 0.0, 0.0, 0.0), 0, 2))} == {"unsure"}


@pytest.mark.parametrize(("margin", "expected"), [(0.0, "happy"), (0.1, "happy"), (0.2, "unsure")])
def test_two_labels_that_are_close_together_are_not_told_apart(margin: float, expected: str) -> None:
    rule = replace(RULE, enter=dict.fromkeys(LABELS, 0.4), margin=margin)
    assert run(steady((0.1, 0.5, 0.35, 0.05), 0, 3), rule)[-1].expression == expected


@pytest.mark.parametrize(
    ("happy", "expected", "sure"),
    [(0.5, "unsure", False), (0.8, "happy", False), (0.92, "happy", False), (0.93, "happy", True)],
)
def test_a_voice_needs_more_than_a_light(happy: float, expected: str, sure: bool) -> None:
    # Over 0.6 is over odds of 1.5; eight times those are 12, which is 0.923.
    belief = run(steady((0.0, happy, 1 - happy, 0.0), 0, 3), replace(RULE, enter=dict.fromkeys(LABELS, 0.6)))[-1]
    assert (belief.expression, belief.sure) == (expected, sure)


def test_what_was_sure_is_sure_no_more_when_it_weakens() -> None:
    beliefs = run(steady((0.0, 0.97, 0.03, 0.0), 0, 2) + steady((0.0, 0.7, 0.3, 0.0), 2, 4))
    assert [belief.sure for belief in (beliefs[0], beliefs[29], beliefs[-1])] == [False, True, False]
    assert beliefs[-1].expression == "happy"


scores = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(
    lambda values: tuple(v / sum(values) for v in values)
)


@given(st.lists(st.tuples(st.floats(0.001, 3), scores), min_size=1, max_size=60))
def test_whatever_comes_a_settled_expression_has_dwelt_over_its_threshold(
    stream: list[tuple[float, tuple[float, ...]]],
) -> None:
    t, readings = 0.0, []
    for gap, values in stream:
        t += gap
        readings.append((t, values))
    previous = None
    for belief in run(readings):
        assert abs(sum(belief.smoothed) - 1) < 1e-6
        if belief.expression not in ("unsure", previous and previous.expression):
            assert belief.candidate == belief.expression
            assert belief.t - belief.candidate_t >= RULE.dwell_s
            assert belief.confidence >= RULE.enter[belief.expression]
        assert not (belief.sure and belief.expression == "unsure")
        previous = belief


@pytest.mark.parametrize(
    ("caution", "overrides", "expected"),
    [
        (0.0, {}, {"happy": 0.79, "sad": 0.64, "fear": 0.4}),  # odds of 19, 9 and 2, over 5; 0.4 is the least
        (1.0, {}, {"happy": 0.91, "sad": 0.83, "fear": 0.52}),
        (-1.0, {}, {"happy": 0.58, "sad": 0.4, "fear": 0.4}),
        (1.0, {"happy": 0.5}, {"happy": 0.5, "sad": 0.83, "fear": 0.52}),
        (0.0, {"angry": 0.5}, {"happy": 0.79, "sad": 0.64, "fear": 0.4}),
    ],
)
def test_caution_shifts_thresholds_and_a_profile_may_override_one(
    caution: float, overrides: dict[str, float], expected: dict[str, float]
) -> None:
    enter = {"happy": 0.95, "sad": 0.9, "fear": 2 / 3}
    assert thresholds(enter, caution, overrides) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.4), (1.0, 0.99)])
def test_the_ends_of_thresholds_are_held(value: float, expected: float) -> None:
    assert thresholds({"happy": value}, 0.0, {}) == {"happy": expected}


@pytest.mark.parametrize(
    ("labels", "scores", "doubted"),
    [
        (LABELS, (0.02, 0.04, 0.04, 0.9), True),
        (LABELS, (0.1, 0.1, 0.2, 0.6), True),
        (LABELS, (0.3, 0.2, 0.1, 0.4), True),
        (LABELS, (0.4, 0.3, 0.1, 0.2), False),
        (LABELS[:3], (0.1, 0.1, 0.8), False),
    ],
)
def test_a_face_is_doubted_when_the_network_says_so_of_one_real_face_in_150(
    labels: tuple[str, ...], scores: tuple[float, ...], doubted: bool
) -> None:
    rule = SettleRule(labels=labels, enter=dict.fromkeys(labels, 0.6))
    assert is_doubted(settle(None, scores, 0.0, rule)) is doubted


def test_a_face_is_confirmed_once_it_was_read_for_a_quarter_of_a_second() -> None:
    rule = SettleRule(labels=LABELS, enter=dict.fromkeys(LABELS, 0.6))
    belief, confirmed = None, []
    for n in range(8):
        belief = settle(belief, (0.7, 0.2, 0.1, 0.0), 5 + n / 15, rule)
        confirmed.append(is_confirmed(belief))
    assert confirmed == [False] * 4 + [True] * 4
    for n in range(8, 20):
        belief = settle(belief, (0.1, 0.0, 0.0, 0.9), 5 + n / 15, rule)
    assert not is_confirmed(belief)
