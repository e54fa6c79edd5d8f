"""Light, button and capture light on pins through gpiozero, and on gpiozero's own mock pins where there is no board."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens import led
from cuelens.board import is_raspberry_pi
from cuelens.settings import Pins
from cuelens_models.errors import AbsentDevice, MissingExtra

if TYPE_CHECKING:
    # At run time it would bring OpenCV, which putting the light out must not wait for.
    from cuelens.types import LightPattern

_PWM_HZ: Final = 200
"""Twice gpiozero's own. lgpio times the pulses on a thread, gpiozero counts in whole percents, and Linux may wake a
thread 50 us late (PR_SET_TIMERSLACK): at 200 Hz a percent is 50 us, at more a dim light would flicker by lateness."""
_QUIET_S: Final = 0.03
"""How long a contact may bounce. No press by hand is shorter."""
_JOIN_S: Final = 1.0


class Gpio:
    """The pins of this process behind one pin factory. `mocked` says that no real pin moves.

    What it claimed is closed with it. A part that cannot be claimed keeps no other from working; one that was closed
    may be claimed anew.
    """

    def __init__(self, pins: Pins) -> None:
        """Open the GPIO. Raises MissingExtra without gpiozero or lgpio, AbsentDevice if it cannot be opened."""
        self.mocked = pins.factory == "mock" or (pins.factory == "auto" and not is_raspberry_pi())
        self._pins = pins
        self._closing: dict[str, Callable[[], None]] = {}
        if not self.mocked:
            _use_writable_folder()
        try:
            self.factory = _factory(mocked=self.mocked)
        except ImportError as error:
            package = (error.name or "gpiozero").partition(".")[0]
            remedy = "sudo apt install python3-lgpio" if package == "lgpio" else "pip install 'cuelens[pi]'"
            raise MissingExtra(f"{package} is not installed: run `{remedy}`") from error
        except Exception as error:
            # lgpio raises an error of its own that is no gpiozero error, and gpiozero several kinds.
            raise AbsentDevice(f"the GPIO cannot be opened: {error} (is the user in the group gpio?)") from error

    def light(self) -> "GpioLight":
        """Claim the wearer's light. Raises AbsentDevice if one of its pins is busy or forbidden."""
        from gpiozero import PWMLED

        make = partial(PWMLED, active_high=self._pins.active_high, frequency=_PWM_HZ, pin_factory=self.factory)
        with ExitStack() as begun:
            leds = []
            for key, pin in self._pins.light().items():
                leds.append(_claim(key, pin, make))
                begun.callback(leds[-1].close)
            light = GpioLight(leds, [led.rgb(single.colour) for single in self._pins.single])
            begun.pop_all()
        self._closing["light"] = light.close
        return light

    def button(self) -> "GpioButton | None":
        """Claim the wearer's button; None if none is fitted. Raises AbsentDevice if its pin is busy or forbidden."""
        from gpiozero import DigitalInputDevice

        if self._pins.button == "none":
            return None
        # No bounce_time: lgpio would tell an edge only once it has been stable for that long, the first one too.
        make = partial(DigitalInputDevice, pull_up=True, pin_factory=self.factory)
        button = GpioButton(_claim("button", self._pins.button, make))
        self._closing["button"] = button.close
        return button

    def capture(self) -> "GpioCaptureLight | None":
        """Claim the capture light; None if none is fitted. Raises AbsentDevice if its pin is busy or forbidden."""
        from gpiozero import LED

        if self._pins.capture == "none":
            return None
        light = GpioCaptureLight(_claim("capture", self._pins.capture, partial(LED, pin_factory=self.factory)))
        self._closing["capture"] = light.close
        return light

    def put_out(self) -> None:
        """Drive every lamp dark and let it go, whatever became of the others. Raises AbsentDevice if one cannot be."""
        from gpiozero import OutputDevice

        def dark(key: str, pin: int, active_high: bool) -> None:
            _claim(key, pin, partial(OutputDevice, active_high=active_high, pin_factory=self.factory)).close()

        with ExitStack() as every:
            for key, pin in self._pins.light().items():
                every.callback(dark, key, pin, self._pins.active_high)
            if self._pins.capture != "none":
                every.callback(dark, "capture", self._pins.capture, True)

    def close(self) -> None:
        """Go dark, give all pins back and close the GPIO. May be called twice."""
        with ExitStack() as ending:
            ending.callback(self.factory.close)
            for close in self._closing.values():
                ending.callback(close)


class GpioLight:
    """The light at the edge of view: an RGB LED, or up to three single ones. One thread moves it."""

    def __init__(self, leds: Sequence[Any], singles: Sequence[led.Colour]) -> None:
        """leds: gpiozero's, red, green and blue, or one for each colour of `singles`."""
        self._leds = list(leds)
        self._singles = tuple(singles)
        self._lit = [0.0] * len(leds)
        self._before = list(self._lit)
        self._pattern: LightPattern | None = None
        self._began_s = 0.0
        self._closed = False
        self._turn = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="light pattern", daemon=True)
        self._thread.start()

    def show(self, pattern: "LightPattern") -> None:
        """Begin a pattern in place of whatever was shown. Returns at once, with its first step lit."""
        with self._turn:
            if not self._closed:
                self._pattern, self._began_s, self._before = pattern, time.monotonic(), list(self._lit)
                self._step()
                self._turn.notify()

    def off(self) -> None:
        """Go dark now."""
        with self._turn:
            self._pattern = None
            if not self._closed:
                self._write([0.0] * len(self._leds))

    def close(self) -> None:
        """Go dark and give the pins back. May be called twice."""
        with self._turn, ExitStack() as ending:
            if not self._closed:
                self._closed = True
                self._pattern = None
                self._turn.notify()
                for lamp in self._leds:
                    ending.callback(lamp.close)
                    ending.callback(lamp.off)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        with self._turn:
            while not self._closed:
                try:
                    lasts_s = self._step()
                except Exception:
                    # Whoever shows the next pattern is told: its first step is taken on that thread.
                    self._pattern, lasts_s = None, None
                self._turn.wait(lasts_s)

    def _step(self) -> float | None:
        """Light what the pattern looks like now; return how many seconds that holds, None for until it is replaced."""
        if self._pattern is None:
            return None
        now = led.moment(self._pattern, time.monotonic() - self._began_s)
        full = led.strengths(self._pattern.colour, self._singles)
        # Until it is over, what shines at all shines a little: a cue is seen from its first step on.
        over = now.level == 0 and now.lasts_s is None
        least = [0.0 if over else min(new, led.LEAST) for new in full]
        mixed = [now.level * new + now.kept * old for new, old in zip(full, self._before, strict=True)]
        # Whole percents, as gpiozero gives them to lgpio: what is the same is not written again.
        self._write([round(max(strength, low), 2) for strength, low in zip(mixed, least, strict=True)])
        return now.lasts_s

    def _write(self, strengths: Sequence[float]) -> None:
        for index, strength in enumerate(strengths):
            if strength != self._lit[index]:
                self._leds[index].value = strength
                self._lit[index] = strength


class GpioButton:
    """A button from its pin to ground. The first edge is told at once; what bounces after it, for 30 ms, is not."""

    def __init__(self, contact: Any) -> None:
        """contact: gpiozero's input."""
        self._contact = contact
        self._on_edge: Callable[[bool, float], None] | None = None
        self._told = False
        self._quiet_until_s = 0.0
        self._turn = threading.RLock()

    @property
    def pressed(self) -> bool:
        """Whether it is held down now."""
        return not self._contact.closed and bool(self._contact.is_active)

    def watch(self, on_edge: Callable[[bool, float], None]) -> None:
        """Call `on_edge` at every edge from now on, on a driver's thread: it must return at once, and not raise."""
        with self._turn:
            if self._contact.closed:
                return
            self._on_edge, self._told = on_edge, self.pressed
            self._contact.when_activated = lambda: self._changed(True)
            self._contact.when_deactivated = lambda: self._changed(False)

    def close(self) -> None:
        """Give the pin back; no edge is told afterwards. May be called twice."""
        with self._turn:
            self._on_edge = None
            self._contact.close()

    def _settle(self) -> None:
        with self._turn:
            self._changed(self.pressed)

    def _changed(self, pressed: bool) -> None:
        with self._turn:
            now_s = time.monotonic()
            if self._on_edge is None or pressed == self._told or now_s < self._quiet_until_s:
                return
            self._told, self._quiet_until_s = pressed, now_s + _QUIET_S
            # What it settled on may differ from the edge that was told.
            settled = threading.Timer(_QUIET_S, self._settle)
            settled.daemon = True
            settled.start()
            self._on_edge(pressed, now_s)


class GpioCaptureLight:
    """The light that bystanders see while frames are taken."""

    def __init__(self, lamp: Any) -> None:
        """lamp: gpiozero's LED."""
        self._lamp = lamp

    def on(self) -> None:
        """Light it."""
        if not self._lamp.closed:
            self._lamp.on()

    def off(self) -> None:
        """Put it out."""
        if not self._lamp.closed:
            self._lamp.off()

    def close(self) -> None:
        """Put it out and give the pin back. May be called twice."""
        self.off()
        self._lamp.close()


def _claim(key: str, pin: int, make: Callable[[int], Any]) -> Any:
    try:
        return make(pin)
    except Exception as error:
        # As above: the kinds of error are lgpio's, gpiozero's and Python's.
        raise AbsentDevice(
            f"pin {pin} (pins.{key}) cannot be used: {error}"
            " (is the user in the group gpio, and no other program on it?)"
        ) from error


def _factory(*, mocked: bool) -> Any:
    """Return a pin factory, always a named one: gpiozero's own choice turns a forbidden pin into another driver."""
    if mocked:
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        return MockFactory(pin_class=MockPWMPin)
    from gpiozero.pins.lgpio import LGPIOFactory

    return LGPIOFactory()


def _use_writable_folder() -> None:
    """Let lgpio put its FIFO where it may: importing it fails in a working directory that cannot be written to."""
    if not os.access(".", os.W_OK) and "LG_WD" not in os.environ:
        os.environ["LG_WD"] = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108
