"""Settling: exponential smoothing, hysteresis and debounce turn probabilities into one steady expression or `unsure`.

Pure. The outcome does not depend on the rate of readings, from two a second up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cuelens_models.bundle.expressions import NOT_A_FACE, UNSURE

_NEUTRAL = "neutral"
_EASED = 5.0
"""Divides the odds of the bundle's thresholds: these were chosen on probabilities before the prior correction."""

_DOUBT = 0.25
"""Smoothed probability of not_a_face above which a detection counts as false; one real face in 150 is above it."""
_DOUBT_S = 0.4
"""Time constant of the smoothing of doubt, in seconds; longer than that of expressions."""
_WATCHED_S = 0.25
"""Debounce of a new face: false detections, as in gravel, seldom last longer."""
_ANSWER_S = 0.3
"""Time constant of the smoothing of probabilities for answers, in seconds."""
_PAUSE_S = 0.75
"""A longer gap between two readings restarts the debounce."""


@dataclass(frozen=True, slots=True)
class SettleRule:
    """The parameters of settling. The defaults were chosen on streams of the inner split (docs/cues.svg).

    Attributes:
        labels: the labels, in the order of the probabilities.
        enter: the threshold of each label.
        smoothing_s: time constant of the exponential smoothing, in seconds.
        dwell_s: debounce: how long a label must stay above its threshold, in seconds.
        hysteresis: an expression ends at its threshold minus this.
        neutral_weight: prior correction: the factor on the probability of neutral. The training faces were chosen for
            their expressions; of the faces that one meets, nine in ten show none.
        margin: least difference between the two highest probabilities.
        sure_odds: an expression is sure at so many times the odds of its threshold.
        answer: threshold of an answer, on probabilities without the prior correction: who asks has seen something. On
            the inner split under "camera", 86 % of the answers at 0.65 are right, and a quarter is "not sure".
    """

    labels: tuple[str, ...]
    enter: Mapping[str, float]
    smoothing_s: float = 0.15
    dwell_s: float = 0.5
    hysteresis: float = 0.15
    neutral_weight: float = 10.0
    margin: float = 0.1
    sure_odds: float = 8.0
    answer: float = 0.65


@dataclass(frozen=True, slots=True)
class Belief:
    """The state of settling for one face. Times in seconds.

    Attributes:
        began: time of the first reading.
        t: time of the last reading.
        smoothed: smoothed probabilities in the order of the labels, after the prior correction.
        plain: the same without the correction, for answers.
        candidate: the label above its threshold; None if there is none.
        candidate_t: when the candidate rose above it.
        expression: the settled expression, or `unsure`.
        since_t: when it settled.
        confidence: smoothed probability of the expression; of `unsure`, the highest one.
        doubt: smoothed probability of not_a_face.
        sure: the confidence is high enough for an unasked voice, which interrupts more than a light.
    """

    began: float
    t: float
    smoothed: tuple[float, ...]
    plain: tuple[float, ...]
    candidate: str | None
    candidate_t: float
    expression: str
    since_t: float
    confidence: float
    doubt: float
    sure: bool


def settle(belief: Belief | None, scores: Sequence[float], t: float, rule: SettleRule) -> Belief:
    """Return the belief after one more reading.

    A pause restarts the debounce of the candidate.

    Args:
        belief: the belief so far; None at the first reading.
        scores: probabilities in the order of `rule.labels`.
        t: time of the reading, in seconds.
        rule: the parameters.
    """
    no_face = scores[rule.labels.index(NOT_A_FACE)] if NOT_A_FACE in rule.labels else 0.0
    corrected = _corrected(scores, rule)
    if belief is None:
        belief = Belief(t, t, corrected, tuple(scores), None, t, UNSURE, t, 0.0, no_face, sure=False)
    elif t - belief.t > _PAUSE_S:
        belief = replace(belief, candidate=None)
    seconds = max(t - belief.t, 0.0)
    doubt = belief.doubt + (1 - math.exp(-seconds / _DOUBT_S)) * (no_face - belief.doubt)
    smoothed = _smoothed(belief.smoothed, corrected, seconds / rule.smoothing_s)
    plain = _smoothed(belief.plain, scores, seconds / _ANSWER_S)
    candidate, candidate_t = _candidate(belief, smoothed, t, rule)
    expression, since_t = belief.expression, belief.since_t
    if expression != UNSURE and smoothed[rule.labels.index(expression)] < rule.enter[expression] - rule.hysteresis:
        expression, since_t = UNSURE, t
    if candidate not in (None, expression) and t - candidate_t >= rule.dwell_s:
        expression, since_t = candidate, t
    confidence = max(smoothed) if expression == UNSURE else smoothed[rule.labels.index(expression)]
    sure = expression != UNSURE and confidence >= _at_odds(rule.enter[expression], rule.sure_odds)
    return Belief(
        began=belief.began,
        t=t,
        smoothed=smoothed,
        plain=plain,
        candidate=candidate,
        candidate_t=candidate_t,
        expression=expression,
        since_t=since_t,
        confidence=confidence,
        doubt=doubt,
        sure=sure,
    )


def answer(belief: Belief, rule: SettleRule) -> str:
    """Return the most probable label if it passes the threshold of answers; else `unsure`."""
    probability = max(belief.plain)
    label = rule.labels[belief.plain.index(probability)]
    return label if probability >= rule.answer and label != NOT_A_FACE else UNSURE


def _smoothed(before: Sequence[float], scores: Sequence[float], spans: float) -> tuple[float, ...]:
    """Return exponentially smoothed probabilities. spans: time since `before`, in time constants."""
    weight = 1 - math.exp(-spans)
    return tuple(old + weight * (new - old) for old, new in zip(before, scores, strict=True))


def _corrected(scores: Sequence[float], rule: SettleRule) -> tuple[float, ...]:
    """Return the probabilities with the prior of neutral multiplied by `neutral_weight`."""
    weights = [rule.neutral_weight if label == _NEUTRAL else 1.0 for label in rule.labels]
    weighed = [p * weight for p, weight in zip(scores, weights, strict=True)]
    total = sum(weighed) or 1.0
    return tuple(p / total for p in weighed)


def _candidate(belief: Belief, smoothed: tuple[float, ...], t: float, rule: SettleRule) -> tuple[str | None, float]:
    second, first = sorted(smoothed)[-2:]
    label = rule.labels[smoothed.index(first)]
    if label == NOT_A_FACE or first < rule.enter[label] or first - second < rule.margin:
        return None, t
    return label, belief.candidate_t if label == belief.candidate else t


def _at_odds(probability: float, factor: float) -> float:
    """Return the probability whose odds are `factor` times those of another."""
    return probability * factor / (probability * factor + 1 - probability)


def thresholds(enter: Mapping[str, float], caution: float, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return thresholds for probabilities after the prior correction, clipped to 0.4 to 0.99.

    Args:
        enter: the bundle's thresholds. Their odds are divided by five.
        caution: multiplies the odds by e to its power, -1 to 1: at 1 they are 2.7 times as high.
        overrides: thresholds that replace these, by label; not clipped.
    """
    factor = math.exp(caution) / _EASED
    shifted = {label: min(max(_at_odds(value, factor), 0.4), 0.99) for label, value in enter.items()}
    return shifted | {label: value for label, value in overrides.items() if label in shifted}


def is_doubted(belief: Belief) -> bool:
    """Tell whether the detection is probably false."""
    return belief.doubt > _DOUBT


def is_confirmed(belief: Belief) -> bool:
    """Tell whether a face passed its debounce and is not doubted. No other face gives a cue."""
    return belief.t - belief.began >= _WATCHED_S and not is_doubted(belief)
