"""The wearer's light on pins: patterns over time, on an RGB LED or on single LEDs."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from cuelens.light import patterns

if TYPE_CHECKING:
    from cuelens.types import LightPattern

_JOIN_S: Final = 1.0
_MARGIN: Final = 1e-6
"""Far above the rounding error of a float, far below one percent."""


class GpioLight:
    """The light at the edge of view: an RGB LED, or up to three single LEDs. One thread steps its pattern."""

    def __init__(self, leds: Sequence[Any], singles: Sequence[patterns.Colour]) -> None:
        """leds: gpiozero LEDs: red, green and blue, or one for each colour of `singles`."""
        self._leds = list(leds)
        self._singles = tuple(singles)
        self._strengths = [0.0] * len(leds)
        self._before = list(self._strengths)
        self._pattern: LightPattern | None = None
        self._began_s = 0.0
        self._closed = False
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="light pattern", daemon=True)
        self._thread.start()

    def show(self, pattern: "LightPattern") -> None:
        """Begin a pattern. It replaces the current one. Returns at once, with the first step of the pattern written."""
        with self._turn:
            if not self._closed:
                self._pattern, self._began_s, self._before = pattern, time.monotonic(), list(self._strengths)
                self._step()
                self._turn.notify()

    def off(self) -> None:
        """Go dark now."""
        with self._turn:
            self._pattern = None
            if not self._closed:
                self._write([0.0] * len(self._leds))

    def close(self) -> None:
        """Go dark and release the pins. May be called twice."""
        with self._turn, ExitStack() as steps:
            if not self._closed:
                self._closed = True
                self._pattern = None
                self._turn.notify()
                for lamp in self._leds:
                    steps.callback(lamp.close)
                    steps.callback(lamp.off)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        with self._turn:
            while not self._closed:
                try:
                    lasts_s = self._step()
                except Exception:
                    # The next call of `show` writes its first step itself, so it raises this error to its caller.
                    self._pattern, lasts_s = None, None
                self._turn.wait(lasts_s)

    def _step(self) -> float | None:
        """Write the pattern's current strengths. Return the seconds until the next step, None if there is none."""
        if self._pattern is None:
            return None
        now = patterns.moment(self._pattern, time.monotonic() - self._began_s)
        full = patterns.strengths(self._pattern.colour, self._singles)
        # Until the pattern is over, each LED in use shines at least a little: a cue is visible from its first step.
        over = now.level == 0 and now.lasts_s is None
        least = [0.0 if over else min(new, patterns.LEAST) for new in full]
        mixed = [now.level * new + now.previous * old for new, old in zip(full, self._before, strict=True)]
        # Duty cycle in whole percents, as gpiozero passes it to lgpio. An unchanged value is not written again.
        self._write([round(max(strength, low), 2) for strength, low in zip(mixed, least, strict=True)])
        return now.lasts_s

    def _write(self, strengths: Sequence[float]) -> None:
        for index, strength in enumerate(strengths):
            if strength != self._strengths[index]:
                lamp = self._leds[index]
                lamp.value = _uncut(strength, active_high=lamp.active_high)
                self._strengths[index] = strength


def _uncut(strength: float, *, active_high: bool) -> float:
    """Return an LED's value that reaches lgpio as the whole percent in `strength`, 0 to 1.

    gpiozero cuts the percents of the pin, which is inverted if the LED is on while its pin is low: 0.29 * 100 is
    28.999999999999996, and becomes 28.
    """
    percent = 100 * (strength if active_high else 1 - strength)
    if int(percent) == round(percent):
        return strength
    return strength + (_MARGIN if active_high else -_MARGIN)
