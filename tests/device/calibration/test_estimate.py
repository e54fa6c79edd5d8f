"""From margins to shifts and factors, by hand and against the posterior that they should be the top of."""

import math

import numpy as np
import pytest

from cuelens.calibration.estimate import faces_of, from_neutral, from_posed, margins_of, moments
from cuelens.calibration.samples import Sample

LABELS = ("neutral", "happy", "sad", "not_a_face")
USUAL = (0.0, -5.0, -5.0, 0.0)


@pytest.mark.parametrize(
    ("happy", "sad", "expected"),
    [
        # As usual, or within a nat of it.
        (-5.0, -5.0, (0.0, 0.0)),
        (-4.1, -5.9, (0.0, 0.0)),
        # Too happy, but a nat and a half under the border all the same.
        (-2.0, -5.0, (0.0, 0.0)),
        # Down as far as that, and no farther than seven tenths of what is over the first nat.
        (0.0, -5.0, (-1.5, 0.0)),
        (2.0, 3.0, (-3.5, -4.5)),
        (6.0, -5.0, (-7.0, 0.0)),
        # Up by seven tenths; half of that is the mean of all rises.
        (-8.0, -5.0, (1.05, 0.35)),
        (-8.0, -8.0, (1.4, 1.4)),
        (0.0, -8.0, (-1.5, 1.05)),
        # What goes down a little is no rise.
        (-1.4, -8.0, (-0.1, 1.05)),
    ],
)
def test_the_neutral_face_says_shifts(happy: float, sad: float, expected: tuple[float, float]) -> None:
    shift = from_neutral([(0.0, happy, sad, -7.0)], LABELS, USUAL)
    assert shift == pytest.approx((0.0, *expected, 0.0))


def test_a_blink_is_no_neutral_face() -> None:
    rows = [(0.0, -8.0, -5.0, -7.0)] * 3 + [(0.0, 9.0, 9.0, -7.0)] * 2
    assert from_neutral(rows, LABELS, USUAL) == pytest.approx((0.0, 1.05, 0.35, 0.0))


def test_margins_are_against_neutral_and_those_of_nothing_are_bounded() -> None:
    assert margins_of((0.5, 0.25, 0.25), 0) == pytest.approx((0.0, -math.log(2), -math.log(2)))
    assert margins_of((0.25, 0.5, 0.25), 1) == pytest.approx((-math.log(2), 0.0, -math.log(2)))
    assert margins_of((1.0, 0.0), 0) == pytest.approx((0.0, math.log(1e-5)))
    assert margins_of((0.0, 1.0), 0) == pytest.approx((0.0, -math.log(1e-5)))


def test_a_moment_is_the_mean_of_half_a_second() -> None:
    readings = [(10.0, 0.5), (10.2, 0.25), (10.49, 0.125), (10.5, 0.25), (10.9, 0.25), (12.1, 0.5)]
    samples = [Sample(t, (0.5, happy, 0.1, 0.1)) for t, happy in readings]
    assert [row[1] for row in moments(samples, LABELS)] == pytest.approx([-math.log(2), -math.log(2), 0.0])


def test_a_reading_that_is_probably_of_no_face_is_left_out() -> None:
    samples = [Sample(float(t), (0.6 - doubt, 0.2, 0.2, doubt)) for t, doubt in enumerate((0.0, 0.25, 0.26, 0.5))]
    assert faces_of(samples, LABELS) == samples[:2]
    assert len(moments(samples, LABELS)) == 2
    # Without such a label all of them count.
    assert faces_of(samples, ("neutral", "happy", "sad", "fear")) == samples


def evidence_against(
    fitting: dict[str, list[tuple[float, ...]]], prior: np.ndarray, shift: np.ndarray, scale: np.ndarray
) -> float:
    """Return the negative logarithm of the posterior of shifts and factors of happy and sad, written down anew."""
    loss = 0.0
    for kind, rows in fitting.items():
        margins = np.array(rows)[:, 1:3] * scale + prior + shift
        logits = np.concatenate([np.zeros((len(rows), 1)), margins], axis=1)
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        loss -= np.log(chances[:, LABELS.index(kind)]).mean()
    # What all shifts have in common is the most probable part of them under both priors.
    common = shift.sum() / 0.15**2 / (len(shift) / 0.15**2 + 1 / 0.25**2)
    loss += common**2 / (2 * 0.25**2) + ((shift - common) ** 2).sum() / (2 * 0.15**2)
    return float(loss + ((scale - 1) ** 2).sum() / (2 * 0.05**2))


@pytest.mark.parametrize(
    "fitting",
    [
        {"neutral": [(0.0, -2.0, -4.0, -7.0)] * 3, "happy": [(0.0, -1.0, -4.0, -7.0), (0.0, 0.5, -3.0, -7.0)]},
        {"neutral": [(0.0, 1.0, -4.0, -7.0)], "sad": [(0.0, 2.0, 1.0, -7.0)], "happy": [(0.0, 5.0, -3.0, -7.0)] * 4},
    ],
    ids=["a slight smile", "a face that looks happy"],
)
def test_posed_expressions_lead_to_the_most_probable_change(fitting: dict[str, list[tuple[float, ...]]]) -> None:
    prior = np.array([-0.5, 0.3])
    found, factors = from_posed(fitting, LABELS, (0.0, *prior, 0.0))
    assert (found[0], found[3], factors[0], factors[3]) == (0.0, 0.0, 1.0, 1.0)
    best = np.array([*(found[1:3] - prior), *factors[1:3]])
    least = evidence_against(fitting, prior, best[:2], best[2:])
    for place in range(4):
        for step in (-0.02, 0.02):
            moved = best.copy()
            moved[place] += step
            assert evidence_against(fitting, prior, moved[:2], moved[2:]) > least
