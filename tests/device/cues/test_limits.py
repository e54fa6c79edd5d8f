"""The limits on what is told, by hand and for any stream of readings, any presses and any mode, honest or not."""

import math
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuelens.cues import limits
from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule, RecentCues
from cuelens.cues.modes import modes
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.cues.policy import CuePolicy
from cuelens.cues.settling import SettleRule, answer
from cuelens.types import Cue, Face, Wish

RULE = LimitRule(
    gap_s=3.0,
    answer_gap_s=1.0,
    same_expression_s=8.0,
    spoken_per_minute=6,
    outputs=dict.fromkeys(("happy", "sad", "unsure", "nobody", "neutral", "find happy"), ("light", "voice"))
    | {"face": ("light",), "guess": ("light",)},
)
LABELS = ("neutral", "happy", "sad", "fear", "not_a_face")
SETTLING = SettleRule(
    LABELS, dict.fromkeys(LABELS, -2.0), dwell_s=0.1, tell=0.1, rise=0.0, strange=0.0, unsteady=0.0, ahead=0.0
)
"""It settles so fast that random streams have cues about expressions, too."""
HAPPY = Wish("expression", 1, "happy")
ANSWER = Wish("answer", 1, "happy")


def recent(*cues: tuple[float, Wish]) -> RecentCues:
    state = RecentCues()
    for t, wish in cues:
        state = limits.after(state, t, wish, RULE.outputs[wish.word], RULE)
    return state


@pytest.mark.parametrize(
    ("before", "t", "wish", "allowed"),
    [
        ((), 0.0, HAPPY, True),
        # An expression and a question about one follow a greeting at once; nothing else does.
        (((0.0, Wish("face", 1, "face")),), 0.1, HAPPY, True),
        (((0.0, Wish("face", 1, "face")),), 0.1, Wish("prompt", 1, "guess"), True),
        (((0.0, Wish("face", 1, "face")),), 2.9, Wish("prompt", None, "find happy"), False),
        (((0.0, Wish("face", 1, "face")),), 2.9, Wish("expression", None, "happy"), False),
        (((0.0, Wish("face", 1, "face")),), 2.9, Wish("face", 2, "face"), False),
        (((0.0, Wish("face", 1, "face")),), 0.9, ANSWER, False),
        (((0.0, Wish("face", 1, "face")), (1.0, HAPPY)), 3.9, Wish("expression", 1, "sad"), False),
        (((0.0, HAPPY), (3.0, Wish("face", 1, "face"))), 3.1, Wish("expression", 1, "sad"), True),
        (((0.0, HAPPY),), 7.9, HAPPY, False),
        (((0.0, HAPPY),), 8.0, HAPPY, True),
        (((0.0, HAPPY),), 4.0, Wish("expression", 1, "sad"), True),
        (((0.0, HAPPY),), 4.0, Wish("expression", 2, "happy"), False),
        (((0.0, HAPPY),), 0.9, ANSWER, False),
        (((0.0, HAPPY),), 1.0, ANSWER, True),
        (((0.0, ANSWER),), 7.9, HAPPY, False),
        ((), 0.0, Wish("expression", 1, "neutral"), False),
        ((), 0.0, Wish("prompt", 1, "unsure"), False),
        ((), 0.0, Wish("answer", 1, "unsure"), True),
        ((), 0.0, Wish("expression", 1, "contempt"), False),
    ],
)
def test_what_may_be_told_when(before: tuple[tuple[float, Wish], ...], t: float, wish: Wish, allowed: bool) -> None:
    assert bool(limits.outputs(recent(*before), t, wish, RULE, alone=True, muted=False)) is allowed


ASKED = Wish("prompt", 1, "guess")


@pytest.mark.parametrize(
    ("before", "t", "wish", "allowed"),
    [
        ([ASKED], 0.9, ANSWER, False),
        ([ASKED], 1.0, ANSWER, True),
        ([ASKED], 1.0, HAPPY, True),
        # Another cue than its answer keeps the gap: about another face, another question, what comes after the answer.
        ([ASKED], 9.9, Wish("expression", 2, "happy"), False),
        ([ASKED], 9.9, Wish("answer", None, "nobody"), False),
        ([ASKED], 9.9, ASKED, False),
        ([ASKED, ANSWER], 9.9, Wish("expression", 1, "sad"), False),
        ([Wish("prompt", None, "find happy")], 9.9, Wish("answer", None, "find happy"), False),
    ],
)
def test_the_answer_to_a_question_keeps_no_gap_but_a_second(
    before: list[Wish], t: float, wish: Wish, allowed: bool
) -> None:
    rule = msgspec.structs.replace(RULE, gap_s=10.0, answer_gap_s=10.0)
    cues = recent(*((0.0, cue) for cue in before))
    assert bool(limits.outputs(cues, t, wish, rule, alone=True, muted=False)) is allowed


def test_with_more_faces_each_may_be_told_the_same() -> None:
    other = Wish("expression", 2, "happy")
    assert limits.outputs(recent((0.0, HAPPY)), 4.0, other, RULE, alone=False, muted=False)
    assert not limits.outputs(recent((0.0, HAPPY)), 4.0, HAPPY, RULE, alone=False, muted=False)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [(HAPPY, ()), (Wish("face", 1, "face"), ()), (Wish("prompt", None, "find happy"), ()), (ANSWER, ("light",))],
)
def test_a_muted_wearer_is_told_nothing_unasked_and_answered_by_light(wish: Wish, expected: tuple[str, ...]) -> None:
    assert limits.outputs(RecentCues(), 0.0, wish, RULE, alone=True, muted=True) == expected


def test_the_seventh_spoken_cue_in_a_minute_is_a_light() -> None:
    state = recent(*((9.0 * n, Wish("expression", n, "happy")) for n in range(6)))
    assert limits.outputs(state, 54.0, HAPPY, RULE, alone=False, muted=False) == ("light",)
    assert limits.outputs(state, 54.0, ANSWER, RULE, alone=False, muted=False) == ("light",)
    assert limits.outputs(state, 60.0, HAPPY, RULE, alone=False, muted=False) == ("light", "voice")


def chatter(state: Any, moment: Moment, rule: PlayRule) -> Step:
    """A mode that wishes for everything, all the time, about anybody, and asks nobody whether it may."""
    kinds = ("expression", "answer", "face", "prompt")
    words = ("happy", "sad", "neutral", "unsure", "fear", "find happy")
    tracks = (moment.track, 1, 2, 3, None)
    return Step(state + 1, Wish(kinds[state % 4], tracks[state % 5], words[state % 6]))


ROGUE = Mode("rogue", "Chatters.", 0, chatter)
MODES = [*modes().values(), ROGUE]

Beat = tuple[float, tuple[Face, ...], dict[int, tuple[float, ...]], bool, bool]


@st.composite
def streams(draw: st.DrawFn) -> list[Beat]:
    """Any stream: up to three faces that come and go, any readings that persist or flicker, presses and mutes."""
    t, beats = 0.0, []
    scores = dict.fromkeys((1, 2, 3), (0.2,) * 5)
    muted = False
    for _ in range(draw(st.integers(20, 200))):
        t += draw(st.sampled_from([1 / 15, 1 / 15, 1 / 15, 0.3, 1.0, 4.0]))
        faces = tuple(Face(track, (0, 0, draw(st.integers(20, 200)), 50)) for track in (1, 2, 3) if draw(st.booleans()))
        for face in faces:
            if draw(st.integers(0, 9)) == 0:
                sure = draw(st.integers(0, 4))
                scores[face.track] = tuple(0.9 if place == sure else 0.025 for place in range(5))
        muted ^= draw(st.integers(0, 29)) == 0
        beats.append((t, faces, {face.track: scores[face.track] for face in faces}, draw(st.booleans()), muted))
    return beats


def play(beats: list[Beat], mode: Mode, rule: LimitRule, settling: SettleRule = SETTLING) -> list[tuple[Cue, str, str]]:
    """Return the cues, each with what was settled on of its face then, and what was clear enough for an answer."""
    policy = CuePolicy(settling, rule, mode, PlayRule(), FadingRule(), remembered_s=2.0)
    cues = []
    for t, faces, scores, press, muted in beats:
        if cue := policy.step(t, faces, scores, press=press, muted=muted).cue:
            belief = policy.beliefs.get(cue.track) if cue.track else None
            words = (belief.expression, answer(belief, settling)) if belief else ("unsure", "unsure")
            cues.append((cue, *words))
    return cues


def gap_s(earlier: Cue, later: Cue, rule: LimitRule) -> float:
    """Return the shortest time between two cues: after a question about a face, its answer may come in a second."""
    asked = earlier.kind == "prompt" and earlier.track is not None
    if asked and later.kind in ("expression", "answer") and later.track == earlier.track:
        return 1.0
    return rule.answer_gap_s if later.kind == "answer" else rule.gap_s


@pytest.mark.parametrize("mode", MODES, ids=[mode.name for mode in MODES])
@settings(deadline=None, max_examples=40)
@given(streams(), st.integers(0, 6))
def test_no_stream_whatever_breaks_a_limit(mode: Mode, beats: list[Beat], per_minute: int) -> None:
    rule = msgspec.structs.replace(RULE, spoken_per_minute=per_minute)
    played = play(beats, mode, rule)
    cues = [cue for cue, *_ in played]
    seen = {t: (faces, muted) for t, faces, _, _, muted in beats}
    for earlier, later in pairwise(cues):
        follows = earlier.kind == "face" and later.kind in ("expression", "prompt") and later.track is not None
        if not follows:
            assert later.t - earlier.t >= gap_s(earlier, later, rule)
    # Nothing but a greeting may precede a cue about an expression within the gap.
    for earlier, later in pairwise([cue for cue in cues if cue.kind != "face"]):
        assert later.t - earlier.t >= gap_s(earlier, later, rule)
    for cue in cues:
        faces, muted = seen[cue.t]
        assert cue.word in rule.outputs
        assert cue.track is None or cue.track in {face.track for face in faces}
        assert set(cue.outputs) <= set(rule.outputs[cue.word]) & mode.outputs
        if cue.kind == "answer":
            continue
        assert not muted
        assert cue.word not in ("neutral", "unsure", "nobody")
        before = [
            other.t
            for other in cues
            if other.t < cue.t
            and (other.kind, other.word) == (cue.kind, cue.word)
            and (len(faces) == 1 or other.track == cue.track)
        ]
        assert cue.kind != "expression" or cue.t - max(before, default=-math.inf) >= rule.same_expression_s
    assert not [cue for cue in cues if seen[cue.t][1] and "voice" in cue.outputs]
    spoken = [cue.t for cue in cues if "voice" in cue.outputs]
    assert all(sum(t - 60 < other <= t for other in spoken) <= per_minute for t in spoken)
    assert play(beats, mode, rule) == played


@settings(deadline=None, max_examples=60)
@given(streams())
def test_silence_follows_uncertainty(beats: list[Beat]) -> None:
    """What companion tells of an expression, unasked or asked, was settled on in that very beat, of a face in view."""
    seen = {t: {face.track for face in faces} for t, faces, _, _, _ in beats}
    for cue, settled, clear in play(beats, modes()["companion"], RULE):
        if cue.kind == "expression":
            assert cue.word == settled
            assert cue.track in seen[cue.t]
        elif cue.kind == "answer" and cue.track is not None:
            assert cue.word in (clear, "face")


def test_a_stream_of_doubt_is_silent() -> None:
    beats = [(n / 15, (Face(1, (0, 0, 50, 50)),), {1: (0.3, 0.3, 0.2, 0.1, 0.1)}, False, False) for n in range(300)]
    shipped = SettleRule(LABELS, dict.fromkeys(LABELS, -2.0))
    assert [cue.kind for cue, *_ in play(beats, modes()["companion"], RULE, shipped)] == ["face"]
