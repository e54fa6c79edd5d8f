"""Settling, a mode and the limits together: who is spoken of, what is spoken, and what is learned."""

from typing import Any

import msgspec
import pytest

from cuelens.calibration.correction import Correction, corrector
from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule
from cuelens.cues.modes import modes
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.policy import CuePolicy
from cuelens.cues.settling import SettleRule
from cuelens.types import Cue, Face

LABELS = ("neutral", "happy", "sad", "contempt")
SETTLING = SettleRule(labels=LABELS, least=dict.fromkeys(LABELS, -2.0))
LIMITS = LimitRule(
    gap_s=3.0,
    answer_gap_s=1.0,
    same_expression_s=8.0,
    spoken_per_minute=6,
    outputs=dict.fromkeys(("happy", "sad", "neutral", "unsure", "nobody"), ("light", "voice")) | {"guess": ("light",)},
)
FACE = Face(1, (100, 100, 100, 100))


def sure_of(label: str, probability: float) -> tuple[float, ...]:
    rest = (1 - probability) / (len(LABELS) - 1)
    return tuple(probability if each == label else rest for each in LABELS)


HAPPY_AND_SAD = {1: sure_of("happy", 0.96), 2: sure_of("sad", 0.96)}


def policy(mode: str = "companion", **options: Any) -> CuePolicy:
    return CuePolicy(SETTLING, LIMITS, modes()[mode], PlayRule(), FadingRule(), remembered_s=2.0, **options)


def watch(
    subject: CuePolicy, scores: tuple[float, ...], seconds: float, begin: float = 0.0, asked_t: float | None = None
) -> list[Cue]:
    cues = []
    for n in range(round(seconds * 15)):
        t = begin + n / 15
        press = asked_t is not None and t - 1 / 15 < asked_t <= t
        cues += [cue] if (cue := subject.step(t, [FACE], {1: scores}, press=press).cue) else []
    return cues


@pytest.mark.parametrize(("probability", "outputs"), [(0.7, ("light",)), (0.8, ("light",)), (0.96, ("light", "voice"))])
def test_unasked_a_voice_tells_only_what_is_surer_than_a_light_needs(
    probability: float, outputs: tuple[str, ...]
) -> None:
    (cue,) = watch(policy(), sure_of("happy", probability), 5)
    assert (cue.word, cue.outputs) == ("happy", outputs)


@pytest.mark.parametrize(("calm_s", "words"), [(0, []), (5, ["happy"])])
def test_a_slight_smile_is_told_only_of_a_face_that_is_known(calm_s: int, words: list[str]) -> None:
    subject = policy()
    assert watch(subject, sure_of("neutral", 0.98), calm_s) == []
    assert [cue.word for cue in watch(subject, sure_of("happy", 0.5), 5, begin=calm_s)] == words


@pytest.mark.parametrize(("nats", "words"), [(0.0, ["happy"]), (2.0, ["happy"]), (-6.0, [])], ids=["not", "up", "down"])
def test_readings_are_corrected_where_they_are_settled(nats: float, words: list[str]) -> None:
    change = corrector(LABELS, Correction(shift={"happy": nats}))
    scores = sure_of("happy", 0.9)
    subject = policy(correct=change)
    assert [cue.word for cue in watch(subject, scores, 5)] == words
    # Beliefs, and so answers, are about what is corrected; whoever gave the readings keeps them.
    settled = subject.beliefs[1].plain
    assert settled == pytest.approx(change(scores) if change else scores)
    assert scores == sure_of("happy", 0.9)


def test_an_answer_is_spoken_all_the_same() -> None:
    cues = watch(policy(), sure_of("happy", 0.8), 6, asked_t=5.0)
    assert [(cue.kind, cue.outputs) for cue in cues] == [("expression", ("light",)), ("answer", ("light", "voice"))]


@pytest.mark.parametrize(
    ("central", "width", "spoken_of"), [(False, 640, 2), (True, 640, 1), (True, None, 2), (False, None, 2)]
)
def test_of_several_faces_the_nearest_or_the_most_central_is_spoken_of(
    central: bool, width: int | None, spoken_of: int
) -> None:
    subject = policy(central=central)
    faces = [Face(1, (280, 100, 80, 80)), Face(2, (500, 100, 120, 120))]
    cues = []
    for n in range(45):
        cues += [cue] if (cue := subject.step(n / 15, faces, HAPPY_AND_SAD, width=width).cue) else []
    assert [cue.track for cue in cues] == [spoken_of]


def test_the_middle_of_a_face_is_that_of_its_width() -> None:
    faces = [Face(1, (300, 20, 40, 400)), Face(2, (400, 100, 60, 60))]
    subject = policy(central=True)
    cues = [subject.step(n / 15, faces, HAPPY_AND_SAD, width=640).cue for n in range(45)]
    assert [cue.track for cue in cues if cue] == [1]


@pytest.mark.parametrize(("left", "right", "spoken_of"), [(200, 370, 2), (180, 470, 1), (60, 410, 2)])
def test_the_middle_of_the_picture_is_that_of_its_width(left: int, right: int, spoken_of: int) -> None:
    faces = [Face(1, (left, 100, 60, 60)), Face(2, (right, 100, 60, 60))]
    subject = policy(central=True)
    cues = [subject.step(n / 15, faces, HAPPY_AND_SAD, width=640).cue for n in range(45)]
    assert [cue.track for cue in cues if cue] == [spoken_of]


def test_an_expression_without_a_cue_is_answered_as_nothing_that_can_be_told() -> None:
    """The limits have no word for contempt here, and none for a face: nothing is made up in its place."""
    assert watch(policy(), sure_of("contempt", 0.96), 6, asked_t=4.0) == []


def test_what_is_about_no_face_is_told_whoever_is_in_view() -> None:
    limits = msgspec.structs.replace(LIMITS, outputs={"find happy": ("light",), "nobody": ("light",)})
    for faces, press, expected in (([FACE], False, (None, "find happy")), ([], True, (None, "nobody"))):
        name = "companion" if press else "smile"
        subject = CuePolicy(SETTLING, limits, modes()[name], PlayRule(), FadingRule(), remembered_s=2.0)
        readings = {face.track: sure_of("neutral", 0.96) for face in faces}
        cues = [subject.step(n / 15, faces, readings, press=press and n == 0).cue for n in range(30)]
        assert [(cue.track, cue.word) for cue in cues if cue] == [expected]


def test_what_explore_learns_fades_the_cues_of_a_later_session() -> None:
    subject = policy("explore")
    watch(subject, sure_of("happy", 0.96), 4, asked_t=2.0)
    assert subject.answered_first == (True,)
    later = policy("companion", answered_first=subject.answered_first * 12)
    (cue,) = watch(later, sure_of("happy", 0.96), 5)
    at_once = watch(policy("companion"), sure_of("happy", 0.96), 5)[0]
    assert cue.t - at_once.t == pytest.approx(2.0, abs=0.1)


def test_a_new_session_believes_nothing_of_the_last() -> None:
    subject = policy()
    (told,) = watch(subject, sure_of("happy", 0.96), 2)
    subject.begin()
    assert subject.beliefs == {}
    # The limits go on from the last cue: the same smile waits its eight seconds.
    (cue,) = watch(subject, sure_of("happy", 0.96), 12, begin=3.0)
    assert cue.t == pytest.approx(told.t + 8.0, abs=0.2)


@pytest.mark.parametrize(("unread_s", "word"), [(2.6, "happy"), (3.6, "unsure")], ids=["seldom read", "too small"])
def test_what_is_believed_of_a_face_in_view_lasts_three_seconds(unread_s: float, word: str) -> None:
    subject = policy()
    watch(subject, sure_of("happy", 0.96), 2)
    assert subject.step(2.0 + unread_s, [FACE], {}).words == {1: word}
    # Of a face that is out of view it is kept for two seconds.
    gone = policy()
    watch(gone, sure_of("happy", 0.96), 2)
    gone.step(4.5, [], {})
    assert gone.beliefs == {}


def test_what_may_be_said_of_a_face_follows_the_profile() -> None:
    subject = policy(tell_as={"happy": "smile", "unsure": "unsure"}.get)
    happy = {1: sure_of("happy", 0.96)}
    first = subject.step(0.0, [FACE], happy)
    assert (first.words, first.changed) == ({1: "unsure"}, {1})
    watch(subject, happy[1], 2, begin=1 / 15)
    later = subject.step(3.0, [FACE], happy)
    assert (later.words, later.changed) == ({1: "smile"}, frozenset())


def test_a_box_that_is_probably_no_face_is_read_four_times_a_second() -> None:
    labels = (*LABELS, "not_a_face")
    settling = SettleRule(labels=labels, least=dict.fromkeys(labels, -2.0))
    subject = CuePolicy(settling, LIMITS, modes()["companion"], PlayRule(), FadingRule(), remembered_s=2.0)
    read = []
    for n in range(10, 40):
        due = subject.due(n / 15, [FACE])
        read += [n] if due else []
        subject.step(n / 15, [FACE], {face.track: (0.1, 0.0, 0.0, 0.0, 0.9) for face in due})
    assert read == list(range(10, 40, 4))


def test_each_face_in_view_is_read() -> None:
    faces = [Face(1, (100, 100, 100, 100)), Face(2, (400, 100, 60, 60))]
    assert policy().due(0.0, faces) == faces


def test_a_reduced_beat_reads_the_largest_face_if_nobody_is_attended_to() -> None:
    faces = [Face(1, (0, 200, 50, 200)), Face(2, (300, 0, 90, 60)), Face(3, (500, 300, 40, 40))]
    assert policy().due(0.0, faces, reduced=True) == [faces[1]]
    assert policy().due(0.0, [], reduced=True) == []


@pytest.mark.parametrize("others", [(), (Face(9, (500, 300, 40, 40)),)], ids=["alone", "beside somebody"])
def test_who_is_alone_and_gets_another_number_is_not_told_of_again(others: tuple[Face, ...]) -> None:
    subject = policy()
    cues = []
    for n in range(90):
        faces = [Face(1 if n < 45 else 2, (200, 100, 120, 120)), *others]
        readings = {face.track: sure_of("happy" if face.track < 9 else "neutral", 0.96) for face in faces}
        cues += [cue.track] if (cue := subject.step(n / 15, faces, readings).cue) else []
    assert cues == ([1, 2] if others else [1])


def test_two_faces_of_one_size_do_not_take_turns() -> None:
    subject = policy()
    cues = []
    for n in range(60):
        faces = [Face(1, (100, 100, 100 + n % 3, 100)), Face(2, (400, 100, 102 - n % 3, 100))]
        cues += [cue.track] if (cue := subject.step(n / 15, faces, HAPPY_AND_SAD).cue) else []
        assert n < 5 or subject.due(n / 15, faces, reduced=True, closely=True) == [faces[0]]
    assert cues == [1]
    # One who is clearly nearer is spoken of.
    nearer = [Face(1, (100, 100, 100, 100)), Face(2, (400, 100, 130, 100))]
    subject.step(4.0, nearer, HAPPY_AND_SAD)
    assert subject.due(4.0, nearer, reduced=True, closely=True) == [nearer[1]]
