"""Explore, "guess": a breathing light asks what the face shows, and the wearer answers first.

A press means "I have it"; then the answer is told, so that the wearer, or a caregiver who was told, can compare.
Without a press the answer follows by itself. Whether the press came first is what fading goes by.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import Wish
from cuelens_models.bundle.expressions import UNSURE

_REMEMBERED: Final = 8
_STILL_TRUE_S: Final = 1.5
"""What was not shown for so long is not told any more."""
_QUIET_WORDS: Final = frozenset({"neutral", UNSURE, "face"})


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked at `t`. shown_t: when the face was last believed to show it. pressed: the wearer has it."""

    track: int | None
    word: str
    t: float
    shown_t: float
    pressed: bool = False


@dataclass(frozen=True, slots=True)
class Explore:
    """handled: expressions that were asked about, by face and moment. question: the one that is open."""

    attention: Attention = field(default_factory=Attention)
    handled: tuple[tuple[int | None, float], ...] = ()
    question: Question | None = None


def step(state: Explore, moment: Moment, rule: PlayRule) -> Step:
    """Ask about what was settled on, and tell the answer after the press or the wait."""
    if state.question:
        return _hear(state, state.question, moment, rule)
    attention, wish = attend(state.attention, moment, rule)
    state = replace(state, attention=attention)
    settled = (moment.track, moment.since_t)
    if wish or moment.expression in _QUIET_WORDS or settled in state.handled:
        return Step(state, wish)
    guess = Wish("prompt", moment.track, "guess")
    if not moment.may(guess) or not moment.may(Wish("expression", moment.track, moment.expression)):
        return Step(state)
    question = Question(moment.track, moment.expression, moment.t, moment.t)
    return Step(replace(state, handled=(*state.handled[1 - _REMEMBERED :], settled), question=question), guess)


def _hear(state: Explore, question: Question, moment: Moment, rule: PlayRule) -> Step:
    """Wait for the press. What is not shown any more is not told; the question is dropped, and a press asks anew."""
    attention = replace(state.attention, face_t=state.attention.face_t if moment.track is None else moment.t)
    shown_t = moment.t if (moment.track, moment.expression) == (question.track, question.word) else question.shown_t
    question = replace(question, shown_t=shown_t, pressed=question.pressed or moment.asked)
    closed = replace(state, attention=attention, question=None)
    changed = moment.track == question.track and moment.expression not in (question.word, UNSURE)
    if changed or moment.t - shown_t > _STILL_TRUE_S:
        return step(closed, replace(moment, asked=question.pressed), rule)
    if question.pressed or moment.t - question.t >= rule.wait_s + moment.faded.delay_s:
        answer = Wish("answer" if question.pressed else "expression", question.track, question.word)
        if moment.may(answer):
            return Step(closed, answer, answered_first=question.pressed)
    return Step(replace(state, attention=attention, question=question))


MODE: Final = Mode(
    "explore", "Asks with a breathing light what a face shows; a press says: I have it.", Explore(), step
)
