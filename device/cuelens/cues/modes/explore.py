"""Explore, "guess": a breathing light asks what the face shows, and then comes the answer.

A press means "I have it": the wearer has a guess, and the answer follows at once for comparison. Without a press it
follows after `wait_s`. Fading counts whether the press came first.
"""

from typing import Final

import msgspec

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.history import Settled, recorded, settled
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import Wish
from cuelens_models.bundle.expressions import UNSURE

_STALE_S: Final = 1.5
"""Drop the question if the face has not shown its expression for so long."""
_GUESS: Final = "guess"
"""The word of the question."""
_QUIET_WORDS: Final = frozenset({"neutral", UNSURE, "face"})


class Question(msgspec.Struct, frozen=True):
    """An open question.

    Attributes:
        track: the face that it is about.
        word: the answer, an expression.
        t: when it was asked, in seconds.
        shown_t: when the face last showed the expression.
        pressed: the wearer pressed: "I have it".
    """

    track: int | None
    word: str
    t: float
    shown_t: float
    pressed: bool = False


class Explore(msgspec.Struct, frozen=True):
    """State. history: of each face, the last expression that was asked about. question: the open one."""

    attention: Attention = msgspec.field(default_factory=Attention)
    history: tuple[Settled, ...] = ()
    question: Question | None = None


def step(state: Explore, moment: Moment, rule: PlayRule) -> Step:
    """Ask about a settled expression; answer after a press, or after the wait."""
    if state.question:
        return _await_press(state, state.question, moment, rule)
    attention, wish = attend(state.attention, moment, rule)
    state = msgspec.structs.replace(state, attention=attention)
    if wish or moment.expression in _QUIET_WORDS or settled(moment) in state.history:
        return Step(state, wish)
    guess = Wish("prompt", moment.track, _GUESS)
    if not moment.may(guess) or not moment.may(Wish("expression", moment.track, moment.expression)):
        return Step(state)
    question = Question(moment.track, moment.expression, moment.t, moment.t)
    return Step(msgspec.structs.replace(state, history=recorded(state.history, moment), question=question), guess)


def _await_press(state: Explore, question: Question, moment: Moment, rule: PlayRule) -> Step:
    """Wait for the press. If expression or face is gone, drop the question; a press then asks "what now?"."""
    attention = msgspec.structs.replace(
        state.attention, face_t=state.attention.face_t if moment.track is None else moment.t
    )
    shown_t = moment.t if (moment.track, moment.expression) == (question.track, question.word) else question.shown_t
    question = msgspec.structs.replace(question, shown_t=shown_t, pressed=question.pressed or moment.press)
    closed = msgspec.structs.replace(state, attention=attention, question=None)
    here = moment.track == question.track
    changed = moment.expression not in (question.word, UNSURE) if here else question.pressed
    if changed or moment.t - shown_t > _STALE_S:
        after = step(closed, msgspec.structs.replace(moment, press=question.pressed), rule)
        return msgspec.structs.replace(after, dropped=_GUESS)
    if here and (question.pressed or moment.t - question.t >= rule.wait_s + moment.faded.delay_s):
        answer = Wish("answer" if question.pressed else "expression", question.track, question.word)
        if moment.may(answer):
            return Step(closed, answer, answered_first=question.pressed)
    return Step(msgspec.structs.replace(state, attention=attention, question=question))


MODE: Final = Mode(
    "explore", "Asks with a breathing light what a face shows; a press says: I have it.", Explore(), step
)
