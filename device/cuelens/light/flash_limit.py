"""How soon one light may follow another, so that no sequence of lights flashes above 3 Hz. Pure; times in seconds.

A flash is a rise and a fall (WCAG 2.2, success criterion 2.3.1, allows three in a second). Whatever a light does when
it is replaced, a fade or a breath is counted as a rise from dark; a steady light rises only if none is lit, and may
replace one that is lit at once. Rises are kept apart by more than a third of a second.
"""

import math
from dataclasses import dataclass
from typing import Final

from cuelens.light.patterns import BREATH_S
from cuelens.types import LightPattern

RISES_APART_S: Final = 0.35


@dataclass(frozen=True, slots=True)
class Shown:
    """A light that began at `t`."""

    pattern: LightPattern
    t: float


def wait_s(last: Shown | None, pattern: LightPattern, now: float) -> float:
    """Return for how long a pattern must wait after the last one; 0 if it may begin now."""
    if last is None or (pattern.pattern == "steady" and now < last.t + lasts_s(last.pattern)):
        return 0.0
    return max(0.0, _last_rise(last, now) + RISES_APART_S - now)


def lasts_s(pattern: LightPattern) -> float:
    """Return how long a pattern is lit in all: a breath for the whole breaths in its time, one at least."""
    if pattern.pattern != "breath" or math.isinf(pattern.seconds):
        return pattern.seconds
    return max(1, round(pattern.seconds / BREATH_S)) * BREATH_S


def _last_rise(last: Shown, now: float) -> float:
    """Return when the light last rose, or may have: of a breath, at its latest beginning."""
    if last.pattern.pattern != "breath":
        return last.t
    begun = math.floor((now - last.t) / BREATH_S)
    return last.t + min(begun, lasts_s(last.pattern) / BREATH_S - 1) * BREATH_S
