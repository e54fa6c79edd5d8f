"""What the wearer's light does at a moment, and which single LED stands for a colour. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # At run time it would bring OpenCV, which putting the light out must not wait for.
    from cuelens.types import LightPattern

Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 1."""

_FADE_IN_S: Final = 0.3
_FADE_OUT_S: Final = 0.5
BREATH_S: Final = 2.0
"""One breath in and out: half a hertz, far below the 3 Hz that must never be passed."""
_STEP_S: Final = 0.02
"""Between two steps of a fade: fifty a second, too close together to be seen one by one."""
LEAST: Final = 0.01
"""The least that is not dark: gpiozero hands whole percents to lgpio."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How a pattern looks for a while.

    level: share of its colour, 0 to 1. kept: share of what was lit when it began. lasts_s: until it looks otherwise;
    None if it never does.
    """

    level: float
    kept: float
    lasts_s: float | None


_OVER: Final = Moment(0.0, 0.0, None)


def moment(pattern: "LightPattern", elapsed_s: float) -> Moment:
    """Return how a pattern looks `elapsed_s` seconds after it began.

    A steady light is there at once. A fade and a breath rise from what was lit before, without going dark in between.
    """
    if pattern.pattern == "breath":
        return _breath(pattern.seconds, elapsed_s)
    if pattern.pattern == "fade":
        return _fade(pattern.seconds, elapsed_s)
    return _held(pattern.seconds - elapsed_s) if elapsed_s < pattern.seconds else _OVER


def strengths(colour: Colour, singles: Sequence[Colour]) -> tuple[float, ...]:
    """Return how strongly each LED shines for a colour, 0 to 1. singles: their colours; without any, the LED is RGB.

    Of single LEDs the one whose colour points most nearly the same way in red, green and blue (the cosine) shines
    alone, as strongly as the strongest part of what was asked for. With one LED, only the pattern tells.
    """
    if not singles:
        return tuple(_seen(part) for part in colour)
    nearest = max(range(len(singles)), key=lambda index: _likeness(colour, singles[index]))
    return tuple(_seen(max(colour)) if index == nearest else 0.0 for index in range(len(singles)))


def rgb(colour: str) -> Colour:
    """Return how strongly red, green and blue shine for a screen's "#RRGGBB", 0 to 1.

    A screen's numbers are bent (sRGB, IEC 61966-2-1), an LED's light is in proportion to its time on.
    """
    red, green, blue = (_straight(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _straight(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _breath(seconds: float, elapsed_s: float) -> Moment:
    breaths = math.inf if math.isinf(seconds) else max(1, round(seconds / BREATH_S))
    if elapsed_s >= breaths * BREATH_S:
        return _OVER
    half = BREATH_S / 2
    level = _eased(1 - abs(elapsed_s % BREATH_S - half) / half)
    return Moment(level, 1 - level if elapsed_s < half else 0.0, _STEP_S)


def _fade(seconds: float, elapsed_s: float) -> Moment:
    end_s = max(seconds, _FADE_IN_S + _FADE_OUT_S)
    if elapsed_s < _FADE_IN_S:
        level = _eased(elapsed_s / _FADE_IN_S)
        return Moment(level, 1 - level, _STEP_S)
    if elapsed_s < end_s - _FADE_OUT_S:
        return _held(end_s - _FADE_OUT_S - elapsed_s)
    if elapsed_s < end_s:
        return Moment(_eased((end_s - elapsed_s) / _FADE_OUT_S), 0.0, _STEP_S)
    return _OVER


def _held(seconds: float) -> Moment:
    return Moment(1.0, 0.0, None if math.isinf(seconds) else seconds)


def _eased(share: float) -> float:
    """Begin and end slowly: half a wave of the cosine."""
    return (1 - math.cos(math.pi * share)) / 2


def _seen(strength: float) -> float:
    """Keep what is not black from being rounded to dark."""
    return max(strength, LEAST) if strength > 0 else 0.0


def _likeness(one: Colour, other: Colour) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0
