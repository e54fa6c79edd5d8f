"""Light patterns: their level over time, and the choice of LED for a colour. Pure."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    # At run time this would import OpenCV, and turning the light off must not wait for that.
    from cuelens.types import LightPattern

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 1."""

_FADE_IN_S: Final = 0.3
_FADE_OUT_S: Final = 0.5
BREATH_S: Final = 2.0
"""One breath in and out: 0.5 Hz, far below the flash limit of 3 Hz."""
_STEP_S: Final = 0.02
"""The time between two steps of a fade: at fifty a second, single steps are invisible."""
LEAST: Final = 0.01
"""The lowest duty cycle above 0: gpiozero passes whole percents to lgpio."""


class Moment(msgspec.Struct, frozen=True):
    """A pattern's output from one moment until its next change.

    Attributes:
        level: the weight of the pattern's colour, 0 to 1.
        previous: the weight of the light that was on when the pattern began, 0 to 1.
        lasts_s: the seconds until the next change; None if there is none.
    """

    level: float
    previous: float
    lasts_s: float | None


_OVER: Final = Moment(0.0, 0.0, None)


def moment(pattern: "LightPattern", elapsed_s: float) -> Moment:
    """Return a pattern's output `elapsed_s` seconds after it began.

    A steady light is on at once. A fade and a breath cross-fade from the previous light, without going dark in between.
    """
    if pattern.pattern == "breath":
        return _breath(pattern.seconds, elapsed_s)
    if pattern.pattern == "fade":
        return _fade(pattern.seconds, elapsed_s)
    return _steady(pattern.seconds - elapsed_s) if elapsed_s < pattern.seconds else _OVER


def breaths_s(seconds: float) -> float:
    """Return how long a breath pattern of so many seconds lasts: whole breaths, at least one."""
    return seconds if math.isinf(seconds) else max(1, round(seconds / BREATH_S)) * BREATH_S


def strengths(colour: Colour, singles: Sequence[Colour]) -> tuple[float, ...]:
    """Return each LED's duty cycle for a colour, 0 to 1. singles: the colours of single LEDs; empty for an RGB LED.

    Of single LEDs, only the one with the highest cosine similarity to the colour in RGB is lit. Its duty cycle is the
    largest of the colour's components. With one LED, only the patterns differ.
    """
    if not singles:
        return tuple(_visible(part) for part in colour)
    nearest = max(range(len(singles)), key=lambda index: _similarity(colour, singles[index]))
    return tuple(_visible(max(colour)) if index == nearest else 0.0 for index in range(len(singles)))


def rgb(colour: str) -> Colour:
    """Return the linear red, green and blue of an sRGB colour "#RRGGBB", 0 to 1.

    sRGB is gamma-encoded (IEC 61966-2-1); an LED's light is proportional to its duty cycle.
    """
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _linear(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _breath(seconds: float, elapsed_s: float) -> Moment:
    if elapsed_s >= breaths_s(seconds):
        return _OVER
    half = BREATH_S / 2
    level = _ease(1 - abs(elapsed_s % BREATH_S - half) / half)
    return Moment(level, 1 - level if elapsed_s < half else 0.0, _STEP_S)


def _fade(seconds: float, elapsed_s: float) -> Moment:
    end_s = max(seconds, _FADE_IN_S + _FADE_OUT_S)
    if elapsed_s < _FADE_IN_S:
        level = _ease(elapsed_s / _FADE_IN_S)
        return Moment(level, 1 - level, _STEP_S)
    if elapsed_s < end_s - _FADE_OUT_S:
        return _steady(end_s - _FADE_OUT_S - elapsed_s)
    if elapsed_s < end_s:
        return Moment(_ease((end_s - elapsed_s) / _FADE_OUT_S), 0.0, _STEP_S)
    return _OVER


def _steady(seconds: float) -> Moment:
    return Moment(1.0, 0.0, None if math.isinf(seconds) else seconds)


def _ease(share: float) -> float:
    """Ease in and out along half a cosine wave."""
    return (1 - math.cos(math.pi * share)) / 2


def _visible(strength: float) -> float:
    """Raise a duty cycle above 0 to the lowest possible one, so that it is not rounded to 0."""
    return max(strength, LEAST) if strength > 0 else 0.0


def _similarity(one: Colour, other: Colour) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0
