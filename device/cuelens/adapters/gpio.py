"""GPIO: light, button and capture light on pins through gpiozero, or on its mock pins where there is no board."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from cuelens.adapters import last_resort
from cuelens.adapters.gpio_button import GpioButton
from cuelens.adapters.gpio_light import GpioLight
from cuelens.health.board import is_raspberry_pi
from cuelens.light import patterns
from cuelens.settings import Pins
from cuelens_models.command import install
from cuelens_models.errors import AbsentDevice, MissingExtra

_PWM_HZ: Final = 200
"""PWM frequency, twice gpiozero's default. The duty cycle has steps of 1 %, and lgpio times the pulses on a thread that
Linux may wake 50 us late (PR_SET_TIMERSLACK). At 200 Hz one percent is 50 us; above, a dim light would flicker."""
_MOCK_LEVELS: Final = 512
"""Levels that a mock pin remembers: those of at least ten seconds of a light that moves."""


class Gpio:
    """The pins of this process, behind one pin factory. mocked: whether the pins are gpiozero's mock pins.

    Closing it closes every claimed part. A part that cannot be claimed does not affect the others. A closed part may be
    claimed again.
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
            remedy = "sudo apt install python3-lgpio" if package == "lgpio" else install("pi")
            raise MissingExtra(f"{package} is not installed: run `{remedy}`") from error
        except Exception as error:
            # lgpio raises its own error class, which is not a gpiozero error, and gpiozero raises several.
            raise AbsentDevice(f"the GPIO cannot be opened: {error} (is the user in the group gpio?)") from error
        if not self.mocked:
            last_resort.leave_lamps(getattr(self.factory, "chip", 0), pins)

    def light(self) -> GpioLight:
        """Claim the wearer's light. Raises AbsentDevice if one of its pins is busy or forbidden."""
        from gpiozero import PWMLED

        make = partial(PWMLED, active_high=self._pins.active_high, frequency=_PWM_HZ, pin_factory=self.factory)
        with ExitStack() as claims:
            leds = []
            for key, pin in self._pins.light().items():
                leds.append(_claim(key, pin, make))
                claims.callback(leds[-1].close)
            light = GpioLight(leds, [patterns.rgb(single.colour) for single in self._pins.single])
            claims.pop_all()
        self._closing["light"] = light.close
        return light

    def button(self) -> GpioButton | None:
        """Claim the wearer's button; None if none is fitted. Raises AbsentDevice if its pin is busy or forbidden."""
        from gpiozero import DigitalInputDevice

        if self._pins.button == "none":
            return None
        # Debouncing is GpioButton's. With bounce_time, lgpio delays every edge by that time, the first one too.
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

    def close(self) -> None:
        """Go dark, release all pins and close the GPIO. May be called twice."""
        with ExitStack() as steps:
            steps.callback(self.factory.close)
            for close in self._closing.values():
                steps.callback(close)


class GpioCaptureLight:
    """The light that bystanders see while frames are taken."""

    def __init__(self, lamp: Any) -> None:
        """lamp: a gpiozero LED."""
        self._lamp = lamp

    def on(self) -> None:
        """Turn it on."""
        if not self._lamp.closed:
            self._lamp.on()

    def off(self) -> None:
        """Turn it off."""
        if not self._lamp.closed:
            self._lamp.off()

    def close(self) -> None:
        """Turn it off and release the pin. May be called twice."""
        self.off()
        self._lamp.close()


def _claim(key: str, pin: int, make: Callable[[int], Any]) -> Any:
    try:
        return make(pin)
    except Exception as error:
        # As above: the error may be lgpio's, gpiozero's or Python's.
        raise AbsentDevice(
            f"pin {pin} (pins.{key}) cannot be used: {error}"
            " (is the user in the group gpio, and no other program on it?)"
        ) from error


def _factory(*, mocked: bool) -> Any:
    """Return a pin factory by name: gpiozero's automatic choice would try another driver when a pin is forbidden."""
    if mocked:
        from gpiozero.pins.mock import MockFactory, MockPWMPin

        class SimulatedPin(MockPWMPin):  # type: ignore[misc]
            """A mock pin that forgets: gpiozero's keeps every level that it ever had."""

            def clear_states(self) -> None:
                super().clear_states()
                self.states: deque[Any] = deque(self.states, _MOCK_LEVELS)

        return MockFactory(pin_class=SimulatedPin)
    from gpiozero.pins.lgpio import LGPIOFactory

    return LGPIOFactory()


def _use_writable_folder() -> None:
    """Give lgpio a writable folder for its FIFO: its import fails in a read-only working directory."""
    if not os.access(".", os.W_OK) and "LG_WD" not in os.environ:
        os.environ["LG_WD"] = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR", "/tmp")  # noqa: S108
