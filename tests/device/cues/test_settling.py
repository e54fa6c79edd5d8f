import math
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.cues.settling import (
    Belief,
    SettleRule,
    answer,
    is_confirmed,
    is_doubted,
    is_in_flux,
    least_margins,
    settle,
)

LABELS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "not_a_face")
FEW = ("neutral", "happy", "sad", "not_a_face")
RULE = SettleRule(labels=LABELS, least=dict.fromkeys(LABELS, -4.5), usual=dict.fromkeys(LABELS[1:8], -5.0))
Reading = tuple[float, tuple[float, ...]]


def face(happy: float = -5.0, sad: float = -5.0, no_face: float = -9.0) -> tuple[float, ...]:
    """Return probabilities with these margins over neutral, in nats."""
    margins = {"neutral": 0.0, "happy": happy, "sad": sad, "not_a_face": no_face}
    odds = [math.exp(margins.get(label, -5.0)) for label in LABELS]
    return tuple(one / sum(odds) for one in odds)


CALM = face()
BROAD = face(happy=4.0)


def run(readings: list[Reading], rule: SettleRule = RULE) -> list[Belief]:
    beliefs: list[Belief] = []
    for t, scores in readings:
        beliefs.append(settle(beliefs[-1] if beliefs else None, scores, t, rule))
    return beliefs


def steady(scores: tuple[float, ...], begin: float, end: float, fps: float = 15.0) -> list[Reading]:
    return [(begin + n / fps, scores) for n in range(round((end - begin) * fps))]


def settled_t(beliefs: list[Belief], expression: str = "happy") -> float | None:
    """Return the time at which an expression settled; None if it did not."""
    return next((belief.t for belief in beliefs if belief.expression == expression), None)


def test_a_new_face_is_unsure_until_the_dwell_time_is_over() -> None:
    beliefs = run(steady(face(happy=9.0), 0, 3))
    settled = next(belief for belief in beliefs if belief.expression == "happy")
    assert beliefs[0].expression == "unsure"
    assert RULE.dwell_s <= settled.t <= RULE.dwell_s + 2 / 15
    assert settled.since_t == settled.t


@pytest.mark.parametrize("fps", [2.5, 5.0, 15.0, 30.0, 60.0])
def test_the_moment_of_settling_does_not_depend_on_the_frame_rate(fps: float) -> None:
    settled = settled_t(run(steady(CALM, 0, 4, fps) + steady(BROAD, 4, 8, fps)))
    # Smoothing takes a tenth of a second, then evidence grows at its fastest; each may be seen a frame late.
    assert settled is not None
    assert RULE.dwell_s - 1 / fps - 1e-6 <= settled - 4 <= RULE.dwell_s + 0.15 + 2 / fps


def test_a_slight_expression_takes_longer_than_a_broad_one_and_a_slighter_one_is_none() -> None:
    times = [settled_t(run(steady(CALM, 0, 10) + steady(face(happy=margin), 10, 20))) for margin in (4.0, -2.8, -4.0)]
    broad, slight, slighter = times
    assert broad is not None
    assert slight is not None
    assert broad + 0.2 < slight
    assert slighter is None


def test_what_is_usual_for_a_face_is_no_expression_of_it() -> None:
    smiling_by_nature, same_smile = face(happy=-0.6), face(happy=-0.6)
    assert settled_t(run(steady(smiling_by_nature, 0, 30))) is None
    assert settled_t(run(steady(CALM, 0, 30) + steady(same_smile, 30, 34))) is not None


@pytest.mark.parametrize(("usual", "told"), [(-7.0, False), (-5.0, False), (-3.0, True), (0.0, True), (2.0, True)])
def test_a_label_that_is_often_probable_needs_a_smaller_rise(usual: float, told: bool) -> None:
    rule = replace(RULE, usual={**RULE.usual, "happy": usual})
    calm, rise = steady(face(happy=usual), 0, 10), steady(face(happy=usual + 2.0), 10, 14)
    assert (settled_t(run(calm + rise, rule)) is not None) == told
    # A network that takes neutral faces for happy ones tells nothing by that alone, nor by a little more of it.
    assert settled_t(run(calm + steady(face(happy=usual + 0.5), 10, 14), rule)) is None


def test_who_asks_is_told_what_has_settled_and_else_the_most_probable_label() -> None:
    slight = run(steady(CALM, 0, 10) + steady(face(happy=-2.0), 10, 14))[-1]
    assert slight.plain[LABELS.index("neutral")] > 0.7
    assert answer(slight, RULE) == "happy"
    assert answer(run(steady(CALM, 0, 4))[-1], RULE) == "neutral"
    assert answer(run(steady(face(happy=0.2), 0, 0.5))[-1], RULE) == "unsure"


@pytest.mark.parametrize(("seconds", "said"), [(0.1, "neutral"), (0.25, "unsure"), (0.45, "happy")])
def test_who_asks_is_told_what_was_shown_over_the_last_third_of_a_second(seconds: float, said: str) -> None:
    """Smoothed over 0.3 s, a probability passes 0.65 about 0.33 s after a face changes."""
    changed = run(steady(CALM, 0, 4, 60) + steady(BROAD, 4, 4 + seconds, 60))[-1]
    assert changed.expression != "happy"
    assert answer(changed, RULE) == said


def test_a_restless_face_needs_more_than_a_calm_one() -> None:
    talking = [(n / 15, face(happy=-2.0, sad=-8.0) if n // 5 % 2 else face(happy=-8.0, sad=-2.0)) for n in range(150)]
    smile = steady(face(happy=-2.4), 10, 14)
    assert settled_t(run(steady(CALM, 0, 10) + smile)) is not None
    assert settled_t(run(talking + smile)) is None
    assert settled_t(run(talking + steady(face(happy=6.0), 10, 14))) is not None


@pytest.mark.parametrize(("word", "shown"), [("happy", BROAD), ("sad", face(sad=4.0))])
def test_an_expression_is_not_learned_as_usual(word: str, shown: tuple[float, ...]) -> None:
    beliefs = run(steady(CALM, 0, 5) + steady(shown, 5, 60) + steady(CALM, 60, 64) + steady(shown, 64, 66))
    known, later = beliefs[5 * 15 - 1].baseline, beliefs[60 * 15 - 1]
    assert later.expression == word
    assert later.baseline.margins == pytest.approx(known.margins, abs=0.3)
    # Nor does it count as time in which the face was seen as it is.
    assert later.baseline.seen_s < known.seen_s + 1
    assert beliefs[-1].expression == word


def test_evidence_grows_to_twice_that_of_settling() -> None:
    """So an expression that was shown for minutes ends as soon as one that was shown for seconds."""
    for seconds in (5, 60):
        belief = run(steady(CALM, 0, 3) + steady(BROAD, 3, 3 + seconds))[-1]
        assert max(belief.evidence) == pytest.approx(2 * RULE.tell)


def test_an_expression_ends_when_the_face_is_calm_again() -> None:
    beliefs = run(steady(CALM, 0, 3) + steady(BROAD, 3, 6) + steady(CALM, 6, 9))
    ended = next(belief.t for belief in beliefs if belief.t > 6 and belief.expression != "happy")
    assert ended < 7.0
    assert beliefs[-1].expression == "neutral"


def test_what_was_not_seen_is_no_evidence() -> None:
    seen = steady(BROAD, 0, 1)
    beliefs = run([*seen, (3.0, BROAD), (3.5, BROAD), (3.9, BROAD), (4.1, BROAD)])
    assert [belief.expression for belief in beliefs] == ["unsure"] * (len(seen) + 3) + ["happy"]


def test_a_settled_expression_outlives_a_pause_and_no_other_evidence_does() -> None:
    smile = steady(CALM, 0, 3) + steady(BROAD, 3, 6)
    back = run(smile + steady(BROAD, 7.5, 9))[len(smile) :]
    assert {belief.expression for belief in back} == {"happy"}
    over = run(smile + steady(CALM, 7.5, 9))[len(smile) :]
    ended = next(belief.t for belief in over if belief.expression != "happy")
    assert 7.5 < ended < 8.0
    half = steady(CALM, 0, 3) + steady(BROAD, 3, 3.7)
    assert settled_t(run(half + steady(BROAD, 4.9, 7))) == pytest.approx(4.9 + RULE.dwell_s, abs=2 / 15)


def test_the_mass_of_not_a_face_is_never_an_expression() -> None:
    assert {belief.expression for belief in run(steady((0.02, *(0.01,) * 7, 0.91), 0, 3))} == {"unsure"}


def test_one_odd_frame_changes_nothing() -> None:
    readings = steady(CALM, 0, 4)
    readings[50] = (readings[50][0], face(happy=9.0))
    beliefs = run(readings)
    assert beliefs[-1].expression == "neutral"
    assert "happy" not in {belief.expression for belief in beliefs}


def test_readings_without_any_probability_are_believed_of_nothing() -> None:
    assert {belief.expression for belief in run(steady((0.0,) * 9, 0, 2))} == {"unsure"}


@pytest.mark.parametrize(
    ("sad", "expected"), [(2.0, "happy"), (2.9, "happy"), (3.6, "unsure"), (4.0, "unsure"), (6.0, "sad")]
)
def test_of_two_labels_the_one_that_is_clearly_ahead_settles(sad: float, expected: str) -> None:
    beliefs = run(steady(CALM, 0, 3) + steady(face(happy=4.0, sad=sad), 3, 8))
    assert beliefs[-1].expression == expected


@pytest.mark.parametrize(
    ("happy", "expected", "sure"), [(-4.2, "neutral", False), (-2.8, "happy", False), (4.0, "happy", True)]
)
def test_a_voice_needs_more_than_a_light(happy: float, expected: str, sure: bool) -> None:
    beliefs = run(steady(CALM, 0, 10) + steady(face(happy=happy), 10, 14))
    assert (beliefs[-1].expression, beliefs[-1].sure) == (expected, sure)


def test_labels_without_neutral_settle_by_their_odds_against_all_else() -> None:
    labels = ("happy", "sad")
    rule = SettleRule(labels=labels, least=dict.fromkeys(labels, -2.0))
    # Ahead by 1.2 nats, and by 0.8: less than the 0.9 that it takes.
    for happy, settled in ((0.99, "happy"), (0.65, "happy"), (0.6, "unsure"), (0.5, "unsure")):
        assert run(steady((happy, 1 - happy), 0, 8), rule)[-1].expression == settled


def test_without_labels_of_expressions_a_face_is_neutral_or_unsure() -> None:
    labels = ("neutral", "not_a_face")
    rule = SettleRule(labels=labels, least={})
    assert run(steady((0.99, 0.01), 0, 4), rule)[-1].expression == "neutral"
    assert {belief.expression for belief in run(steady((0.1, 0.9), 0, 4), rule)} == {"unsure"}


scores = st.lists(st.floats(0.0, 1), min_size=9, max_size=9).map(
    lambda values: tuple(v / (sum(values) or 1) for v in values)
)


@given(st.lists(st.tuples(st.floats(0.001, 3), scores), min_size=1, max_size=60))
def test_whatever_comes_an_expression_has_the_evidence_for_it(stream: list[tuple[float, tuple[float, ...]]]) -> None:
    t, readings = 0.0, []
    for gap, values in stream:
        t += gap
        readings.append((t, values))
    previous = None
    for belief in run(readings):
        evidence = dict(zip((*RULE.expressions, "neutral"), belief.evidence, strict=True))
        assert all(0 <= one <= 2 * RULE.tell for one in belief.evidence)
        assert all(math.isfinite(number) for number in (*belief.baseline.margins, belief.baseline.variance))
        assert 0 <= belief.baseline.known < 1
        if belief.expression != "unsure":
            anew = belief.expression != (previous and previous.expression)
            assert evidence[belief.expression] >= RULE.tell * (1 if anew else 0.5)
        assert not (belief.sure and belief.expression == "unsure")
        previous = belief


@pytest.mark.parametrize(
    ("caution", "overrides", "expected"),
    [
        (0.0, {}, {"happy": -4.5, "sad": -4.5}),
        (1.0, {}, {"happy": -3.5, "sad": -3.5}),
        (-1.0, {}, {"happy": -5.5, "sad": -5.5}),
        (1.0, {"happy": 0.5}, {"happy": 0.0, "sad": -3.5}),
        (0.0, {"happy": 1.0, "sad": 0.0}, {"happy": 4.6, "sad": -4.6}),
        (0.0, {"angry": 0.5}, {"happy": -4.5, "sad": -4.5}),
    ],
)
def test_caution_raises_thresholds_and_a_profile_may_override_one(
    caution: float, overrides: dict[str, float], expected: dict[str, float]
) -> None:
    assert least_margins(("happy", "sad"), caution, overrides) == pytest.approx(expected, abs=0.005)


def test_a_cautious_family_is_told_less_of_a_slight_smile() -> None:
    smile = steady(CALM, 0, 10) + steady(face(happy=-2.8), 10, 14)
    assert settled_t(run(smile)) is not None
    assert settled_t(run(smile, replace(RULE, caution=1.0))) is None


@pytest.mark.parametrize(
    ("labels", "scores", "doubted"),
    [
        (FEW, (0.02, 0.04, 0.04, 0.9), True),
        (FEW, (0.1, 0.1, 0.2, 0.6), True),
        (FEW, (0.3, 0.2, 0.1, 0.4), True),
        (FEW, (0.4, 0.3, 0.1, 0.2), False),
        (FEW[:3], (0.1, 0.1, 0.8), False),
    ],
)
def test_a_face_is_doubted_when_the_network_says_so_of_one_real_face_in_150(
    labels: tuple[str, ...], scores: tuple[float, ...], doubted: bool
) -> None:
    rule = SettleRule(labels=labels, least=dict.fromkeys(labels, -2.0))
    assert is_doubted(settle(None, scores, 0.0, rule)) is doubted


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_doubt_comes_and_goes_with_a_time_constant_of_four_tenths_of_a_second(fps: float) -> None:
    no_face = (0.0, *(0.02,) * 7, 0.86)
    beliefs = run(steady(CALM, 0, 2, fps) + steady(no_face, 2, 4, fps) + steady(CALM, 4, 8, fps))
    doubted_t = next(belief.t for belief in beliefs if is_doubted(belief))
    trusted_t = next(belief.t for belief in beliefs if belief.t > 4 and not is_doubted(belief))
    # Smoothed, 0.86 is over a quarter after so long, and under it again. A change is seen a frame early.
    assert doubted_t == pytest.approx(2 + 0.4 * math.log(0.86 / 0.61), abs=1 / fps)
    assert trusted_t == pytest.approx(4 + 0.4 * math.log(0.86 / 0.25), abs=1 / fps)


def test_a_face_is_confirmed_once_it_was_read_for_a_quarter_of_a_second() -> None:
    rule = SettleRule(labels=FEW, least=dict.fromkeys(FEW, -2.0))
    belief, confirmed = None, []
    for n in range(8):
        belief = settle(belief, (0.7, 0.2, 0.1, 0.0), 5 + n / 15, rule)
        confirmed.append(is_confirmed(belief))
    assert confirmed == [False] * 4 + [True] * 4
    for n in range(8, 20):
        belief = settle(belief, (0.1, 0.0, 0.0, 0.9), 5 + n / 15, rule)
    assert not is_confirmed(belief)


@pytest.mark.parametrize(
    ("before", "happy", "neutral", "after", "in_flux"),
    [
        ("unsure", 1.0, 0.0, "happy", False),
        ("unsure", 0.999, 0.0, "unsure", True),
        ("unsure", 0.0, 1.0, "neutral", False),
        ("unsure", 0.0, 0.999, "unsure", False),
        ("unsure", 0.001, 2.0, "unsure", True),
        ("neutral", 1.0, 2.0, "happy", False),
        ("happy", 0.5, 0.0, "happy", True),
        ("happy", 0.499, 0.0, "unsure", True),
        ("happy", 0.0, 1.0, "neutral", False),
    ],
)
def test_an_expression_settles_with_just_enough_evidence_and_ends_with_less_than_half(
    before: str, happy: float, neutral: float, after: str, in_flux: bool
) -> None:
    evidence = [0.0] * 8
    evidence[0], evidence[-1] = happy * RULE.tell, neutral * RULE.tell
    first = settle(None, CALM, 5.0, RULE)
    belief = msgspec.structs.replace(first, expression=before, since_t=3.0, evidence=tuple(evidence))
    # In no time evidence neither grows nor falls.
    now = settle(belief, CALM, 5.0, RULE)
    assert (now.expression, now.since_t) == (after, 3.0 if after == before else 5.0)
    assert is_in_flux(now, RULE) == in_flux
