"""Greetings and answers, shared by all modes: a greeting for a face after an empty view, an answer to a press. Pure."""

import math
from typing import Final

import msgspec

from cuelens.cues.modes.mode import Moment, PlayRule
from cuelens.types import ASK_S, Wish
from cuelens_models.bundle.expressions import UNSURE

_THINK_S: Final = 1.0
"""Deadline for a clear reading after a press; then the answer is "unsure" or "nobody"."""


class Attention(msgspec.Struct, frozen=True):
    """State of greetings and answers. face_t: when a face was last in view. press_t: time of an unanswered press."""

    face_t: float = -math.inf
    press_t: float | None = None


def attend(attention: Attention, moment: Moment, rule: PlayRule) -> tuple[Attention, Wish | None]:
    """Return the next state, and the answer or greeting to give now.

    A greeting that the limits forbid in its one beat is dropped, not postponed.
    """
    face_t = attention.face_t if moment.track is None else moment.t
    is_news = moment.track is not None and moment.t - attention.face_t >= rule.face_absence_s
    press_t = moment.t if moment.press else attention.press_t
    if press_t is not None and moment.t - press_t > ASK_S:
        press_t = None
    if press_t is not None:
        answer = _answer(moment, waited_s=moment.t - press_t)
        if answer and moment.may(answer):
            return Attention(face_t), answer
    elif is_news and moment.may(greeting := Wish("face", moment.track, "face")):
        return Attention(face_t), greeting
    return Attention(face_t, press_t), None


def _answer(moment: Moment, waited_s: float) -> Wish | None:
    """Return the answer to "what now?"; None to wait for a clearer reading."""
    if moment.answer != UNSURE:
        return Wish("answer", moment.track, moment.answer)
    if waited_s < _THINK_S:
        return None
    return Wish("answer", moment.track, "nobody" if moment.track is None else UNSURE)
