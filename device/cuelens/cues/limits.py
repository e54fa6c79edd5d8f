"""Rate limits on cues. They hold in every mode. Silence is the default.

Pure: the same wishes at the same times give the same outputs. Every number comes from the profile.
"""

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from cuelens.types import Wish
from cuelens_models.bundle.expressions import UNSURE

_MINUTE_S: Final = 60.0
_QUESTION_S: Final = 1.0
"""Shortest time between a question about a face and its answer: nobody is startled by both at once."""
_ON_REQUEST: Final = frozenset({"neutral", UNSURE, "nobody"})
"""Words that are told only as the answer to a press."""


class LimitRule(msgspec.Struct, frozen=True):
    """The limits. Times in seconds.

    Attributes:
        gap_s: shortest time between any cue and an unasked one after it, except that an expression may follow a
            greeting at once, and that the answer to a question of `explore` comes a second after it at the soonest.
        answer_gap_s: shortest time between any cue and an answer after it.
        same_expression_s: shortest time between a cue for an expression, answers included, and an unasked one after it.
        spoken_per_minute: most spoken cues in any 60 seconds.
        outputs: the outputs of each word: light, voice, console. A word that is not in it is never told.
        greets: whether a new face is told.
    """

    gap_s: float
    answer_gap_s: float
    same_expression_s: float
    spoken_per_minute: int
    outputs: Mapping[str, tuple[str, ...]]
    greets: bool = True


class RecentCues(msgspec.Struct, frozen=True):
    """The recent cues, as far as the limits need them. Times in seconds.

    Attributes:
        cue_t: time of the last cue that was no greeting.
        greeting_t: time of the last greeting.
        asked: the face that the last cue asked about; None if the last cue was no question.
        by_expression: time of the last cue by track and expression, answers included.
        spoken_t: times of the spoken cues of the last minute.
    """

    cue_t: float = -math.inf
    greeting_t: float = -math.inf
    asked: int | None = None
    by_expression: Mapping[tuple[int | None, str], float] = msgspec.field(default_factory=dict)
    spoken_t: tuple[float, ...] = ()


def outputs(recent: RecentCues, t: float, wish: Wish, rule: LimitRule, *, alone: bool, muted: bool) -> tuple[str, ...]:
    """Return the outputs that may give a cue now; none if a limit forbids it.

    An answer waits for `answer_gap_s` only, and is given by light while the glasses are muted. A cue about a face's
    expression may follow a greeting at once: a newcomer often smiles.

    Args:
        recent: the cues so far.
        t: time of the frame, in seconds.
        wish: the cue that the mode asks for.
        rule: the limits.
        alone: only one face is in view. Then `same_expression_s` holds for an expression whatever the face's track.
        muted: no unasked cue, and no voice.
    """
    is_answer = wish.kind == "answer"
    about_a_face = wish.kind in ("expression", "prompt") and wish.track is not None
    last_t = recent.cue_t if about_a_face else max(recent.cue_t, recent.greeting_t)
    gap_s = rule.answer_gap_s if is_answer else rule.gap_s
    if wish.kind in ("expression", "answer") and recent.asked is not None and wish.track == recent.asked:
        gap_s = _QUESTION_S
    if t - last_t < gap_s:
        return ()
    if not is_answer and (muted or wish.word in _ON_REQUEST):
        return ()
    if wish.kind == "face" and not rule.greets:
        return ()
    if wish.kind == "expression" and t - _last_t(recent, wish, alone=alone) < rule.same_expression_s:
        return ()
    allowed = rule.outputs.get(wish.word, ())
    if muted or len(_last_minute(recent, t)) >= rule.spoken_per_minute:
        return tuple(output for output in allowed if output != "voice")
    return allowed


def after(recent: RecentCues, t: float, wish: Wish, outputs: tuple[str, ...], rule: LimitRule) -> RecentCues:
    """Return the recent cues with one more, given at time `t` (seconds) by `outputs`."""
    spoken_t = _last_minute(recent, t)
    recent = msgspec.structs.replace(
        recent,
        spoken_t=(*spoken_t, t) if "voice" in outputs else spoken_t,
        asked=wish.track if wish.kind == "prompt" else None,
    )
    recent = (
        msgspec.structs.replace(recent, greeting_t=t)
        if wish.kind == "face"
        else msgspec.structs.replace(recent, cue_t=t)
    )
    if wish.kind not in ("expression", "answer"):
        return recent
    by_expression = {key: then for key, then in recent.by_expression.items() if t - then < rule.same_expression_s}
    return msgspec.structs.replace(recent, by_expression=by_expression | {(wish.track, wish.word): t})


def _last_t(recent: RecentCues, wish: Wish, *, alone: bool) -> float:
    times = (
        then
        for (track, word), then in recent.by_expression.items()
        if word == wish.word and (alone or track == wish.track)
    )
    return max(times, default=-math.inf)


def _last_minute(recent: RecentCues, t: float) -> tuple[float, ...]:
    return tuple(then for then in recent.spoken_t if t - then < _MINUTE_S)
