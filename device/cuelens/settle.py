"""Settling: a stream of probabilities to one expression that holds still, or to `unsure`.

Pure: the same readings at the same times give the same belief, at any rate from two readings a second on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cuelens_models.bundle.expressions import NOT_A_FACE, UNSURE

_DOUBT = 0.25
"""Above this smoothed probability of not_a_face the detector is taken to be wrong: one real face in 150 is over it."""
_DOUBT_S = 0.4
"""Doubt is smoothed over so many seconds, whatever expressions are: it is to last."""
_WATCHED_S = 0.25
"""A face is told of once it was read for so long; what the detector makes of gravel seldom lasts."""
_PAUSE_S = 0.75
"""Readings further apart than this do not belong to one look."""


@dataclass(frozen=True, slots=True)
class SettleRule:
    """When a smoothed probability is believed. Times in seconds; enter: the threshold of each label."""

    labels: tuple[str, ...]
    enter: Mapping[str, float]
    smoothing_s: float = 0.15
    dwell_s: float = 0.4
    hysteresis: float = 0.15


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one face at time `t`, first read at `began`.

    smoothed: probabilities in the order of the labels. candidate: the label over its threshold since `candidate_t`.
    expression: what was settled on at `since_t`. confidence: its smoothed probability; of `unsure`, the highest one.
    doubt: smoothed probability, more slowly, that it is no face at all.
    """

    began: float
    t: float
    smoothed: tuple[float, ...]
    candidate: str | None
    candidate_t: float
    expression: str
    since_t: float
    confidence: float
    doubt: float


def settle(belief: Belief | None, scores: Sequence[float], t: float, rule: SettleRule) -> Belief:
    """Return the belief after one more reading at time `t` (seconds). The first reading begins one.

    After a pause the candidate begins anew: what was not seen has not dwelt.
    """
    no_face = scores[rule.labels.index(NOT_A_FACE)] if NOT_A_FACE in rule.labels else 0.0
    if belief is None:
        belief = Belief(t, t, tuple(scores), None, t, UNSURE, t, 0.0, no_face)
    elif t - belief.t > _PAUSE_S:
        belief = replace(belief, candidate=None)
    seconds = max(t - belief.t, 0.0)
    doubt = belief.doubt + (1 - math.exp(-seconds / _DOUBT_S)) * (no_face - belief.doubt)
    weight = 1 - math.exp(-seconds / rule.smoothing_s)
    smoothed = tuple(old + weight * (new - old) for old, new in zip(belief.smoothed, scores, strict=True))
    candidate, candidate_t = _candidate(belief, smoothed, t, rule)
    expression, since_t = belief.expression, belief.since_t
    if expression != UNSURE and smoothed[rule.labels.index(expression)] < rule.enter[expression] - rule.hysteresis:
        expression, since_t = UNSURE, t
    if candidate not in (None, expression) and t - candidate_t >= rule.dwell_s:
        expression, since_t = candidate, t
    confidence = max(smoothed) if expression == UNSURE else smoothed[rule.labels.index(expression)]
    return Belief(belief.began, t, smoothed, candidate, candidate_t, expression, since_t, confidence, doubt)


def _candidate(belief: Belief, smoothed: tuple[float, ...], t: float, rule: SettleRule) -> tuple[str | None, float]:
    top = max(range(len(smoothed)), key=smoothed.__getitem__)
    label = rule.labels[top]
    if label == NOT_A_FACE or smoothed[top] < rule.enter[label]:
        return None, t
    return label, belief.candidate_t if label == belief.candidate else t


def thresholds(enter: Mapping[str, float], caution: float, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return the bundle's thresholds shifted by the profile's caution (-1 to 1: -0.15 to 0.15) and its own values."""
    shifted = {label: min(max(value + 0.15 * caution, 0.4), 0.98) for label, value in enter.items()}
    return shifted | {label: value for label, value in overrides.items() if label in shifted}


def is_doubted(belief: Belief) -> bool:
    """Return whether the network says that what the detector found is no face."""
    return belief.doubt > _DOUBT


def is_told_of(belief: Belief) -> bool:
    """Return whether a face was read for long enough, and is not doubted."""
    return belief.t - belief.began >= _WATCHED_S and not is_doubted(belief)
