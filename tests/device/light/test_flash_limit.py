"""No sequence of lights flashes above 3 Hz, however fast the requests come."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.light.flash_limit import LightStart, lasts_s, wait_s
from cuelens.light.patterns import BREATH_S, moment
from cuelens.types import LightPattern

WHITE = (0.4, 0.4, 0.4)


def light(pattern: str, seconds: float) -> LightPattern:
    return LightPattern(WHITE, pattern, seconds)


@pytest.mark.parametrize(
    ("last", "then", "now", "expected"),
    [
        (None, light("fade", 1.0), 0.0, 0.0),
        (light("fade", 1.0), light("fade", 1.0), 0.1, 0.25),
        (light("fade", 1.0), light("fade", 1.0), 0.4, 0.0),
        (light("fade", 1.0), light("steady", 0.5), 0.1, 0.0),
        (light("steady", 0.5), light("steady", 0.5), 0.1, 0.0),
        (light("steady", 0.0), light("steady", 0.5), 0.1, 0.25),
        # A light that has just ended is on no more.
        (light("steady", 0.25), light("steady", 0.5), 0.25, 0.1),
        (light("breath", 4.0), light("fade", 1.0), 2.1, 0.25),
        (light("breath", 4.0), light("fade", 1.0), 2.4, 0.0),
        (light("breath", math.inf), light("breath", 2.0), 8.2, 0.15),
        (light("breath", 4.0), light("fade", 1.0), 4.0, 0.0),
        (light("breath", 4.0), light("fade", 1.0), 9.0, 0.0),
    ],
)
def test_how_long_a_light_waits(last: LightPattern | None, then: LightPattern, now: float, expected: float) -> None:
    assert wait_s(LightStart(last, 0.0) if last else None, then, now) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.5, 2.0), (2.0, 2.0), (2.9, 2.0), (3.1, 4.0), (4.0, 4.0), (math.inf, math.inf)]
)
def test_a_breath_is_whole_and_the_light_is_on_as_long_as_the_limit_says(seconds: float, expected: float) -> None:
    breath = light("breath", seconds)
    assert lasts_s(breath) == expected
    last_s = min(expected, 1000.0) - 0.3
    assert moment(breath, last_s).level > 0
    assert (moment(breath, last_s + 0.3).lasts_s is None) == math.isfinite(expected)


requests = st.lists(
    st.tuples(st.floats(0.0, 1.5), st.sampled_from(["steady", "fade", "breath"]), st.sampled_from([0.5, 1.0, 4.0])),
    max_size=60,
)


@given(requests)
def test_rises_from_dark_are_never_faster_than_three_a_second(light_requests: list[tuple[float, str, float]]) -> None:
    """Each request begins as soon as the limit allows, as in the light's thread."""
    starts: list[LightStart] = []
    clock, begin = 0.0, 0.0
    for gap, kind, seconds in light_requests:
        clock += gap
        pattern = light(kind, seconds)
        last = starts[-1] if starts else None
        begin = max(clock, clock + wait_s(last, pattern, clock))
        if last and begin < last.t:
            continue
        starts.append(LightStart(pattern, begin))
        clock = begin
    rises = [
        rise
        for place, start in enumerate(starts)
        for rise in rises_of(start, starts[:place], starts[place + 1].t if place + 1 < len(starts) else math.inf)
    ]
    for first, fourth in zip(rises, rises[3:], strict=False):
        assert fourth - first > 1.0


def rises_of(start: LightStart, before: list[LightStart], until: float) -> list[float]:
    """Return the times at which a light rises from dark, until the next light replaces it."""
    if start.pattern.pattern == "breath":
        breaths = round(lasts_s(start.pattern) / BREATH_S)
        return [start.t + n * BREATH_S for n in range(breaths) if start.t + n * BREATH_S < until]
    overlap = bool(before) and start.t < before[-1].t + lasts_s(before[-1].pattern)
    return [] if start.pattern.pattern == "steady" and overlap else [start.t]
