"""Deciding: which of the things that are believed are worth a cue. Silence is the default.

Pure: the same beliefs at the same times give the same cues. Every number is the profile's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cuelens.settle import Belief
from cuelens.types import Cue, Face

_SILENT = frozenset({"neutral", "unsure"})


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """The limits. Times in seconds. lit and spoken: the expressions that have a light, and those that have a phrase."""

    gap_s: float
    same_expression_s: float
    spoken_per_minute: int
    face_absence_s: float
    late_s: float
    face_light: bool
    lit: frozenset[str]
    spoken: frozenset[str]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the policy remembers. told: the moment that each track's told expression was settled on."""

    face_t: float = -math.inf
    cue_t: float = -math.inf
    by_expression: Mapping[tuple[int, str], float] = field(default_factory=dict)
    told: Mapping[int, float] = field(default_factory=dict)
    spoken_t: tuple[float, ...] = ()


def decide(
    memory: Memory, t: float, faces: tuple[Face, ...], beliefs: Mapping[int, Belief], rule: PolicyRule
) -> tuple[Memory, Cue | None]:
    """Return the memory after this beat, and at most one cue.

    faces: seen in this beat. beliefs: by track number. The nearest face (the largest box) is the one that is spoken of.
    """
    if not faces:
        return memory, None
    alone_s = t - memory.face_t
    memory = replace(memory, face_t=t)
    nearest = max(faces, key=lambda face: (face.box[2], -face.track))
    gap_over = t - memory.cue_t >= rule.gap_s
    if alone_s >= rule.face_absence_s and rule.face_light and gap_over:
        return replace(memory, cue_t=t), Cue(t, "face", nearest.track, None, ("light",))
    belief = beliefs.get(nearest.track)
    if belief is None or belief.expression in _SILENT or not gap_over or _stale(memory, belief, nearest.track, t, rule):
        return memory, None
    expression = belief.expression
    if t - _last_told(memory, nearest.track, expression, alone=len(faces) == 1) < rule.same_expression_s:
        return memory, None
    recent = tuple(spoken for spoken in memory.spoken_t if t - spoken < 60)
    speak = expression in rule.spoken and len(recent) < rule.spoken_per_minute
    outputs = ("light",) * (expression in rule.lit) + ("voice",) * speak
    if not outputs:
        return memory, None
    remembered = Memory(
        face_t=t,
        cue_t=t,
        by_expression=_younger(memory.by_expression, t - rule.same_expression_s) | {(nearest.track, expression): t},
        told=dict(list(memory.told.items())[-8:]) | {nearest.track: belief.since_t},
        spoken_t=(*recent, t) if speak else recent,
    )
    return remembered, Cue(t, "expression", nearest.track, expression, outputs)


def _stale(memory: Memory, belief: Belief, track: int, t: float, rule: PolicyRule) -> bool:
    """Whether this expression was told already, or settled on too long ago to be news."""
    return memory.told.get(track) == belief.since_t or t - belief.since_t > rule.late_s


def _last_told(memory: Memory, track: int, expression: str, *, alone: bool) -> float:
    """When this expression was last told: of any face while one is in view, of this one when there are more."""
    times = [t for (told, what), t in memory.by_expression.items() if what == expression and (alone or told == track)]
    return max(times, default=-math.inf)


def _younger(times: Mapping[tuple[int, str], float], than: float) -> dict[tuple[int, str], float]:
    return {key: t for key, t in times.items() if t > than}
