"""The limits that no cue breaks, whatever a mode would like to tell. Silence is the default.

Pure: the same wishes at the same times are let through. Every number is the profile's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cuelens.types import Wish
from cuelens_models.bundle.expressions import UNSURE

_MINUTE_S: Final = 60.0
_ONLY_ASKED: Final = frozenset({"neutral", UNSURE, "nobody"})
"""Words that are nothing to interrupt anybody for: they answer a press, or are not told."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """The limits. Times in seconds.

    outputs: what tells each word; what is not in it is never told. The voice counts against `spoken_per_minute`.
    greets: whether a face is told of when it is found.
    """

    gap_s: float
    answer_gap_s: float
    same_expression_s: float
    spoken_per_minute: int
    outputs: Mapping[str, tuple[str, ...]]
    greets: bool = True


@dataclass(frozen=True, slots=True)
class RecentCues:
    """What was told lately. by_expression: when each was last told of each face, asked for or not."""

    cue_t: float = -math.inf
    by_expression: Mapping[tuple[int | None, str], float] = field(default_factory=dict)
    spoken_t: tuple[float, ...] = ()


def outputs(told: RecentCues, t: float, wish: Wish, rule: LimitRule, *, alone: bool, muted: bool) -> tuple[str, ...]:
    """Return what may tell a wish now; nothing if it must wait.

    An answer was asked for: it waits for `answer_gap_s` only, and a muted wearer still gets it, by light. alone: only
    one face is in view; then an expression is told once in `same_expression_s`, whosever it is.
    """
    asked = wish.kind == "answer"
    if t - told.cue_t < (rule.answer_gap_s if asked else rule.gap_s):
        return ()
    if not asked and (muted or wish.word in _ONLY_ASKED):
        return ()
    if wish.kind == "face" and not rule.greets:
        return ()
    if wish.kind == "expression" and t - _last_told(told, wish, alone=alone) < rule.same_expression_s:
        return ()
    usable = rule.outputs.get(wish.word, ())
    if muted or len(_last_minute(told, t)) >= rule.spoken_per_minute:
        return tuple(output for output in usable if output != "voice")
    return usable


def after(told: RecentCues, t: float, wish: Wish, used: tuple[str, ...], rule: LimitRule) -> RecentCues:
    """Return what was told lately, once a wish was told at time `t` by the outputs `used`."""
    spoken = _last_minute(told, t)
    told = replace(told, cue_t=t, spoken_t=(*spoken, t) if "voice" in used else spoken)
    if wish.kind not in ("expression", "answer"):
        return told
    recent = {key: then for key, then in told.by_expression.items() if t - then < rule.same_expression_s}
    return replace(told, by_expression=recent | {(wish.track, wish.word): t})


def _last_told(told: RecentCues, wish: Wish, *, alone: bool) -> float:
    times = (
        then
        for (track, word), then in told.by_expression.items()
        if word == wish.word and (alone or track == wish.track)
    )
    return max(times, default=-math.inf)


def _last_minute(told: RecentCues, t: float) -> tuple[float, ...]:
    return tuple(then for then in told.spoken_t if t - then < _MINUTE_S)
