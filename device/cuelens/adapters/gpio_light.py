"""The wearer's light on pins: patterns over time, on an RGB LED or on single LEDs."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
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
        self._error: Exception | None = None
        self._closed = False
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="light pattern", daemon=True)
        self._thread.start()

    def show(self, pattern: "LightPattern") -> None:
        """Begin a pattern. It replaces the current one. Returns at once, with the first step of the pattern written.

        Raises the error of a pin, after which all LEDs are dark. That of a later step is raised by the next call, which
        begins its pattern nonetheless.
        """
        with self._turn:
            if not self._closed:
                error, self._error = self._error, None
                self._pattern, self._began_s, self._before = pattern, time.monotonic(), list(self._strengths)
                self._step_or_darken()
                self._turn.notify()
                if error:
                    raise error

    def off(self) -> None:
        """Go dark now."""
        with self._turn:
            self._pattern = None
            if not self._closed:
                self._darken()

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
                    lasts_s = self._step_or_darken()
                except Exception as error:
                    # The next call of `show` raises it to its caller.
                    self._error, lasts_s = error, None
                self._turn.wait(lasts_s)

    def _step_or_darken(self) -> float | None:
        """Step. If that fails, end the pattern and go dark: a light that stays on tells what is not there."""
        try:
            return self._step()
        except Exception:
            self._pattern = None
            with suppress(Exception):
                self._darken()
            raise

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

    def _darken(self) -> None:
        """Put out every LED, though another fails. Raises the error of one that does."""
        with ExitStack() as steps:
            for index in range(len(self._leds)):
                steps.callback(self._put_out, index)

    def _put_out(self, index: int) -> None:
        self._leds[index].off()
        self._strengths[index] = 0.0


def _uncut(strength: float, *, active_high: bool) -> float:
    """Return an LED's value that reaches lgpio as the whole percent in `strength`, 0 to 1.

    gpiozero cuts the percents of the pin, which is inverted if the LED is on while its pin is low: 0.29 * 100 is
    28.999999999999996, and becomes 28.
    """
    percent = 100 * (strength if active_high else 1 - strength)
    if int(percent) == round(percent):
        return strength
    return strength + (_MARGIN if active_high else -_MARGIN)
