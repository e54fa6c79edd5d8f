"""Deciding: which of the things that are believed are worth a cue. Silence is the default.

Pure: the same beliefs at the same times give the same cues. Every number is the profile's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cuelens.settle import Belief
from cuelens.types import Cue, Face

_MINUTE_S = 60.0
_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """The limits. Times in seconds.

    face_outputs: what tells that a face was found. outputs: what tells each expression; voice, where it is one of them,
    counts against `spoken_per_minute`.
    """

    gap_s: float
    same_expression_s: float
    spoken_per_minute: int
    face_absence_s: float
    face_outputs: tuple[str, ...]
    outputs: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the policy remembers. told: (track, moment it was settled on) of the last expressions that were told."""

    face_t: float = -math.inf
    cue_t: float = -math.inf
    by_expression: Mapping[tuple[int, str], float] = field(default_factory=dict)
    told: tuple[tuple[int, float], ...] = ()
    spoken_t: tuple[float, ...] = ()


def decide(
    memory: Memory, t: float, faces: tuple[Face, ...], beliefs: Mapping[int, Belief], rule: PolicyRule
) -> tuple[Memory, Cue | None]:
    """Return the memory after this beat, and at most one cue.

    faces: seen in this beat. beliefs: by track number. The nearest face (the largest box) is the one that is spoken of.
    An expression that a limit holds up is told when the limit allows, if it is still shown.
    """
    if not faces:
        return memory, None
    alone_s = t - memory.face_t
    memory = replace(memory, face_t=t)
    if t - memory.cue_t < rule.gap_s:
        return memory, None
    nearest = max(faces, key=lambda face: (face.box[2], -face.track))
    if alone_s >= rule.face_absence_s and rule.face_outputs:
        return replace(memory, cue_t=t), Cue(t, "face", nearest.track, None, rule.face_outputs)
    belief = beliefs.get(nearest.track)
    if belief is None or (nearest.track, belief.since_t) in memory.told:
        return memory, None
    expression = belief.expression
    outputs = rule.outputs.get(expression, ())
    if t - _last_told(memory, nearest.track, expression, alone=len(faces) == 1) < rule.same_expression_s:
        return memory, None
    recent = tuple(spoken for spoken in memory.spoken_t if t - spoken < _MINUTE_S)
    if len(recent) >= rule.spoken_per_minute:
        outputs = tuple(output for output in outputs if output != "voice")
    if not outputs:
        return memory, None
    remembered = Memory(
        face_t=t,
        cue_t=t,
        by_expression=_younger(memory.by_expression, t - rule.same_expression_s) | {(nearest.track, expression): t},
        told=(*memory.told[1 - _REMEMBERED :], (nearest.track, belief.since_t)),
        spoken_t=(*recent, t) if "voice" in outputs else recent,
    )
    return remembered, Cue(t, "expression", nearest.track, expression, outputs)


def _last_told(memory: Memory, track: int, expression: str, *, alone: bool) -> float:
    """Return when this expression was last told: of any face while one is in view, of this one when there are more."""
    times = [t for (told, what), t in memory.by_expression.items() if what == expression and (alone or told == track)]
    return max(times, default=-math.inf)


def _younger(times: Mapping[tuple[int, str], float], than: float) -> dict[tuple[int, str], float]:
    return {key: t for key, t in times.items() if t > than}
