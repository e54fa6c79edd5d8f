"""Fitting: from the samples of a sitting to the household's correction, and whether it helped.

Pure. Held-out moments of the same sitting judge. A correction helped if it lowers their loss and no expression is read
right less often than before. Otherwise half and a quarter of the change are tried; then all is left as it was.

Family members calibrate one after another. The glasses do not tell them apart, for that would need a template of each,
so the household's correction is the mean of their sittings: each counts the same, whoever comes first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cuelens.calibration.correction import NEUTRAL, PEOPLE, SCALE, SHIFT, Correction, corrector, moves
from cuelens.calibration.estimate import LEAST, faces_of, from_neutral, from_posed, margins_of, moments
from cuelens.calibration.samples import Samples

NEUTRAL_S: Final = 3.0
"""A neutral face of fewer seconds says too little."""
POSED_S: Final = 1.5
"""An expression of fewer seconds is left out."""
_USUAL: Final = -5.0
"""Margin of neutral faces where the bundle has none, as in settling."""
_BETWEEN: Final = 2.0
"""Standard deviation of the margins of neutral faces between people, in nats."""
_LENGTHS: Final = (1.0, 0.5, 0.25)
"""Shares of the change that are tried; the first one that helps is kept."""
_LEAST_GAIN: Final = 0.01
"""A smaller loss on held-out moments counts if it is smaller by so much."""

_Scores = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a sitting led to.

    Attributes:
        correction: the new one; the one from before if that did not help.
        helped: whether it did.
        before: share of held-out readings that are right with the correction from before, by expression.
        after: the same with the new correction; with the last one that was tried, if none helped.
    """

    correction: Correction
    helped: bool
    before: dict[str, float]
    after: dict[str, float]


def fit(
    samples: Samples, labels: Sequence[str], before: Correction, usual: Mapping[str, float] | None = None
) -> Fitted:
    """Return the correction of a household after one more sitting.

    Args:
        samples: of the sitting, as the network gave them. Without a neutral face nothing is fitted; any expression may
            be missing.
        labels: the bundle's labels, in the order of the scores.
        before: the correction so far.
        usual: the mean margins of neutral faces by label, in nats, from the bundle.
    """
    read = _read(samples, labels)
    held_out = {kind: judged for kind, (_, judged) in read.items()}
    was = _shares(held_out, labels, before)
    if NEUTRAL not in read or samples.seconds(NEUTRAL) < NEUTRAL_S:
        return Fitted(before, helped=False, before=was, after=was)
    normal = [(usual or {}).get(label, _USUAL) for label in labels]
    fitted = {kind: rows for kind, (rows, _) in read.items()}
    shift, scale = from_neutral(fitted[NEUTRAL], labels, normal), [1.0] * len(labels)
    if len(fitted) > 1:
        shift, scale = from_posed(fitted, labels, shift)
    most, now = _loss(held_out, labels, before, normal) - _LEAST_GAIN, was
    for length in _LENGTHS:
        found = _joined(before, labels, shift, scale, length)
        now = _shares(held_out, labels, found)
        if _loss(held_out, labels, found, normal) <= most and all(now[kind] >= was[kind] for kind in was):
            return Fitted(found, helped=True, before=was, after=now)
    return Fitted(before, helped=False, before=was, after=now)


def _read(samples: Samples, labels: Sequence[str]) -> dict[str, tuple[list[list[float]], list[_Scores]]]:
    """Return the margins of the moments to fit to, and the held-out readings, of each expression with both."""
    read = {}
    for kind in samples.expressions:
        if NEUTRAL in labels and kind in labels and (kind == NEUTRAL or samples.seconds(kind) >= POSED_S):
            rows = moments(samples.fitting(kind), labels)
            judged = [one.scores for one in faces_of(samples.held_out(kind), labels)]
            if rows and judged:
                read[kind] = (rows, judged)
    return read


def _joined(
    before: Correction, labels: Sequence[str], shift: Sequence[float], scale: Sequence[float], length: float
) -> Correction:
    """Return the mean of the sittings so far and one more.

    Args:
        before: the mean so far.
        labels: the labels.
        shift: of the new sitting, in nats.
        scale: of the new sitting.
        length: share of the way from `before` to the mean.
    """
    share = length / (before.people + 1)
    shifts, scales = dict(before.shift), dict(before.scale)
    for label, own_shift, own_scale in zip(labels, shift, scale, strict=True):
        if moves(label):
            shifts[label] = _towards(shifts.get(label, 0.0), min(max(own_shift, -SHIFT), SHIFT), share)
            scales[label] = _towards(scales.get(label, 1.0), min(max(own_scale, SCALE[0]), SCALE[1]), share)
    return Correction(
        shift={label: value for label, value in shifts.items() if value != 0.0},
        scale={label: value for label, value in scales.items() if value != 1.0},
        people=min(before.people + 1, PEOPLE),
    )


def _towards(old: float, new: float, share: float) -> float:
    """Return a number on the way from one to another, to a hundredth: nobody knows them better."""
    return round(old + share * (new - old), 2)


def _corrected(rows: Sequence[_Scores], labels: Sequence[str], correction: Correction) -> list[_Scores]:
    change = corrector(labels, correction)
    return [change(scores) for scores in rows] if change else list(rows)


def _shares(
    held_out: Mapping[str, Sequence[_Scores]], labels: Sequence[str], correction: Correction
) -> dict[str, float]:
    """Return the share of readings whose most probable label is the expression, by expression."""
    shares = {}
    for kind, rows in held_out.items():
        place = labels.index(kind)
        right = [scores[place] == max(scores) for scores in _corrected(rows, labels, correction)]
        shares[kind] = sum(right) / len(right)
    return shares


def _loss(
    held_out: Mapping[str, Sequence[_Scores]], labels: Sequence[str], correction: Correction, usual: Sequence[float]
) -> float:
    """Return how bad a correction is on held-out readings, in nats, the mean over expressions.

    Of an expression it is the mean negative logarithm of its probability. Of the neutral face it is half the mean
    square of what its margins lie off the usual, in the deviation between people: the same, if margins are normal.

    Args:
        held_out: readings by expression.
        labels: the labels.
        correction: the one to judge.
        usual: the margins of neutral faces in general.
    """
    places = [place for place, label in enumerate(labels) if moves(label)]
    losses = []
    for kind, rows in held_out.items():
        corrected, place = _corrected(rows, labels, correction), labels.index(kind)
        if kind == NEUTRAL:
            margins = [margins_of(scores, place) for scores in corrected]
            means = [sum(row[other] for row in margins) / len(margins) - usual[other] for other in places]
            losses.append(sum((mean / _BETWEEN) ** 2 for mean in means) / (2 * max(len(means), 1)))
        else:
            losses.append(-sum(math.log(max(scores[place], LEAST)) for scores in corrected) / len(corrected))
    return sum(losses) / len(losses)
