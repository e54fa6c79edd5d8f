import numpy as np
import pytest
from benchmarks.heads.expressions import ways
from benchmarks.heads.strengths import stretches
from benchmarks.heads.timeline import FPS, SHOWN, Clip, Stretch

CLIPS = [Clip("test", number, ways("test", number)) for number in range(6)]

STRENGTHS = [
    (0.9, 0.0),
    (1.0, 0.0),
    (1.25, 0.5),
    (1.5, 1.0),
    (2.0, 1.0),
    (3.0, 1.0),
    (3.5, 0.5),
    (4.0, 0.0),
    (9.0, 0.0),
]


@pytest.mark.parametrize(("t", "strength"), STRENGTHS)
def test_an_expression_rises_stays_and_fades(t: float, strength: float) -> None:
    assert Stretch("happy", 1.0, 1.5, 3.0, 4.0).strength(t) == pytest.approx(strength)


@pytest.mark.parametrize("clip", CLIPS)
def test_a_clip_shows_each_expression_once_with_calm_or_talk_between(clip: Clip) -> None:
    kinds = [one.kind for one in clip.stretches]
    assert sorted(kinds[1::2]) == sorted(SHOWN)
    assert set(kinds[::2]) == {"calm", "talk"}
    for one, after in zip(clip.stretches, clip.stretches[1:], strict=False):
        assert one.end == after.begin
        assert one.begin <= one.apex < one.fall <= one.end


@pytest.mark.parametrize("clip", CLIPS)
def test_the_truth_stands_at_every_frame(clip: Clip) -> None:
    for number in range(clip.frames):
        t = number / FPS
        moment = clip.moment(t)
        stretch = moment.stretch
        assert stretch.begin <= t < stretch.end
        if stretch.kind in SHOWN and stretch.apex <= t <= stretch.fall:
            assert (moment.shown, moment.strength) == (stretch.kind, 1.0)
        if stretch.kind not in SHOWN:
            assert moment.shown == "neutral"


def test_what_is_drawn_is_the_truth() -> None:
    """The smile's unit follows the strength of the smile, and is at rest without one."""
    made = ways("test", 0)
    for number in range(CLIPS[0].frames):
        moment = CLIPS[0].moment(number / FPS)
        smile = moment.pose.units.get("mouthSmileLeft", 0.0) / (1 + made.skew)
        at_rest = made.rest["mouthSmile"]
        if moment.stretch.kind == "happy":
            full = made.full["happy"]["mouthSmile"]
            assert smile == pytest.approx(at_rest + moment.strength * (full - at_rest))
        elif moment.stretch.kind == "calm":
            assert smile == pytest.approx(at_rest)


@pytest.mark.parametrize("clip", CLIPS)
def test_people_blink_and_talkers_move_their_mouths(clip: Clip) -> None:
    moments = [clip.moment(t) for t in np.arange(0, clip.seconds, 0.02)]
    assert max(one.pose.units["eyeBlinkLeft"] for one in moments) > 0.9
    assert np.mean([one.pose.units["eyeBlinkLeft"] == 0 for one in moments]) > 0.8
    talk, calm = (
        [one.pose.units.get("jawOpen", 0) for one in moments if one.stretch.kind == kind] for kind in ("talk", "calm")
    )
    assert np.std(talk) > 0.03
    assert max(calm) == 0
    # A surprise opens the jaw wider than talk does.
    assert max(talk) < 0.5


@pytest.mark.parametrize("most", [0.15, 0.6, 1.0])
def test_a_smile_is_as_strong_as_it_is_asked_to_be(most: float) -> None:
    own = ways("test", 0)
    clip = Clip("test", 0, own, stretches(most))
    calm, smile = clip.stretches
    assert clip.seconds == smile.end
    strengths = [clip.moment(t).strength for t in np.linspace(smile.begin, smile.end - 0.01, 200)]
    assert max(strengths) == pytest.approx(most)
    assert clip.moment(calm.end - 0.01).shown == "neutral"
    apex = clip.moment(smile.apex + 0.3).pose.units["mouthSmileLeft"]
    at_rest, full = (own.face("happy", strength)["mouthSmileLeft"] for strength in (0.0, 1.0))
    assert apex == pytest.approx(at_rest + most * (full - at_rest), abs=0.02)


def test_heads_move_and_do_not_jump() -> None:
    for clip in CLIPS:
        turns = np.array([clip.moment(number / FPS).pose.yaw for number in range(clip.frames)])
        assert np.ptp(turns) > 2
        places = np.array([clip.moment(number / FPS).place for number in range(clip.frames)])
        assert np.abs(np.diff(places, axis=0)).max() < 0.15


def test_the_same_person_gives_the_same_clip_and_another_split_another() -> None:
    again = Clip("test", 0, ways("test", 0))
    assert [again.moment(t) for t in (1.0, 4.0, 9.0)] == [CLIPS[0].moment(t) for t in (1.0, 4.0, 9.0)]
    assert Clip("train", 0, ways("train", 0)).stretches != CLIPS[0].stretches
