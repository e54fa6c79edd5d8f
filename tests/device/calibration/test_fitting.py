"""Fitting: a person's shift is found, nobody else is changed, and what does not help is left."""

import math
from collections.abc import Mapping

import msgspec
import numpy as np
import pytest

from cuelens.calibration.correction import SCALE, SHIFT, Correction
from cuelens.calibration.fitting import Fitted, fit
from cuelens.calibration.samples import Samples
from cuelens_models.bundle.expressions import LABELS

EVERY = (*LABELS, "not_a_face")
USUAL = dict.fromkeys(LABELS[1:], -5.0)
SHOWN = {"neutral": 0.0, "happy": 8.0, "surprise": 8.0, "sad": 8.0}
"""By how much the margin of an expression rises while it is shown, in nats."""


def probabilities(margins: Mapping[str, float], doubt: float = 1e-4) -> tuple[float, ...]:
    powers = [math.exp(margins.get(label, 0.0)) for label in LABELS]
    return (*(power * (1 - doubt) / sum(powers) for power in powers), doubt)


def sitting(
    bias: Mapping[str, float],
    seconds: Mapping[str, float],
    shown: Mapping[str, float] = SHOWN,
    doubt: float = 1e-4,
    seed: int = 1,
    tremble: float = 0.5,
) -> Samples:
    """Return the samples of a person who differs from others by `bias`, in nats, and trembles by so many."""
    random, samples = np.random.default_rng(seed), Samples()
    for kind, length in seconds.items():
        for n in range(round(length * 15)):
            margins = {label: USUAL[label] + bias.get(label, 0.0) for label in LABELS[1:]}
            if kind != "neutral":
                margins[kind] += shown[kind]
            noisy = {label: margin + float(random.normal(0, tremble)) for label, margin in margins.items()}
            samples.add(kind, n / 15, probabilities(noisy, doubt))
    return samples


def fitted(samples: Samples, before: Correction | None = None) -> Fitted:
    return fit(samples, EVERY, before or Correction(), USUAL)


ALONE = {"neutral": 10.0}
WHOLE = {"neutral": 10.0, "happy": 5.0, "surprise": 5.0, "sad": 5.0}


@pytest.mark.parametrize("seconds", [ALONE, WHOLE], ids=["neutral alone", "all that is asked for"])
def test_a_known_shift_is_found(seconds: Mapping[str, float]) -> None:
    found = fitted(sitting({"happy": 5.0, "surprise": -3.0, "sad": 6.0}, seconds))
    assert found.helped
    assert found.before["neutral"] < 0.6
    assert found.after["neutral"] > 0.95
    # Down until neutral is safe, and up by a share of what is over the first nat.
    assert found.correction.shift["happy"] == pytest.approx(-1.5, abs=0.3)
    assert found.correction.shift["sad"] == pytest.approx(-2.5, abs=0.4)
    assert 0.5 < found.correction.shift["surprise"] < 1.6
    assert found.correction.people == 1


@pytest.mark.parametrize("seconds", [ALONE, WHOLE], ids=["neutral alone", "all that is asked for"])
@pytest.mark.parametrize("bias", [{}, {"happy": 0.8, "sad": -0.8}], ids=["none", "less than a sitting tells"])
def test_who_has_no_shift_gets_none(bias: Mapping[str, float], seconds: Mapping[str, float]) -> None:
    found = fitted(sitting(bias, seconds))
    assert not found.helped
    assert found.correction == Correction()
    assert found.after.keys() == found.before.keys() == seconds.keys()


@pytest.mark.parametrize(
    ("bias", "shift"),
    [
        # Down until neutral is safe, or by a share of what is over the first nat.
        ({"happy": 5.0}, {"happy": -1.5}),
        ({"happy": 7.0}, {"happy": -3.5}),
        # Up by the share; half of it is the mean of all rises.
        ({"happy": 5.0, "sad": -4.0}, {**dict.fromkeys(LABELS[2:], 0.15), "happy": -1.5, "sad": 1.2}),
    ],
)
def test_the_neutral_face_alone_moves_labels_by_its_rules_and_no_factor(
    bias: Mapping[str, float], shift: Mapping[str, float]
) -> None:
    found = fitted(sitting(bias, ALONE, tremble=0.0)).correction
    assert found == Correction(shift=dict(shift), people=1)


@pytest.mark.parametrize(
    ("neutral_s", "happy_s", "helped", "expressions"),
    [
        (2.875, 5.0, False, {"neutral", "happy"}),
        (3.0, 0.0, True, {"neutral"}),
        (3.0, 1.375, True, {"neutral"}),
        (3.0, 1.5, True, {"neutral", "happy"}),
    ],
)
def test_what_lasts_just_long_enough_counts(
    neutral_s: float, happy_s: float, helped: bool, expressions: set[str]
) -> None:
    samples = Samples()
    for kind, length, happy in (("neutral", neutral_s, 0.5), ("happy", happy_s, 0.9)):
        for n in range(round(length * 8) + 1):
            samples.add(kind, n / 8, (1 - happy, happy))
    found = fit(samples, ("neutral", "happy"), Correction(), USUAL)
    assert found.helped is helped
    assert set(found.after) == expressions


def test_what_is_usual_for_the_network_is_no_shift_of_a_person() -> None:
    samples = sitting({"happy": 5.0}, ALONE)
    assert not fit(samples, EVERY, Correction(), {**USUAL, "happy": 0.0}).helped
    assert fit(samples, EVERY, Correction(), None) == fit(samples, EVERY, Correction(), USUAL)


def test_a_smile_that_is_hardly_seen_lifts_the_expressions_a_little() -> None:
    slight = sitting({}, {"neutral": 10.0, "happy": 5.0}, {"happy": 3.5})
    found = fitted(slight)
    assert found.helped
    assert 0 < found.correction.shift["happy"] < 1.0
    assert found.correction.shift["sad"] > 0


@pytest.mark.parametrize(
    ("seconds", "expressions"),
    [
        ({}, set()),
        ({"neutral": 2.0}, {"neutral"}),
        ({"happy": 5.0}, {"happy"}),
        ({"neutral": 0.2, "happy": 5.0}, {"happy"}),
    ],
    ids=["nothing", "two seconds", "no neutral face", "hardly a neutral face"],
)
def test_too_little_did_not_help(seconds: Mapping[str, float], expressions: set[str]) -> None:
    before = Correction(shift={"happy": 1.0}, people=1)
    found = fitted(sitting({"happy": 5.0}, seconds), before)
    assert not found.helped
    assert found.correction is before
    assert set(found.before) == set(found.after) == expressions


@pytest.mark.parametrize(("seconds", "counts"), [(1.4, False), (1.7, True)])
def test_an_expression_of_a_second_is_left_out(seconds: float, counts: bool) -> None:
    found = fitted(sitting({"happy": 5.0}, {"neutral": 10.0, "happy": seconds}))
    assert found.helped
    assert set(found.after) == {"neutral", *(["happy"] if counts else [])}


def test_readings_of_no_face_count_for_nothing() -> None:
    found = fitted(sitting({"happy": 5.0}, ALONE, doubt=0.9))
    assert not found.helped
    assert found.before == {}


@pytest.mark.parametrize("labels", [("happy", "sad"), ("neutral", "happy")], ids=["no neutral", "two labels"])
def test_bundles_with_fewer_labels(labels: tuple[str, ...]) -> None:
    samples = Samples()
    for n in range(150):
        samples.add("neutral", n / 15, (0.3, 0.7))
        samples.add("anything", n / 15, (0.3, 0.7))
    found = fit(samples, labels, Correction(), {})
    assert found.helped is ("neutral" in labels)


def test_of_a_bundle_without_expressions_nothing_is_fitted() -> None:
    samples = Samples()
    for n in range(150):
        samples.add("neutral", n / 15, (0.9, 0.1))
    assert fit(samples, ("neutral", "not_a_face"), Correction(), {}).correction == Correction()


def test_a_correction_that_would_cost_a_posed_expression_is_weakened_or_left() -> None:
    # A smile that is only just read, of a person whose neutral face is close to it.
    samples = sitting({"happy": 5.0}, {"neutral": 10.0, "happy": 5.0}, {"happy": 0.6})
    found = fitted(samples)
    assert found.after["happy"] < found.before["happy"] or found.helped
    whole = fitted(sitting({"happy": 5.0}, ALONE)).correction.shift["happy"]
    assert whole < found.correction.shift.get("happy", 0.0) <= 0


@pytest.mark.parametrize(("smile", "share"), [(4.0, 1.0), (1.7, 0.5), (1.1, 0.25)])
def test_the_slighter_a_smile_the_smaller_the_share_of_the_change_that_it_bears(smile: float, share: float) -> None:
    samples = sitting({"happy": 6.0}, {"neutral": 10.0, "happy": 5.0}, {"happy": smile}, tremble=0.3)
    found = fitted(samples)
    assert found.helped
    assert found.correction.shift["happy"] == pytest.approx(-2.45 * share, abs=0.03)
    assert found.after["happy"] == found.before["happy"] == 1.0


@pytest.mark.parametrize("bias", [20.0, -20.0])
def test_a_shift_stays_in_its_bounds(bias: float) -> None:
    found = fitted(sitting(dict.fromkeys(LABELS[1:], bias), WHOLE))
    assert all(abs(shift) <= SHIFT for shift in found.correction.shift.values())
    assert all(SCALE[0] <= scale <= SCALE[1] for scale in found.correction.scale.values())
    assert msgspec.convert(msgspec.to_builtins(found.correction), Correction) == found.correction


def test_a_household_has_the_mean_of_its_people_whoever_comes_first() -> None:
    one, other = sitting({"happy": 5.0}, ALONE), sitting({"sad": 5.0}, ALONE, seed=2)
    both = fitted(other, fitted(one).correction).correction
    turned = fitted(one, fitted(other).correction).correction
    assert both.people == turned.people == 2
    assert both.shift == pytest.approx(turned.shift, abs=0.02)
    assert both.shift["happy"] == pytest.approx(fitted(one).correction.shift["happy"] / 2, abs=0.02)


def test_factors_are_a_mean_too() -> None:
    household = Correction(scale={"sad": 0.8, "fear": 1.4}, people=1)
    found = fitted(sitting({"happy": 5.0}, ALONE), household)
    assert found.helped
    assert found.correction.scale == {"sad": 0.9, "fear": 1.2}


def test_who_fits_no_correction_takes_it_back_in_part() -> None:
    household = fitted(sitting({"happy": -6.0, "sad": -6.0}, ALONE)).correction
    found = fitted(sitting({}, ALONE), household)
    assert found.helped
    assert 0 < found.correction.shift["happy"] < household.shift["happy"]


def test_nothing_that_could_tell_a_face_is_kept() -> None:
    found = fitted(sitting({"happy": 5.0, "sad": -3.0}, WHOLE))
    kept = msgspec.to_builtins(found.correction)
    assert kept.keys() == {"shift", "scale", "people"}
    assert all(set(kept[name]) <= set(LABELS[1:]) for name in ("shift", "scale"))
    # Hundredths of a nat: fifteen numbers of few digits.
    assert all(value == round(value, 2) for name in ("shift", "scale") for value in kept[name].values())
    assert len(msgspec.json.encode(found.correction)) < 300
