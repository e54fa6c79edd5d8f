"""Settling: a stream of probabilities to one expression that holds still, or to `unsure`.

Pure: the same readings at the same times give the same belief, at any rate from two readings a second on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cuelens_models.bundle.expressions import NOT_A_FACE, UNSURE

_NEUTRAL = "neutral"
_EASED = 5.0
"""The odds that a bundle asks for are divided by so much: they were chosen for probabilities that are not weighed."""

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
    """When a smoothed probability is believed. Times in seconds; enter: the threshold of each label.

    neutral_weight: how many times as likely a neutral face is as the network takes it to be. The faces that it learned
    from were chosen for their expressions; of those that one meets, nine in ten show none. margin: how far a label must
    be above the next one. sure_odds: how many times the odds of its threshold an expression needs to be sure.
    The defaults were chosen on streams of the inner split (docs/cues.svg).
    """

    labels: tuple[str, ...]
    enter: Mapping[str, float]
    smoothing_s: float = 0.15
    dwell_s: float = 0.5
    hysteresis: float = 0.15
    neutral_weight: float = 10.0
    margin: float = 0.1
    sure_odds: float = 8.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one face at time `t`, first read at `began`.

    smoothed: probabilities in the order of the labels, neutral weighed. candidate: the label over its threshold since
    `candidate_t`. expression: what was settled on at `since_t`. confidence: its smoothed probability; of `unsure`, the
    highest one. doubt: smoothed probability, more slowly, that it is no face at all. sure: whether the expression is so
    likely now that a voice may tell it, which interrupts more than a light.
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
    sure: bool


def settle(belief: Belief | None, scores: Sequence[float], t: float, rule: SettleRule) -> Belief:
    """Return the belief after one more reading at time `t` (seconds). The first reading begins one.

    After a pause the candidate begins anew: what was not seen has not dwelt.
    """
    no_face = scores[rule.labels.index(NOT_A_FACE)] if NOT_A_FACE in rule.labels else 0.0
    weighed = _weighed(scores, rule)
    if belief is None:
        belief = Belief(t, t, weighed, None, t, UNSURE, t, 0.0, no_face, sure=False)
    elif t - belief.t > _PAUSE_S:
        belief = replace(belief, candidate=None)
    seconds = max(t - belief.t, 0.0)
    doubt = belief.doubt + (1 - math.exp(-seconds / _DOUBT_S)) * (no_face - belief.doubt)
    weight = 1 - math.exp(-seconds / rule.smoothing_s)
    smoothed = tuple(old + weight * (new - old) for old, new in zip(belief.smoothed, weighed, strict=True))
    candidate, candidate_t = _candidate(belief, smoothed, t, rule)
    expression, since_t = belief.expression, belief.since_t
    if expression != UNSURE and smoothed[rule.labels.index(expression)] < rule.enter[expression] - rule.hysteresis:
        expression, since_t = UNSURE, t
    if candidate not in (None, expression) and t - candidate_t >= rule.dwell_s:
        expression, since_t = candidate, t
    confidence = max(smoothed) if expression == UNSURE else smoothed[rule.labels.index(expression)]
    sure = expression != UNSURE and confidence >= _at_odds(rule.enter[expression], rule.sure_odds)
    return Belief(belief.began, t, smoothed, candidate, candidate_t, expression, since_t, confidence, doubt, sure)


def _weighed(scores: Sequence[float], rule: SettleRule) -> tuple[float, ...]:
    """Return probabilities for a world in which neutral is so many times as likely."""
    raised = [p * rule.neutral_weight if label == _NEUTRAL else p for label, p in zip(rule.labels, scores, strict=True)]
    total = sum(raised) or 1.0
    return tuple(p / total for p in raised)


def _candidate(belief: Belief, smoothed: tuple[float, ...], t: float, rule: SettleRule) -> tuple[str | None, float]:
    second, first = sorted(smoothed)[-2:]
    label = rule.labels[smoothed.index(first)]
    if label == NOT_A_FACE or first < rule.enter[label] or first - second < rule.margin:
        return None, t
    return label, belief.candidate_t if label == belief.candidate else t


def _at_odds(probability: float, times: float) -> float:
    """Return the probability whose odds are so many times those of another."""
    return probability * times / (probability * times + 1 - probability)


def thresholds(enter: Mapping[str, float], caution: float, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return thresholds of weighed probabilities: the bundle's, eased, and shifted by the profile's caution (-1 to 1).

    Caution multiplies the odds by its power of e: at 1 they are 2.7 times as high. overrides: the profile's own values.
    """
    times = math.exp(caution) / _EASED
    shifted = {label: min(max(_at_odds(value, times), 0.4), 0.99) for label, value in enter.items()}
    return shifted | {label: value for label, value in overrides.items() if label in shifted}


def is_doubted(belief: Belief) -> bool:
    """Return whether the network says that what the detector found is no face."""
    return belief.doubt > _DOUBT


def is_told_of(belief: Belief) -> bool:
    """Return whether a face was read for long enough, and is not doubted."""
    return belief.t - belief.began >= _WATCHED_S and not is_doubted(belief)
