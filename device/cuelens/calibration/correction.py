"""The correction of a household: by how much its readings are moved, for a family whose faces differ from most.

Pure. A reading says by how many nats each expression is more probable than neutral: its margin. The correction is
vector scaling of the margins: each is multiplied with a factor, and a shift is added to it (Guo et al. 2017, "On
calibration of modern neural networks", the diagonal case). No change is a shift of 0 and a factor of 1.

A household has one correction. Faces are not told apart, for that would need a template of each.
"""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.strict_struct import StrictStruct

NEUTRAL: Final = LABELS[0]
SHIFT: Final = 4.0
"""The farthest shift, in nats."""
SCALE: Final = (0.5, 2.0)
"""The least and the greatest factor."""
PEOPLE: Final = 12
"""The most people that are counted."""
_LEAST: Final = 1e-9
"""Least probability in a margin."""

Expression = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(LABELS[1:])})$", title=", ".join(LABELS[1:]))]
Shift = Annotated[float, msgspec.Meta(ge=-SHIFT, le=SHIFT)]
Scale = Annotated[float, msgspec.Meta(ge=SCALE[0], le=SCALE[1])]


class Correction(StrictStruct, frozen=True):
    """What the family's calibration found. Statistics only. Empty, it changes nothing.

    Attributes:
        shift: by label, nats that are added to its margin over neutral.
        scale: by label, the factor of that margin before the shift is added.
        people: how many sittings of family members it is the mean of.
    """

    shift: dict[Expression, Shift] = msgspec.field(default_factory=dict)
    scale: dict[Expression, Scale] = msgspec.field(default_factory=dict)
    people: Annotated[int, msgspec.Meta(ge=0, le=PEOPLE)] = 0

    @property
    def familiar(self) -> float:
        """Return how much of what distinguishes a new face is known, 0 to 1.

        Once the mean of n people is taken off, a share of 1 - 1/n of the variance between them is left.
        """
        return 1 / self.people if self.people else 0.0


def correct(scores: Sequence[float], labels: Sequence[str], correction: Correction) -> tuple[float, ...]:
    """Return the corrected probabilities of a reading.

    The probability of `not_a_face` stays as it is, and the others keep their sum.

    Args:
        scores: probabilities, in the order of the labels.
        labels: the bundle's labels. Without neutral among them nothing is corrected.
        correction: the household's.
    """
    change = corrector(labels, correction)
    return change(scores) if change else tuple(scores)


def corrector(labels: Sequence[str], correction: Correction) -> Callable[[Sequence[float]], tuple[float, ...]] | None:
    """Return the function that corrects readings, with all that can be worked out beforehand; None if none changes.

    Args:
        labels: the bundle's labels.
        correction: the household's.
    """
    if NEUTRAL not in labels:
        return None
    factors = [math.exp(correction.shift.get(label, 0.0)) if moves(label) else 1.0 for label in labels]
    powers = [correction.scale.get(label, 1.0) if moves(label) else 1.0 for label in labels]
    if all(factor == 1.0 for factor in factors) and all(power == 1.0 for power in powers):
        return None
    neutral = labels.index(NEUTRAL)
    no_face = labels.index(NOT_A_FACE) if NOT_A_FACE in labels else None
    bent = [place for place, power in enumerate(powers) if power != 1.0]

    def change(scores: Sequence[float]) -> tuple[float, ...]:
        doubt = 0.0 if no_face is None else scores[no_face]
        weights = [score * factor for score, factor in zip(scores, factors, strict=True)]
        for place in bent:
            calm = max(scores[neutral], _LEAST)
            weights[place] = factors[place] * calm * (max(scores[place], _LEAST) / calm) ** powers[place]
        rest = sum(weights) - doubt
        share = (sum(scores) - doubt) / rest if rest > 0 else 1.0
        corrected = [weight * share for weight in weights]
        if no_face is not None:
            corrected[no_face] = doubt
        return tuple(corrected)

    return change


def moves(label: str) -> bool:
    """Tell whether a label has a margin that can be corrected."""
    return label not in (NEUTRAL, NOT_A_FACE)
