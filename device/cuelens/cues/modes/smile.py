"""Smile, "capture the smile": the glasses ask for an expression, and the wearer finds somebody who shows it."""

import math
from typing import Final

import msgspec

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import ASK_S, Wish


class Hunt(msgspec.Struct, frozen=True):
    """State of the game. Times in seconds.

    Attributes:
        attention: state of greetings and answers.
        wins: number of rounds won.
        next_t: earliest begin of the next round.
        open: a round is on: the prompt was given.
        again_t: time of a press that asks for the prompt again.
    """

    attention: Attention = msgspec.field(default_factory=Attention)
    wins: int = 0
    next_t: float = -math.inf
    open: bool = False
    again_t: float = -math.inf


def step(state: Hunt, moment: Moment, rule: PlayRule) -> Step:
    """Ask for an expression, and tell when a face shows it; ignore other expressions.

    A press during a round repeats the prompt. A press between rounds asks "what now?".
    """
    if state.open:
        return _seek(state, moment, rule)
    attention, wish = attend(state.attention, moment, rule)
    state = msgspec.structs.replace(state, attention=attention)
    if not rule.find:
        return Step(state, wish)
    prompt = Wish("prompt", None, _words(state, rule))
    if wish or moment.t < state.next_t or not moment.may(prompt):
        return Step(state, wish)
    return Step(msgspec.structs.replace(state, open=True), prompt)


def _seek(state: Hunt, moment: Moment, rule: PlayRule) -> Step:
    attention, greeting = attend(state.attention, msgspec.structs.replace(moment, press=False), rule)
    state = msgspec.structs.replace(state, attention=attention, again_t=moment.t if moment.press else state.again_t)
    target = rule.find[state.wins % len(rule.find)]
    win = Wish("expression", moment.track, target)
    if moment.expression == target and moment.may(win):
        return Step(Hunt(attention, state.wins + 1, moment.t + rule.round_s), win)
    reminder = Wish("answer", None, _words(state, rule))
    if moment.t - state.again_t <= ASK_S and not greeting and moment.may(reminder):
        return Step(msgspec.structs.replace(state, again_t=-math.inf), reminder)
    return Step(state, greeting)


def _words(state: Hunt, rule: PlayRule) -> str:
    return f"find {rule.find[state.wins % len(rule.find)]}"


MODE: Final = Mode("smile", "Asks for an expression, such as a smile, and tells when a face shows it.", Hunt(), step)
