"""Fitting: from the samples of a sitting to a correction, and whether it helped.

Pure. The neutral face says most: what lies over or under the usual for this face lies so in its expressions too, in
part. Four rules turn the difference between its margins and those that neutral faces usually have into a shift:

- *The first nat is left*: place, light and one sitting differ by about as much, and all frames of a sitting share it.
  This is the most probable shift under a Laplace prior about no change (soft thresholding; Tibshirani 1996).
- *A share*: an expression keeps a part of what distinguishes the neutral face (synthetic heads and streams of persons:
  the margins correlate by 0.5 to 0.6).
- *Down only as far as needed*: until the neutral face lies `_SAFE` under the border. Farther would cost expressions.
- *Up together*: half of a rise is the mean of all rises, so that none outruns the label that it is confused with.

Expressions that were posed then move shifts and factors by a logistic regression with a normal prior about these shifts
and factors of one. All readings of an expression together count as `_WORTH` independent ones.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cuelens.calibration.correction import NEUTRAL, PEOPLE, SCALE, SHIFT, Correction, corrector
from cuelens.calibration.samples import Sample, Samples
from cuelens_models.bundle.expressions import NOT_A_FACE

NEUTRAL_S: Final = 3.0
"""A shorter neutral face says too little."""
POSED_S: Final = 1.5
"""A shorter expression is left out."""
_USUAL: Final = -5.0
"""Margin of neutral faces where the bundle has none."""
_LEAST: Final = 1e-5
"""Least probability in a margin."""
_DOUBT: Final = 0.25
"""A reading that is over this probability of not_a_face is left out."""
_MOMENT_S: Final = 0.5
"""Readings of so many seconds are averaged: the noise of frames, and mirrored ones, say nothing of a person."""
_LEFT: Final = 1.0
"""Nats of a difference that are left as they are."""
_SHARE: Final = 0.8
_SAFE: Final = 3.0
"""Nats by which a calm face should lie under the border to an expression."""
_TOGETHER: Final = 0.5
_WORTH: Final = 1.0
_SHIFT_SD: Final = 0.15
"""Standard deviation of the prior of a shift, in nats."""
_COMMON_SD: Final = 0.3
_SCALE_SD: Final = 0.05
"""Standard deviation of the prior of a factor."""
_BETWEEN: Final = 2.0
"""Standard deviation of the margins of neutral faces between people, in nats."""
_STEPS: Final = 150
_LEAST_GAIN: Final = 0.01
"""A smaller gain on held-out moments is none."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a sitting led to.

    Attributes:
        correction: the new one; the one from before if that did not help.
        helped: whether it did, on held-out moments.
        before: share of held-out moments that were read right, by expression, with the correction from before.
        after: the same with the new correction, whether it was kept or not.
    """

    correction: Correction
    helped: bool
    before: dict[str, float]
    after: dict[str, float]


def fit(
    samples: Samples, labels: Sequence[str], before: Correction, usual: Mapping[str, float] | None = None
) -> Fitted:
    """Return the correction of a household after one more sitting.

    It is the mean of the sittings so far, each with the same weight: the glasses do not know who stands before them.

    Args:
        samples: of the sitting. The neutral face is needed; expressions may be missing.
        labels: the bundle's labels, in the order of the scores.
        before: the correction so far.
        usual: mean margins of neutral faces by label, in nats, of the bundle.
    """
    kinds = [kind for kind in samples.expressions if kind == NEUTRAL or samples.seconds(kind) >= POSED_S]
    fitting = {kind: _moments(samples.fitting(kind), labels) for kind in kinds if kind in labels}
    held_out = {kind: _scores(samples.held_out(kind), labels) for kind in fitting}
    fitting = {kind: rows for kind, rows in fitting.items() if rows and held_out[kind]}
    held_out = {kind: held_out[kind] for kind in fitting}
    if NEUTRAL not in fitting or samples.seconds(NEUTRAL) < NEUTRAL_S:
        shares = _shares(held_out, labels, before)
        return Fitted(before, helped=False, before=shares, after=shares)
    normal = [(usual or {}).get(label, _USUAL) for label in labels]
    shift = _from_neutral(fitting[NEUTRAL], labels, normal)
    scale = [1.0] * len(labels)
    if len(fitting) > 1:
        shift, scale = _from_posed(fitting, labels, shift)
    found = _joined(before, _as_correction(labels, shift, scale))
    was, now = _shares(held_out, labels, before), _shares(held_out, labels, found)
    gain = _loss(held_out, labels, before, normal) - _loss(held_out, labels, found, normal)
    helped = gain >= _LEAST_GAIN and all(now[kind] >= was[kind] for kind in was)
    return Fitted(found if helped else before, helped, was, now)


def _scores(samples: Sequence[Sample], labels: Sequence[str]) -> list[tuple[float, ...]]:
    """Return the readings of a face, without those that are probably none."""
    no_face = labels.index(NOT_A_FACE) if NOT_A_FACE in labels else None
    return [one.scores for one in samples if no_face is None or one.scores[no_face] <= _DOUBT]


def _margins(scores: Sequence[float], neutral: int) -> list[float]:
    calm = math.log(max(scores[neutral], _LEAST))
    return [math.log(max(score, _LEAST)) - calm for score in scores]


def _mean(rows: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def _moments(samples: Sequence[Sample], labels: Sequence[str]) -> list[list[float]]:
    """Return the mean margins of each half second."""
    if NEUTRAL not in labels:
        return []
    neutral = labels.index(NEUTRAL)
    moments: dict[int, list[list[float]]] = {}
    for one in samples:
        for scores in _scores([one], labels):
            moments.setdefault(int(one.t / _MOMENT_S), []).append(_margins(scores, neutral))
    return [_mean(rows) for rows in moments.values()]


def _from_neutral(rows: Sequence[Sequence[float]], labels: Sequence[str], normal: Sequence[float]) -> list[float]:
    """Return the shift of each label, by the neutral face alone, in nats."""
    shift = []
    for label, margin, usual in zip(labels, _mean(rows), normal, strict=True):
        off = margin - usual
        wish = -_SHARE * math.copysign(max(abs(off) - _LEFT, 0.0), off)
        shift.append(0.0 if label in (NEUTRAL, NOT_A_FACE) else max(wish, min(-margin - _SAFE, 0.0)))
    places = [place for place, label in enumerate(labels) if label not in (NEUTRAL, NOT_A_FACE)]
    rise = sum(max(shift[place], 0.0) for place in places) / max(len(places), 1)
    for place in places:
        if shift[place] >= 0:
            shift[place] += _TOGETHER * (rise - shift[place])
    return shift


def _from_posed(
    fitting: Mapping[str, Sequence[Sequence[float]]], labels: Sequence[str], prior: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return shifts and factors: the most probable ones, by gradient descent.

    Args:
        fitting: margins of each moment, by expression.
        labels: the labels.
        prior: the shifts that the neutral face says.
    """
    scale, own, common = [1.0] * len(labels), [0.0] * len(labels), 0.0
    places = [place for place, label in enumerate(labels) if label not in (NEUTRAL, NOT_A_FACE)]
    rows = [
        (margins, labels.index(kind), _WORTH / len(moments)) for kind, moments in fitting.items() for margins in moments
    ]
    # No curve of the loss is steeper, so that no step overshoots.
    steep = _WORTH * len(fitting) / 2
    curves = {place: _curve(rows, place) + _SCALE_SD**-2 for place in places}
    for _ in range(_STEPS):
        owns = {place: own[place] / _SHIFT_SD**2 for place in places}
        scales = {place: (scale[place] - 1) / _SCALE_SD**2 for place in places}
        both = common / _COMMON_SD**2
        for margins, truth, weight in rows:
            moved = {place: scale[place] * margins[place] + prior[place] + common + own[place] for place in places}
            most = max(0.0, *moved.values())
            powers = {place: math.exp(margin - most) for place, margin in moved.items()}
            whole = sum(powers.values()) + math.exp(-most)
            for place in places:
                wrong = weight * (powers[place] / whole - (place == truth))
                owns[place] += wrong
                both += wrong
                scales[place] += wrong * margins[place]
        for place in places:
            own[place] -= owns[place] / (3 * (steep + _SHIFT_SD**-2))
            scale[place] -= scales[place] / (3 * curves[place])
        common -= both / (3 * (steep + _COMMON_SD**-2))
    shift = [first + (common + own[n] if n in places else 0.0) for n, first in enumerate(prior)]
    return shift, scale


def _pull(off: float, deviation: float) -> float:
    return off / deviation**2


def _curve(rows: Sequence[tuple[Sequence[float], int, float]], place: int) -> float:
    return sum(weight * margins[place] ** 2 for margins, _, weight in rows) / 4


def _as_correction(labels: Sequence[str], shift: Sequence[float], scale: Sequence[float]) -> Correction:
    """Return the bounded correction of one sitting."""
    moving = [(label, n) for n, label in enumerate(labels) if label not in (NEUTRAL, NOT_A_FACE)]
    return Correction(
        shift={label: min(max(shift[n], -SHIFT), SHIFT) for label, n in moving},
        scale={label: min(max(scale[n], SCALE[0]), SCALE[1]) for label, n in moving},
        people=1,
    )


def _joined(before: Correction, one: Correction) -> Correction:
    """Return the mean of the sittings before and one more."""
    share = 1 / (before.people + 1)

    def mean(old: float, new: float) -> float:
        return round(old + share * (new - old), 4)

    shift = {label: mean(before.shift.get(label, 0.0), value) for label, value in one.shift.items()}
    scale = {label: mean(before.scale.get(label, 1.0), value) for label, value in one.scale.items()}
    return Correction(
        shift={**before.shift, **shift},
        scale={**before.scale, **scale},
        people=min(before.people + 1, PEOPLE),
    )


def _corrected(
    rows: Sequence[tuple[float, ...]], labels: Sequence[str], correction: Correction
) -> list[tuple[float, ...]]:
    change = corrector(labels, correction)
    return [change(scores) for scores in rows] if change else list(rows)


def _shares(
    held_out: Mapping[str, Sequence[tuple[float, ...]]], labels: Sequence[str], correction: Correction
) -> dict[str, float]:
    """Return the share of moments whose most probable label is the expression, by expression."""
    shares = {}
    for kind, rows in held_out.items():
        read = [labels[scores.index(max(scores))] for scores in _corrected(rows, labels, correction)]
        shares[kind] = sum(label == kind for label in read) / len(read)
    return shares


def _loss(
    held_out: Mapping[str, Sequence[tuple[float, ...]]],
    labels: Sequence[str],
    correction: Correction,
    normal: Sequence[float],
) -> float:
    """Return how bad a correction is on held-out moments, the mean over expressions.

    Of an expression it is the mean negative logarithm of its probability. Of the neutral face it is half the mean
    square of the differences from what is usual, in the deviation between people: the same, if margins are normal.
    """
    places = [place for place, label in enumerate(labels) if label not in (NEUTRAL, NOT_A_FACE)]
    neutral, losses = labels.index(NEUTRAL), []
    for kind, rows in held_out.items():
        corrected = _corrected(rows, labels, correction)
        if kind == NEUTRAL:
            means = _mean([_margins(scores, neutral) for scores in corrected])
            off = [(means[place] - normal[place]) / _BETWEEN for place in places]
            losses.append(sum(one * one for one in off) / (2 * max(len(off), 1)))
        else:
            place = labels.index(kind)
            losses.append(-sum(math.log(max(scores[place], _LEAST)) for scores in corrected) / len(corrected))
    return sum(losses) / max(len(losses), 1)
