"""How often a face is read: seldom while nothing happens, and never so late that something is told later."""

from collections.abc import Callable
from typing import Any

import pytest

from cuelens.cues.fading import FadingRule
from cuelens.cues.limits import LimitRule
from cuelens.cues.modes import modes
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.policy import CuePolicy
from cuelens.cues.settling import SettleRule
from cuelens.types import Face

LABELS = ("neutral", "happy", "sad")
SETTLING = SettleRule(labels=LABELS, least=dict.fromkeys(LABELS, -2.0))
LIMITS = LimitRule(
    gap_s=3.0,
    answer_gap_s=1.0,
    same_expression_s=8.0,
    spoken_per_minute=6,
    outputs=dict.fromkeys((*LABELS, "unsure", "face"), ("light",)),
)
FACE = Face(1, (100, 100, 100, 100))
NEUTRAL, HAPPY, SLIGHT = (0.96, 0.02, 0.02), (0.02, 0.96, 0.02), (0.55, 0.43, 0.02)


class Watch:
    """A policy that reads a face when it is due, fifteen beats a second."""

    def __init__(self, *, always: bool = False) -> None:
        self.policy = CuePolicy(SETTLING, LIMITS, modes()["companion"], PlayRule(), FadingRule(), remembered_s=2.0)
        self.always = always
        self.read: list[int] = []
        self.told: list[tuple[int, str]] = []
        self.n = 0

    def see(
        self,
        scores: tuple[float, ...],
        beats: int,
        fresh: Callable[[Face], bool] | None = None,
        *,
        press: bool = False,
        searched: bool = False,
    ) -> "Watch":
        given: dict[str, Any] = {"closely": press, "searched": searched, "fresh": fresh}
        options = {name: value for name, value in given.items() if value}
        for _ in range(beats):
            t = self.n / 15
            due = self.always or self.policy.due(t, [FACE], **options)
            self.read += [self.n] if due else []
            cue = self.policy.step(t, [FACE], {1: scores} if due else {}, press=press).cue
            self.told += [(self.n, cue.word)] if cue else []
            self.n += 1
        return self


def otherwise(face: Face) -> bool:
    return False


def test_a_calm_face_is_read_in_every_third_beat() -> None:
    watch = Watch().see(NEUTRAL, 150)
    assert len(watch.read) == pytest.approx(50, abs=4)
    assert max(later - earlier for earlier, later in zip(watch.read, watch.read[1:], strict=False)) == 3


def test_a_beat_that_searched_puts_the_reading_of_a_calm_face_off_and_the_next_one_reads() -> None:
    watch = Watch().see(NEUTRAL, 46)
    due = watch.read[-1] + 3
    watch.see(NEUTRAL, due - watch.n).see(NEUTRAL, 1, searched=True)
    assert due not in watch.read
    assert watch.see(NEUTRAL, 1).read[-1] == due + 1


def test_a_search_puts_off_each_reading_but_the_first() -> None:
    watch = Watch().see(NEUTRAL, 4, searched=True)
    assert watch.read == [0]
    assert watch.see(NEUTRAL, 1).read == [0, 4]
    assert watch.see(NEUTRAL, 1, otherwise, searched=True).read == [0, 4]


def test_a_search_puts_off_no_reading_that_somebody_asks_for() -> None:
    assert Watch().see(NEUTRAL, 1).see(NEUTRAL, 1, press=True, searched=True).read == [0, 1]
    assert Watch().see(NEUTRAL, 46).see(NEUTRAL, 1, press=True, searched=True).read[-1] == 46


def test_a_new_face_is_read_in_every_beat_until_it_counts() -> None:
    watch = Watch().see(NEUTRAL, 15)
    assert watch.read[:5] == [0, 1, 2, 3, 4]
    assert watch.told == Watch(always=True).see(NEUTRAL, 15).told


def test_a_face_that_looks_otherwise_is_read_at_once() -> None:
    watch = Watch().see(NEUTRAL, 46)
    for _ in range(6):
        watch.see(NEUTRAL, 1, otherwise)
    assert watch.read[-6:] == [*range(46, 52)]


def test_a_press_is_answered_by_a_reading_of_its_own_beat() -> None:
    for after in range(45, 51):
        assert Watch().see(NEUTRAL, after).see(NEUTRAL, 1, press=True).read[-1] == after


def test_what_is_about_to_settle_or_to_end_is_read_in_every_beat() -> None:
    watch = Watch().see(NEUTRAL, 60).see(HAPPY, 12)
    began = next(n for n in watch.read if n >= 60)
    assert watch.read[watch.read.index(began) :] == [*range(began, 72)]
    watch.see(HAPPY, 60)
    # It has settled: little can change now.
    assert len([n for n in watch.read if n >= 100]) == pytest.approx(32 / 3, abs=2)


def test_a_face_that_is_searched_for_in_every_beat_has_its_expression_told_a_beat_later_at_most() -> None:
    every, alternate = Watch(always=True).see(NEUTRAL, 60).see(HAPPY, 45), Watch()
    for n in range(105):
        alternate.see(NEUTRAL if n < 60 else HAPPY, 1, searched=n % 2 == 1)
    assert len(alternate.read) <= 53
    assert [word for _, word in alternate.told] == [word for _, word in every.told]
    for (late, _), (soon, _) in zip(alternate.told, every.told, strict=True):
        assert late <= soon + 1


@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("scores", [HAPPY, SLIGHT], ids=["clear", "slight"])
@pytest.mark.parametrize("calm_beats", range(60, 66))
def test_an_expression_is_told_no_later_than_by_a_reading_in_every_beat(
    calm_beats: int, scores: tuple[float, ...], *, noticed: bool
) -> None:
    every = Watch(always=True).see(NEUTRAL, calm_beats).see(scores, 45)
    paced = Watch().see(NEUTRAL, calm_beats)
    if noticed:
        paced.see(scores, 1, otherwise)
    paced.see(scores, 45 - noticed)
    assert [word for _, word in paced.told] == [word for _, word in every.told]
    for (late, _), (soon, _) in zip(paced.told, every.told, strict=True):
        # Where nobody noticed the change, it may be one beat later: the first reading is smoothed.
        assert late <= soon + (not noticed)
