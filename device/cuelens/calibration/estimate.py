"""From readings of a sitting to shifts and factors of the margins, before it is known whether they help.

Pure. The neutral face says most: what lies over or under the usual for it lies so, in part, in this person's
expressions too. Four rules turn the difference between its margins and those of neutral faces in general into a shift:

- *The first nat is left.* Place and light change margins by about as much, and all frames of a sitting share them. So
  this is the most probable shift under a Laplace prior about no change (soft thresholding: Tibshirani 1996, "Regression
  shrinkage and selection via the lasso").
- *A share is taken.* An expression keeps a part of what distinguishes the neutral face: the margins of both correlate
  by 0.5 to 0.6 (`benchmarks/persons.py`).
- *Down only as far as needed*: until the neutral face lies `SAFE` under the border. Farther would cost expressions.
- *Up together*: half of a rise is the mean of all rises, so that none outruns the label that it is confused with.

Posed expressions then move shifts and factors by a logistic regression with normal priors, about these shifts and about
factors of one. All readings of an expression together count as one: the frames of one person in one sitting are alike.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from cuelens.calibration.correction import NEUTRAL, moves
from cuelens.calibration.samples import Sample
from cuelens_models.bundle.expressions import NOT_A_FACE

LEAST: Final = 1e-5
"""Least probability in a margin, as in settling."""
_DOUBT: Final = 0.25
"""A reading that is over this probability of not_a_face is left out."""
_MOMENT_S: Final = 0.5
"""Readings of so many seconds are averaged: the noise of frames, and mirrored ones, say nothing of a person."""
LEFT: Final = 1.0
"""Nats of a difference that are left."""
SHARE: Final = 0.7
"""Share that is taken of the rest."""
SAFE: Final = 1.5
"""Nats by which a calm face should lie under the border to an expression."""
TOGETHER: Final = 0.5
"""Share of a rise that is the mean of all rises."""
COMMON_SD: Final = 0.25
"""Standard deviation of the prior of what posed expressions add to all shifts, in nats."""
OWN_SD: Final = 0.15
"""The same, of what they add to a single shift."""
SCALE_SD: Final = 0.05
"""Standard deviation of the prior of a factor."""
_STEPS: Final = 150
"""Steps of the gradient descent: by then the last one moves no shift by a hundredth of a nat."""

Rows = Sequence[Sequence[float]]


def margins_of(scores: Sequence[float], neutral: int) -> list[float]:
    """Return by how many nats each label is more probable than neutral. neutral: its place."""
    calm = math.log(max(scores[neutral], LEAST))
    return [math.log(max(score, LEAST)) - calm for score in scores]


def faces_of(samples: Sequence[Sample], labels: Sequence[str]) -> list[Sample]:
    """Return the readings of a face, without those that are probably of none."""
    no_face = labels.index(NOT_A_FACE) if NOT_A_FACE in labels else None
    return [one for one in samples if no_face is None or one.scores[no_face] <= _DOUBT]


def moments(samples: Sequence[Sample], labels: Sequence[str]) -> list[list[float]]:
    """Return the mean margins of each half second, in the order of the labels."""
    neutral = labels.index(NEUTRAL)
    halves: dict[int, list[list[float]]] = {}
    for one in faces_of(samples, labels):
        halves.setdefault(int(one.t / _MOMENT_S), []).append(margins_of(one.scores, neutral))
    return [[sum(column) / len(rows) for column in zip(*rows, strict=True)] for rows in halves.values()]


def from_neutral(rows: Rows, labels: Sequence[str], usual: Sequence[float]) -> list[float]:
    """Return the shift of each label by the neutral face alone, in nats.

    The median over moments counts: a blink or a word is no neutral face.

    Args:
        rows: margins of moments.
        labels: the labels.
        usual: the margins of neutral faces in general.
    """
    shift = [0.0] * len(labels)
    places = [place for place, label in enumerate(labels) if moves(label)]
    for place in places:
        margin = median(row[place] for row in rows)
        off = margin - usual[place]
        wish = -SHARE * math.copysign(max(abs(off) - LEFT, 0.0), off)
        shift[place] = max(wish, min(-margin - SAFE, 0.0))
    rise = sum(max(shift[place], 0.0) for place in places) / max(len(places), 1)
    for place in places:
        if shift[place] >= 0:
            shift[place] += TOGETHER * (rise - shift[place])
    return shift


def from_posed(
    fitting: Mapping[str, Rows], labels: Sequence[str], prior: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return the most probable shifts and factors, by gradient descent.

    A shift is the prior's, plus what all have in common, plus its own. The loss is the cross-entropy of the readings,
    each expression with the weight of one reading.

    Args:
        fitting: margins of moments, by expression.
        labels: the labels.
        prior: the shifts that the neutral face says.
    """
    places = [place for place, label in enumerate(labels) if moves(label)]
    rows = [(margins, labels.index(kind), 1 / len(every)) for kind, every in fitting.items() for margins in every]
    own, scale, common = [0.0] * len(labels), [1.0] * len(labels), 0.0
    # No curve of the loss is steeper than this, so no step goes too far.
    steep = len(fitting) / 2
    curves = {place: sum(part * row[place] ** 2 for row, _, part in rows) / 4 + SCALE_SD**-2 for place in places}
    for _ in range(_STEPS):
        owns = {place: own[place] / OWN_SD**2 for place in places}
        scales = {place: (scale[place] - 1) / SCALE_SD**2 for place in places}
        shared = common / COMMON_SD**2
        for margins, truth, part in rows:
            moved = {place: scale[place] * margins[place] + prior[place] + common + own[place] for place in places}
            most = max(0.0, *moved.values())
            powers = {place: math.exp(margin - most) for place, margin in moved.items()}
            whole = sum(powers.values()) + math.exp(-most)
            for place in places:
                wrong = part * (powers[place] / whole - (place == truth))
                owns[place] += wrong
                shared += wrong
                scales[place] += wrong * margins[place]
        for place in places:
            own[place] -= owns[place] / (3 * (steep + OWN_SD**-2))
            scale[place] -= scales[place] / (3 * curves[place])
        common -= shared / (3 * (steep + COMMON_SD**-2))
    return [before + (common + own[n] if n in curves else 0.0) for n, before in enumerate(prior)], scale
