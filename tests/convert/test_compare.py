import re

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")

from cuelens_convert.compare import Comparison, Limits, exceeds, mcnemar, refusal
from cuelens_models.bundle.contract import Parity


@pytest.mark.parametrize(
    ("lost", "won", "chance"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (6, 0, 2 / 2**6),
        (0, 6, 2 / 2**6),
        (10, 2, 2 * (1 + 12 + 66) / 2**12),
        (400, 300, 0.00018),
    ],
)
def test_mcnemars_test_by_hand(lost: int, won: int, chance: float) -> None:
    assert mcnemar(lost, won) == pytest.approx(chance, rel=0.02)


def compare(truth: list[int], before: list[int], after: list[int]) -> Comparison:
    """Return what two models said of two classes, given which one each names."""
    return Comparison(("happy", "sad"), np.array(truth), np.eye(2)[before], np.eye(2)[after])


def worse(images: int, wrong: int) -> Comparison:
    """Return a comparison in which only the second model is wrong, on the first `wrong` images of the first class."""
    truth = [0] * images + [1] * images
    return compare(truth, truth, [1] * wrong + [0] * (images - wrong) + [1] * images)


@pytest.mark.parametrize(
    ("comparison", "limits", "words"),
    [
        pytest.param(worse(500, 0), Limits(), None, id="as good"),
        pytest.param(worse(500, 5), Limits(), None, id="exactly what is allowed"),
        pytest.param(worse(500, 12), Limits(), r"1\.20 points of accuracy on 1000 .* 0\.5 are allowed", id="worse"),
        pytest.param(worse(500, 12), Limits(drop=1.2), None, id="a wider gate"),
        pytest.param(worse(500, 16), Limits(drop=5), r"3\.20 points of recall of happy on 500", id="a class worse"),
        pytest.param(worse(500, 16), Limits(drop=5, class_drop=3.2), None, id="exactly what a class is allowed"),
        pytest.param(worse(100, 4), Limits(), None, id="worse, but by chance"),
        pytest.param(worse(99, 30), Limits(drop=50), None, id="a class of few images"),
        pytest.param(worse(500, 0), Limits(agreement=99), None, id="agreeing"),
        pytest.param(worse(500, 12), Limits(drop=5, agreement=99), r"98\.80% of 1000 .* 99 % are", id="disagreeing"),
    ],
)
def test_the_gate_refuses_what_was_really_lost(comparison: Comparison, limits: Limits, words: str | None) -> None:
    reason = refusal(comparison, limits)
    assert reason is None if words is None else re.search(words, reason or "")


def test_a_loss_by_chance_still_exceeds_the_limits() -> None:
    comparison = worse(100, 4)
    assert refusal(comparison, Limits()) is None
    assert exceeds(comparison, Limits())
    assert not exceeds(comparison, Limits(drop=2, class_drop=4))


def test_rare_classes_are_pooled() -> None:
    truth = [0] * 120 + [1] * 30
    rare = compare(truth, truth, [0] * 135 + [1] * 15).rare()
    assert rare is not None
    assert (rare.name, rare.images, rare.points) == ("sad", 30, 50)
    assert compare([0, 1] * 100, [0, 1] * 100, [0, 1] * 100).rare() is None


def test_agreement_after_fine_tuning_is_with_the_tuned_network() -> None:
    truth = [0, 1] * 50
    before, after = np.eye(2)[[1 - label for label in truth]], np.eye(2)[truth]
    assert Comparison(("happy", "sad"), np.array(truth), before, after).agreement == 0
    tuned = Comparison(("happy", "sad"), np.array(truth), before, after, after)
    assert (tuned.agreement, tuned.largest_difference) == (1, 0)
    assert tuned.parity().float_accuracy == 0


def test_parity_by_hand() -> None:
    # 120 happy, 120 sad; the second model loses 12 happy ones, and 6 sad ones that were wrong become right.
    truth = [0] * 120 + [1] * 120
    before = [0] * 120 + [1] * 108 + [0] * 12
    after = [0] * 108 + [1] * 12 + [1] * 114 + [0] * 6
    parity = compare(truth, before, after).parity()
    assert parity == Parity(
        images=240, float_accuracy=0.95, converted_accuracy=0.925, agreement=0.925, worst_class_drop=0.1
    )


def test_a_class_of_few_images_is_not_judged_alone() -> None:
    truth = [0] * 120 + [1] * 99
    parity = compare(truth, truth, [0] * 219).parity()
    assert parity.worst_class_drop == 0
    assert compare([*truth, 1], [*truth, 1], [0] * 220).parity().worst_class_drop == 1


def test_the_written_model_is_what_is_scored() -> None:
    truth = [0] * 60 + [1] * 60
    metrics = compare(truth, [0] * 120, [0] * 60 + [1] * 30 + [0] * 30).measure("ferplus8 on made up", 0.01)
    assert (metrics.protocol, metrics.images, metrics.accuracy) == ("ferplus8 on made up", 120, 0.75)
    assert metrics.macro_f1 == pytest.approx((120 / 150 + 60 / 90) / 2, abs=1e-5)
    # At so low a temperature it is sure of everything, and right in three of four.
    assert metrics.ece == pytest.approx(0.25, abs=1e-5)
