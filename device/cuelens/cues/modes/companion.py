"""Companion: tells each settled expression once, and answers a press."""

from typing import Final

import msgspec

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.history import Settled, recorded, settled
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import Wish

_QUIET_WORDS: Final = frozenset({"neutral", "unsure", "face"})


class Companion(msgspec.Struct, frozen=True):
    """State. history: of each face, the last expression that was told or skipped by fading. count: of all these."""

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
    if wish:
        return Step(_recorded(state, moment) if wish.word == moment.expression else state, wish)
    if moment.expression in _QUIET_WORDS or settled(moment) in state.history:
        return Step(state)
    if moment.t - moment.since_t < moment.faded.delay_s:
        return Step(state)
    if state.count % moment.faded.every:
        return Step(_recorded(state, moment))
    wish = Wish("expression", moment.track, moment.expression)
    return Step(_recorded(state, moment), wish) if moment.may(wish) else Step(state)


def _recorded(state: Companion, moment: Moment) -> Companion:
    if settled(moment) in state.history:
        return state
    return msgspec.structs.replace(state, history=recorded(state.history, moment), count=state.count + 1)


MODE: Final = Mode("companion", "Tells what a face shows, quietly, when it is clear.", Companion(), step)
