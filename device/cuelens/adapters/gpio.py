"""Light, button and capture light on pins through gpiozero, and on gpiozero's own mock pins where there is no board."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens.adapters.gpio_button import GpioButton
from cuelens.adapters.gpio_light import GpioLight
from cuelens.health.board import is_raspberry_pi
from cuelens.light import patterns
from cuelens.settings import Pins
from cuelens_models.errors import AbsentDevice, MissingExtra

if TYPE_CHECKING:
    # At run time it would bring OpenCV, which putting the light out must not wait for.
    pass

_PWM_HZ: Final = 200
"""Twice gpiozero's own. lgpio times the pulses on a thread, gpiozero counts in whole percents, and Linux may wake a
thread 50 us late (PR_SET_TIMERSLACK): at 200 Hz a percent is 50 us, at more a dim light would flicker by lateness."""


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

    def light(self) -> GpioLight:
        """Claim the wearer's light. Raises AbsentDevice if one of its pins is busy or forbidden."""
        from gpiozero import PWMLED

        make = partial(PWMLED, active_high=self._pins.active_high, frequency=_PWM_HZ, pin_factory=self.factory)
        with ExitStack() as begun:
            leds = []
            for key, pin in self._pins.light().items():
                leds.append(_claim(key, pin, make))
                begun.callback(leds[-1].close)
            light = GpioLight(leds, [patterns.rgb(single.colour) for single in self._pins.single])
            begun.pop_all()
        self._closing["light"] = light.close
        return light

    def button(self) -> GpioButton | None:
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
