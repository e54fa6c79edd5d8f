"""What is kept of a sitting: numbers, in bounds, and apart in time."""

from itertools import pairwise

import pytest

from cuelens.calibration.samples import MOST, Samples

SCORES = (0.9, 0.1)


def sat(seconds: float, rate: float = 15.0, begin: float = 0.0) -> Samples:
    samples = Samples()
    for n in range(round(seconds * rate) + 1):
        samples.add("neutral", begin + n / rate, SCORES)
    return samples


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ((), 0.0),
        ((1.0,), 0.0),
        ((1.0, 1.5, 2.0), 1.0),
        ((1.0, 1.5, 9.0, 9.5), 1.0),
        ((1.0, 1.75, 2.5), 1.5),
        ((1.0, 1.5, 2.5, 3.0), 1.0),
        ((1.0, 1.5, 1.5, 1.2, 2.0), 1.0),
    ],
    ids=[
        "nothing",
        "one reading",
        "two gaps",
        "a pause is no time in view",
        "three quarters",
        "over three quarters",
        "what is not later is left out",
    ],
)
def test_seconds_are_those_in_view(times: tuple[float, ...], seconds: float) -> None:
    samples = Samples()
    for t in times:
        samples.add("happy", t, SCORES)
    assert samples.seconds("happy") == pytest.approx(seconds)
    assert samples.seconds("neutral") == 0.0


def test_the_held_out_moments_are_the_last_ones_after_a_gap() -> None:
    samples = sat(9.0)
    fitting, held_out = samples.fitting("neutral"), samples.held_out("neutral")
    assert fitting[0].t == 0.0
    assert fitting[-1].t == pytest.approx(5.5, abs=0.1)
    assert fitting[-1].t <= held_out[0].t - 0.5
    assert held_out[0].t == pytest.approx(6.0, abs=0.1)
    assert held_out[-1].t == pytest.approx(9.0)
    assert {one.scores for one in (*fitting, *held_out)} == {SCORES}


def test_an_expression_that_was_skipped_has_no_moments() -> None:
    samples = sat(9.0)
    assert samples.expressions == ("neutral",)
    assert samples.fitting("happy") == ()
    assert samples.held_out("happy") == ()


def test_an_expression_that_is_shown_again_begins_anew() -> None:
    samples = sat(60.0)
    for n in range(30):
        samples.add("happy", 100 + n / 15, SCORES)
    samples.forget("neutral")
    samples.forget("sad")
    assert samples.expressions == ("happy",)
    assert samples.seconds("neutral") == 0.0
    # What is shown again may have earlier times, and nothing is thinned out at first.
    for n in range(151):
        samples.add("neutral", 5 + n / 15, SCORES)
    assert samples.seconds("neutral") == pytest.approx(10.0)
    assert len(samples.held_out("neutral")) == 50
    assert samples.seconds("happy") == pytest.approx(29 / 15)


@pytest.mark.parametrize("seconds", [60, 600])
def test_however_long_it_lasts_few_readings_are_kept_and_they_span_the_time(seconds: int) -> None:
    samples = sat(seconds)
    kept = (*samples.fitting("neutral"), *samples.held_out("neutral"))
    assert MOST / 3 < len(kept) <= MOST
    assert kept[0].t == 0.0
    assert kept[-1].t > 0.98 * seconds
    gaps = [after.t - before.t for before, after in pairwise(kept)]
    assert max(gaps) < seconds / 60
    assert samples.seconds("neutral") == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [19.0, 21.0, 50.0, 90.0])
def test_what_is_kept_of_a_long_sitting_is_spread_evenly_over_it(seconds: float) -> None:
    samples = sat(seconds)
    kept = [one.t for one in samples.fitting("neutral")] + [one.t for one in samples.held_out("neutral")]
    steps = [later - earlier for earlier, later in pairwise(kept)]
    step = min(steps)
    assert MOST / 2 - 20 <= len(kept) <= MOST
    # But for the gap before the held-out part.
    assert sum(one > 1.01 * step for one in steps) == 1
    assert kept[0] == 0.0
    assert kept[-1] > seconds - 2 * step
