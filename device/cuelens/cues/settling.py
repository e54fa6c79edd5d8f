"""Settling: evidence over time turns readings into one steady expression or `unsure`.

Pure. A reading says by how much each expression is more probable than neutral, in nats: its margin. The margin must
rise above what is usual for this face (`baseline.py`): the more, the less the face is known and the more its readings
vary. What is over that threshold is added up, as in Page's test for a change (CUSUM): evidence grows while an
expression is over it, the faster the farther, and falls while it is below, never under nothing. At `tell` the
expression has settled.

The outcome does not depend on the rate of readings, from two a second up.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from cuelens.cues.baseline import Baseline, learn, smoothed, usual
from cuelens_models.bundle.expressions import NOT_A_FACE, UNSURE

_NEUTRAL: Final = "neutral"
_LEAST: Final = 1e-5
"""Least probability in a margin."""
_LEAST_MARGIN: Final = -4.5
"""An expression is at least a ninetieth as probable as neutral, whatever is usual for the face."""
_USUAL: Final = -5.0
"""Margin of neutral faces where the bundle has none. Labels that are usually less probable must rise farther."""
_LEAST_REACH: Final = 0.5
"""A label must rise this share of what others must, however probable it usually is."""
_OWN: Final = 0.5
"""Share of what is usual that is taken off before labels are compared."""
_LEAST_DWELL_S: Final = 0.1
"""A shorter dwell time is this one."""
_SMOOTHING_S: Final = 0.05
"""Time constant of the smoothing of margins, in seconds: about a frame, for every other one is mirrored."""
_END: Final = 0.5
"""An expression ends at this share of the evidence that it settles with."""
_MOST: Final = 2.0
"""Most evidence, in that of settling."""
STRANGE: Final = 1.1
"""Nats by which a margin must rise more, of a face of which nothing is known."""

_DOUBT: Final = 0.25
"""Smoothed probability of not_a_face above which a detection counts as false; one real face in 150 is above it."""
_DOUBT_S: Final = 0.4
"""Time constant of the smoothing of doubt, in seconds."""
_WATCHED_S: Final = 0.25
"""Debounce of a new face: false detections, as in gravel, seldom last longer."""
_ANSWER_S: Final = 0.3
"""Time constant of the smoothing of probabilities for answers, in seconds."""
_PAUSE_S: Final = 0.75
"""After a longer gap between two readings evidence begins anew; what is settled stays so until it ends."""


@dataclass(frozen=True, slots=True)
class SettleRule:
    """The parameters of settling. The defaults were chosen on streams of the inner split (docs/decisions/0011).

    Attributes:
        labels: the labels, in the order of the probabilities.
        least: the least margin of each label, in nats.
        usual: mean margin of each label for neutral faces, in nats.
        dwell_s: least time from an expression to its settling, in seconds.
        tell: evidence at which an expression settles, in nats times seconds.
        fall: most nats by which evidence falls, for each second.
        rise: nats by which a margin must rise above what is usual for the face.
        strange: nats more for a face of which nothing is known.
        unsteady: nats more for a face that varies as people differ, or is new; a quarter of it for half the deviation.
        caution: nats more, by the family's choice.
        ahead: nats by which an expression must be ahead of the next one.
        sure: share of the fastest growth of evidence that makes an expression sure.
        answer: threshold of an answer, a probability: who asks has seen something. On the inner split under "camera",
            88 % of the answers at 0.65 are right, and a fifth is "not sure".
    """

    labels: tuple[str, ...]
    least: Mapping[str, float]
    usual: Mapping[str, float] = field(default_factory=dict)
    dwell_s: float = 1.0
    tell: float = 0.62
    fall: float = 3.0
    rise: float = 1.2
    strange: float = STRANGE
    unsteady: float = 10.2
    caution: float = 0.0
    ahead: float = 0.9
    sure: float = 0.9
    answer: float = 0.65

    expressions: tuple[str, ...] = field(init=False)
    """The labels that are expressions other than neutral, in their order."""
    words: tuple[str, ...] = field(init=False)
    """What may settle: these, and neutral at the end."""
    places: tuple[int, ...] = field(init=False)
    """Their places among the labels."""
    neutral: int | None = field(init=False)
    """The place of neutral among the labels; None if it is none of them."""
    no_face: int | None = field(init=False)
    """The place of not_a_face, the same."""
    floors: tuple[float, ...] = field(init=False)
    """Their least margins."""
    population: tuple[float, ...] = field(init=False)
    """Their margins for neutral faces."""
    reach: tuple[float, ...] = field(init=False)
    """How far each must rise, against one whose margin is usually `_USUAL`."""
    fastest: float = field(init=False)
    """By how much evidence grows at most in a second."""

    def __post_init__(self) -> None:
        """Work out once what every reading needs."""
        places = tuple(n for n, label in enumerate(self.labels) if label not in (_NEUTRAL, NOT_A_FACE))
        expressions = tuple(self.labels[place] for place in places)
        population = tuple(self.usual.get(label, _USUAL) for label in expressions)
        worked_out = {
            "places": places,
            "expressions": expressions,
            "words": (*expressions, _NEUTRAL),
            "neutral": self.labels.index(_NEUTRAL) if _NEUTRAL in self.labels else None,
            "no_face": self.labels.index(NOT_A_FACE) if NOT_A_FACE in self.labels else None,
            "floors": tuple(self.least[label] for label in expressions),
            "population": population,
            "reach": tuple(max(math.sqrt(max(margin / _USUAL, 0.0)), _LEAST_REACH) for margin in population),
            "fastest": self.tell / max(self.dwell_s, _LEAST_DWELL_S),
        }
        for name, value in worked_out.items():
            object.__setattr__(self, name, value)


class Belief(msgspec.Struct, frozen=True):
    """The state of settling for one face. Times in seconds.

    Attributes:
        began: time of the first reading.
        t: time of the last reading.
        plain: smoothed probabilities, in the order of the labels, for answers.
        margins: smoothed margins, in the order of the rule's expressions.
        baseline: what is usual for this face.
        evidence: of each expression, and of neutral at the end; nats times seconds.
        grew_t: when each began to be more than nothing.
        expression: the settled expression, or `unsure`.
        since_t: when it settled.
        confidence: smoothed probability of the expression, small if it is slight; of `unsure`, the highest one.
        doubt: smoothed probability of not_a_face.
        sure: the expression settled fast enough for an unasked voice, which interrupts more than a light.
    """

    began: float
    t: float
    plain: tuple[float, ...]
    margins: tuple[float, ...]
    baseline: Baseline
    evidence: tuple[float, ...]
    grew_t: tuple[float, ...]
    expression: str
    since_t: float
    confidence: float
    doubt: float
    sure: bool


def settle(belief: Belief | None, scores: Sequence[float], t: float, rule: SettleRule) -> Belief:
    """Return the belief after one more reading.

    Args:
        belief: the belief so far; None at the first reading.
        scores: probabilities in the order of `rule.labels`.
        t: time of the reading, in seconds.
        rule: the parameters.
    """
    no_face = 0.0 if rule.no_face is None else scores[rule.no_face]
    calm = None if rule.neutral is None else scores[rule.neutral]
    newest = [_margin(scores[place], calm) for place in rule.places]
    if belief is None:
        nothing, began = (0.0,) * (len(newest) + 1), (t,) * (len(newest) + 1)
        baseline = Baseline(tuple(newest), tuple(newest), tuple(newest))
        belief = Belief(
            t, t, tuple(scores), tuple(newest), baseline, nothing, began, UNSURE, t, 0.0, no_face, sure=False
        )
    seconds = max(t - belief.t, 0.0)
    margins = smoothed(belief.margins, newest, seconds / _SMOOTHING_S)
    plain = smoothed(belief.plain, scores, seconds / _ANSWER_S)
    doubt = belief.doubt + (1 - math.exp(-seconds / _DOUBT_S)) * (no_face - belief.doubt)
    if seconds > _PAUSE_S:
        belief, seconds = _after_pause(belief, rule), 0.0
    rates = _rates(margins, _margin(no_face, calm), belief.baseline, rule)
    most = _MOST * rule.tell
    sums = [before + rate * seconds for before, rate in zip(belief.evidence, rates, strict=True)]
    evidence = tuple([0.0 if one < 0 else min(one, most) for one in sums])
    grown = zip(belief.grew_t, belief.evidence, strict=True)
    grew_t = tuple([since_t if before > 0 else belief.t for since_t, before in grown])
    expression, since_t, sure = _settled(belief, evidence, grew_t, t, rule)
    unsettled = max(1 - max(evidence[:-1], default=0.0) / rule.tell, 0.0)
    return Belief(
        began=belief.began,
        t=t,
        plain=plain,
        margins=margins,
        baseline=learn(belief.baseline, margins, seconds, calm=calm or 0.0, unsettled=unsettled),
        evidence=evidence,
        grew_t=grew_t,
        expression=expression,
        since_t=since_t,
        confidence=max(plain) if expression == UNSURE else plain[rule.labels.index(expression)],
        doubt=doubt,
        sure=sure,
    )


def answer(belief: Belief, rule: SettleRule) -> str:
    """Return the expression that has settled; else the most probable label, if it passes the threshold of answers.

    A slight smile of a face that is known settles although "neutral" is the more probable label.
    """
    if belief.expression in rule.expressions:
        return belief.expression
    probability = max(belief.plain)
    label = rule.labels[belief.plain.index(probability)]
    return label if probability >= rule.answer and label != NOT_A_FACE else UNSURE


def _after_pause(belief: Belief, rule: SettleRule) -> Belief:
    """Return the belief after a pause: a settled expression has just the evidence to settle, all else has none."""
    kept = tuple([rule.tell if word == belief.expression else 0.0 for word in rule.words])
    return msgspec.structs.replace(belief, evidence=kept)


def _margin(score: float, calm: float | None) -> float:
    """Return by how many nats a label is more probable than neutral; than all else, if no label is neutral (None)."""
    return math.log(max(score, _LEAST) / max(1 - score if calm is None else calm, _LEAST))


def _rates(margins: Sequence[float], no_face: float, baseline: Baseline, rule: SettleRule) -> list[float]:
    """Return by how much evidence grows in a second, in nats: of each expression, and of neutral at the end.

    Args:
        margins: of the expressions, in nats.
        no_face: margin of not_a_face.
        baseline: what is usual for the face.
        rule: the parameters.
    """
    rise = rule.rise + rule.strange * math.sqrt(1 - baseline.known) + rule.unsteady * baseline.variance
    normal = usual(baseline, rule.population)
    ahead = [margin - _OWN * of_face for margin, of_face in zip(margins, normal, strict=True)]
    second, first = sorted((*ahead, no_face, -math.inf))[-2:]
    slowest, rates = -rule.fall, []
    for margin, of_face, floor, reach, own in zip(margins, normal, rule.floors, rule.reach, ahead, strict=True):
        lead = own - (second if own == first else first) - rule.ahead
        if lead <= slowest:
            rates.append(slowest)
            continue
        over = margin - of_face - rise * reach - rule.caution
        rates.append(max(min(over, margin - floor, lead, rule.fastest), slowest))
    calm = -rule.fall if rule.neutral is None else min(-max((*margins, no_face)), rule.fastest)
    return [*rates, max(calm, -rule.fall)]


def _settled(
    belief: Belief, evidence: tuple[float, ...], grew_t: tuple[float, ...], t: float, rule: SettleRule
) -> tuple[str, float, bool]:
    """Return the settled expression, since when, and whether it is sure."""
    expression, since_t, sure = belief.expression, belief.since_t, belief.sure
    if expression != UNSURE and evidence[rule.words.index(expression)] < _END * rule.tell:
        expression, since_t, sure = UNSURE, t, False
    *shown, neutral = evidence
    best = max(shown, default=0.0)
    place = shown.index(best) if best >= rule.tell else -1
    # Nobody is neutral while there is evidence of an expression.
    if (best >= rule.tell or (neutral >= rule.tell and not best)) and rule.words[place] != expression:
        expression, since_t = rule.words[place], t
        sure = place >= 0 and rule.tell >= rule.sure * rule.fastest * (t - grew_t[place])
    return expression, since_t, sure


def least_margins(labels: Sequence[str], caution: float, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return the least margin of each label, in nats.

    Args:
        labels: the bundle's labels.
        caution: nats on each, -1 to 1.
        overrides: by label, a probability against that of neutral that counts instead; 0.01 to 0.99 beyond these.
    """
    bounded = {label: min(max(value, 0.01), 0.99) for label, value in overrides.items()}
    own = {label: math.log(value / (1 - value)) for label, value in bounded.items()}
    return {label: own.get(label, _LEAST_MARGIN + caution) for label in labels}


def is_doubted(belief: Belief) -> bool:
    """Tell whether the detection is probably false."""
    return belief.doubt > _DOUBT


def is_in_flux(belief: Belief, rule: SettleRule) -> bool:
    """Tell whether the next readings may change what is told: an expression has some evidence, and not enough."""
    return any(0 < evidence < rule.tell for evidence in belief.evidence[:-1])


def is_confirmed(belief: Belief) -> bool:
    """Tell whether a face passed its debounce and is not doubted. No other face gives a cue."""
    return belief.t - belief.began >= _WATCHED_S and not is_doubted(belief)
