"""No sequence of lights flashes above 3 Hz, whoever asks for them, and however fast."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuelens.light.flash_limit import Shown, lasts_s, wait_s
from cuelens.light.patterns import BREATH_S
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
        (light("breath", 4.0), light("fade", 1.0), 2.1, 0.25),
        (light("breath", 4.0), light("fade", 1.0), 2.4, 0.0),
        (light("breath", math.inf), light("breath", 2.0), 8.2, 0.15),
        (light("breath", 4.0), light("fade", 1.0), 4.0, 0.0),
        (light("breath", 4.0), light("fade", 1.0), 9.0, 0.0),
    ],
)
def test_how_long_a_light_waits(last: LightPattern | None, then: LightPattern, now: float, expected: float) -> None:
    assert wait_s(Shown(last, 0.0) if last else None, then, now) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.5, 2.0), (2.9, 2.0), (3.1, 4.0), (4.0, 4.0), (math.inf, math.inf)]
)
def test_a_breath_is_whole(seconds: float, expected: float) -> None:
    assert lasts_s(light("breath", seconds)) == expected


requests = st.lists(
    st.tuples(st.floats(0.0, 1.5), st.sampled_from(["steady", "fade", "breath"]), st.sampled_from([0.5, 1.0, 4.0])),
    max_size=60,
)


@given(requests)
def test_rises_from_dark_are_never_faster_than_three_a_second(asked: list[tuple[float, str, float]]) -> None:
    """The latest request is shown as soon as it may be, as the light's thread does."""
    shows: list[Shown] = []
    clock, begun = 0.0, 0.0
    for gap, kind, seconds in asked:
        clock += gap
        pattern = light(kind, seconds)
        last = shows[-1] if shows else None
        begun = max(clock, clock + wait_s(last, pattern, clock))
        if last and begun < last.t:
            continue
        shows.append(Shown(pattern, begun))
        clock = begun
    rises = [
        rise
        for place, show in enumerate(shows)
        for rise in rises_of(show, shows[:place], shows[place + 1].t if place + 1 < len(shows) else math.inf)
    ]
    for first, fourth in zip(rises, rises[3:], strict=False):
        assert fourth - first > 1.0


def rises_of(show: Shown, before: list[Shown], until: float) -> list[float]:
    """Return when a light rises from dark, up to the one that takes its place."""
    if show.pattern.pattern == "breath":
        breaths = round(lasts_s(show.pattern) / BREATH_S)
        return [show.t + n * BREATH_S for n in range(breaths) if show.t + n * BREATH_S < until]
    lit = bool(before) and show.t < before[-1].t + lasts_s(before[-1].pattern)
    return [] if show.pattern.pattern == "steady" and lit else [show.t]
