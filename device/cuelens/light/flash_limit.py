"""The flash limit: a minimum time between lights, so that no sequence flashes above 3 Hz. Pure; times in seconds.

A flash is a rise and a fall (WCAG 2.2, success criterion 2.3.1, allows three in a second). A fade or a breath always
counts as a rise from dark. A steady light counts as a rise only if no light is on; otherwise it may replace that light
at once. Rises are more than a third of a second apart.
"""

import math
from typing import Final

import msgspec

from cuelens.light.patterns import BREATH_S, breaths_s
from cuelens.types import LightPattern

RISES_APART_S: Final = 0.35


class LightStart(msgspec.Struct, frozen=True):
    """A pattern, and the time `t` when it began."""

    pattern: LightPattern
    t: float


def wait_s(last: LightStart | None, pattern: LightPattern, now: float) -> float:
    """Return how long a pattern must wait after the last light; 0 if it may begin now."""
    if last is None or (pattern.pattern == "steady" and now < last.t + lasts_s(last.pattern)):
        return 0.0
    return max(0.0, _last_rise(last, now) + RISES_APART_S - now)


def lasts_s(pattern: LightPattern) -> float:
    """Return a pattern's duration. A breath pattern is rounded to whole breaths, at least one."""
    return breaths_s(pattern.seconds) if pattern.pattern == "breath" else pattern.seconds


def _last_rise(last: LightStart, now: float) -> float:
    """Return the time of the light's last rise: for a breath pattern, the beginning of its latest breath."""
    if last.pattern.pattern != "breath":
        return last.t
    breaths = math.floor((now - last.t) / BREATH_S)
    return last.t + min(breaths, lasts_s(last.pattern) / BREATH_S - 1) * BREATH_S
