"""Companion: tells an expression once, when it was settled on, and answers a press."""

from dataclasses import dataclass, field, replace
from typing import Final

from cuelens.cues.modes.answering import Attention, attend
from cuelens.cues.modes.mode import Mode, Moment, PlayRule, Step
from cuelens.types import Wish

_REMEMBERED: Final = 8
_QUIET_WORDS: Final = frozenset({"neutral", "unsure", "face"})

Settled = tuple[int | None, float]
"""An expression that was settled on: the face's number and the moment."""


@dataclass(frozen=True, slots=True)
class Companion:
    """handled: expressions that were told, or passed over as fading has it. count: how many were met in all."""

    attention: Attention = field(default_factory=Attention)
    handled: tuple[Settled, ...] = ()
    count: int = 0


def step(state: Companion, moment: Moment, rule: PlayRule) -> Step:
    """Answer, greet, or tell what was settled on. What a limit holds up is told when it allows, if still shown.

    A wearer who answers first is told later, and of one expression in so many.
    """
    attention, wish = attend(state.attention, moment, rule)
    state = replace(state, attention=attention)
    settled = (moment.track, moment.since_t)
    if wish:
        return Step(_handled(state, settled) if wish.word == moment.expression else state, wish)
    if moment.expression in _QUIET_WORDS or settled in state.handled:
        return Step(state)
    if moment.t - moment.since_t < moment.faded.delay_s:
        return Step(state)
    if state.count % moment.faded.every:
        return Step(_handled(state, settled))
    wish = Wish("expression", moment.track, moment.expression)
    return Step(_handled(state, settled), wish) if moment.may(wish) else Step(state)


def _handled(state: Companion, settled: Settled) -> Companion:
    if settled in state.handled:
        return state
    return replace(state, handled=(*state.handled[1 - _REMEMBERED :], settled), count=state.count + 1)


MODE: Final = Mode("companion", "Tells what a face shows, quietly, when it is clear.", Companion(), step)
