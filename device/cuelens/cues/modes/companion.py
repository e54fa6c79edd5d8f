"""Companion: tells each settled expression once, and answers a press."""

from typing import Final

import msgspec

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import Wish

_HISTORY: Final = 8
_QUIET_WORDS: Final = frozenset({"neutral", "unsure", "face"})

Settled = tuple[int | None, float]
"""A settled expression: track of the face, and when it settled."""


class Companion(msgspec.Struct, frozen=True):
    """State. history: expressions that were told, or skipped by fading. count: how many there were in all."""

    attention: Attention = msgspec.field(default_factory=Attention)
    history: tuple[Settled, ...] = ()
    count: int = 0


def step(state: Companion, moment: Moment, rule: PlayRule) -> Step:
    """Answer, greet, or tell the settled expression.

    A cue that a limit forbids is given once the limit allows it, if the face still shows the expression. Fading delays
    cues and skips some.
    """
    attention, wish = attend(state.attention, moment, rule)
    state = Companion(attention, state.history, state.count)
    settled = (moment.track, moment.since_t)
    if wish:
        return Step(_recorded(state, settled) if wish.word == moment.expression else state, wish)
    if moment.expression in _QUIET_WORDS or settled in state.history:
        return Step(state)
    if moment.t - moment.since_t < moment.faded.delay_s:
        return Step(state)
    if state.count % moment.faded.every:
        return Step(_recorded(state, settled))
    wish = Wish("expression", moment.track, moment.expression)
    return Step(_recorded(state, settled), wish) if moment.may(wish) else Step(state)


def _recorded(state: Companion, settled: Settled) -> Companion:
    if settled in state.history:
        return state
    return msgspec.structs.replace(state, history=(*state.history[1 - _HISTORY :], settled), count=state.count + 1)


MODE: Final = Mode("companion", "Tells what a face shows, quietly, when it is clear.", Companion(), step)
