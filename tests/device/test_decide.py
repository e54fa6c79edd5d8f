from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cuelens.decide import Memory, PolicyRule, decide
from cuelens.settle import Belief
from cuelens.types import Cue, Face

ALL = frozenset({"happy", "sad", "surprise"})
RULE = PolicyRule(
    gap_s=3.0,
    same_expression_s=8.0,
    spoken_per_minute=6,
    face_absence_s=3.0,
    face_outputs=("light",),
    outputs=dict.fromkeys(ALL, ("light", "voice")),
)
NEAR = Face(1, (100, 100, 120, 120))
FAR = Face(2, (400, 100, 60, 60))

Beat = tuple[float, tuple[Face, ...], dict[int, Belief]]


def believed(expression: str, since_t: float) -> Belief:
    return Belief(since_t, since_t, (1.0,), expression, since_t, expression, since_t, 0.9, 0.0)


def play(beats: list[Beat], rule: PolicyRule = RULE) -> list[Cue]:
    memory, cues = Memory(), []
    for t, faces, beliefs in beats:
        memory, cue = decide(memory, t, faces, beliefs, rule)
        if cue:
            cues.append(cue)
    return cues


def facing(
    expression: str, settled_t: float, begin: float, end: float, faces: tuple[Face, ...] = (NEAR,)
) -> list[Beat]:
    times = [begin + n / 15 for n in range(round((end - begin) * 15))]
    return [
        (
            t,
            faces,
            {faces[0].track: believed(expression if t >= settled_t else "unsure", settled_t if t >= settled_t else 0)},
        )
        for t in times
    ]


def test_a_face_after_three_seconds_alone_is_a_soft_light_without_sound() -> None:
    cues = play(facing("unsure", 0, 5, 6))
    assert [(cue.kind, cue.outputs) for cue in cues] == [("face", ("light",))]


def test_a_face_that_was_only_away_for_a_moment_is_no_news() -> None:
    cues = play([*facing("unsure", 0, 5, 9), *facing("unsure", 0, 11, 14)])
    assert [cue.kind for cue in cues] == ["face"]


def test_an_expression_is_told_once_however_long_it_lasts() -> None:
    cues = play(facing("happy", 10, 5, 60))
    assert [(cue.kind, round(cue.t)) for cue in cues] == [("face", 5), ("expression", 10)]


def test_neutral_and_unsure_are_silent() -> None:
    assert [cue.kind for cue in play(facing("neutral", 10, 5, 60))] == ["face"]


def test_an_expression_held_up_by_the_gap_is_told_when_it_is_over() -> None:
    (_, happy) = play(facing("happy", 6, 5, 20))
    assert 8.0 <= happy.t < 8.1


def test_an_expression_that_is_over_when_the_limit_allows_is_dropped() -> None:
    beats = [*facing("happy", 5.5, 5, 7), *facing("unsure", 7, 7, 20)]
    assert [cue.kind for cue in play(beats)] == ["face"]


def test_the_same_expression_waits_eight_seconds_even_on_another_face() -> None:
    other = Face(7, NEAR.box)
    cues = play([*facing("happy", 10, 5, 12), *facing("happy", 14, 12, 30, (other,))])
    assert [(cue.expression, round(cue.t)) for cue in cues] == [(None, 5), ("happy", 10), ("happy", 18)]


def test_with_two_faces_in_view_the_nearest_one_speaks() -> None:
    beliefs = {1: believed("sad", 10), 2: believed("happy", 10)}
    cues = play([(7.5, (FAR, NEAR), {}), (9.0, (FAR, NEAR), {}), (10.5, (FAR, NEAR), beliefs)])
    assert [(cue.track, cue.expression) for cue in cues] == [(1, None), (1, "sad")]


def test_an_expression_without_a_cue_gives_none() -> None:
    assert [cue.kind for cue in play(facing("disgust", 10, 5, 20))] == ["face"]


def test_an_expression_that_was_told_is_not_told_again_when_its_face_was_away_for_a_moment() -> None:
    assert [cue.expression for cue in play([*facing("happy", 10, 5, 12), *facing("happy", 10, 13, 40)])] == [
        None,
        "happy",
    ]


def test_without_sound_cues_are_lights_only() -> None:
    cues = play(facing("happy", 10, 5, 20), replace(RULE, outputs=dict.fromkeys(ALL, ("light",))))
    assert {cue.outputs for cue in cues} == {("light",)}


@st.composite
def streams(draw: st.DrawFn) -> list[Beat]:
    """Any stream of beats: one to three faces that come and go, with expressions settled whenever."""
    t, beats = 0.0, []
    since: dict[int, tuple[str, float]] = {}
    for _ in range(draw(st.integers(20, 250))):
        t += draw(st.sampled_from([1 / 15, 0.3, 1.0, 4.0]))
        faces = tuple(Face(track, (0, 0, draw(st.integers(20, 200)), 50)) for track in (1, 2, 3) if draw(st.booleans()))
        for face in faces:
            expression = draw(st.sampled_from(["happy", "sad", "surprise", "neutral", "unsure", "fear"]))
            if since.get(face.track, ("", 0.0))[0] != expression:
                since[face.track] = (expression, t)
        beats.append((t, faces, {face.track: believed(*since[face.track]) for face in faces}))
    return beats


@settings(deadline=None)
@given(streams(), st.integers(0, 6))
def test_no_stream_whatever_breaks_a_limit(beats: list[Beat], per_minute: int) -> None:
    rule = replace(RULE, spoken_per_minute=per_minute)
    cues = play(beats, rule)
    seen = {t: (faces, beliefs) for t, faces, beliefs in beats}
    assert all(later.t - earlier.t >= rule.gap_s for earlier, later in pairwise(cues))
    for cue in cues:
        faces, beliefs = seen[cue.t]
        assert cue.track in {face.track for face in faces}
        if cue.kind == "expression":
            assert beliefs[cue.track].expression == cue.expression
            assert cue.expression in ALL
            told_before = [
                other.t
                for other in cues
                if other.t < cue.t
                and other.expression == cue.expression
                and (len(faces) == 1 or other.track == cue.track)
            ]
            assert all(cue.t - t >= rule.same_expression_s for t in told_before)
        else:
            assert cue.outputs == ("light",)
    spoken = [cue.t for cue in cues if "voice" in cue.outputs]
    assert all(sum(t - 60 < other <= t for other in spoken) <= per_minute for t in spoken)
    assert play(beats, rule) == cues
