"""What is fitted to these glasses: light, button, capture light. What cannot be used is told, and no other suffers."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cuelens.adapters.gpio import Gpio
from cuelens.board import is_raspberry_pi
from cuelens.lit import Lit
from cuelens.ports import Button, CaptureLight, FrameSource, Light
from cuelens.settings import Pins
from cuelens_models.errors import AbsentDevice, MissingExtra

Fault = Callable[[str, str], None]
T = TypeVar("T")


@dataclass(slots=True)
class Fitted:
    """What is there. capture: claims the light that bystanders see; None where there is none to claim."""

    light: Light | None = None
    button: Button | None = None
    capture: Callable[[], CaptureLight] | None = None
    _gpio: Gpio | None = None
    _lit: Lit | None = field(default=None, init=False)

    def open_lit(self, open_camera: Callable[[], FrameSource]) -> FrameSource:
        """Open a camera, behind its capture light if it has one. Raises AbsentDevice if either is not there."""
        if self.capture is None:
            return open_camera()
        self._lit = Lit(open_camera, self.capture)
        return self._lit

    def close(self) -> None:
        """Give the pins back; but while a camera hangs open, its light stays lit until the process ends."""
        if self._gpio and (self._lit is None or self._lit.closed):
            self._gpio.close()


def fit(pins: Pins, fault: Fault, *, light: bool, worn: bool) -> Fitted:
    """Claim the pins. light: wanted. worn: with button and, on a board, capture light.

    On a board no camera opens without that light, unless the settings say that none is fitted. Raises MissingExtra if
    the light is wanted and gpiozero is not installed.
    """
    if not (light or worn):
        return Fitted()
    try:
        gpio = Gpio(pins)
    except (AbsentDevice, MissingExtra) as error:
        if light and isinstance(error, MissingExtra):
            raise
        if light or is_raspberry_pi():
            fault("no light, no button", str(error))
        return Fitted(capture=_refusing(error) if worn and is_raspberry_pi() and pins.capture != "none" else None)
    if gpio.mocked and light:
        print("no GPIO on this machine: the light is simulated on gpiozero's mock pins", file=sys.stderr)
    return Fitted(
        light=_claimed("no light", gpio.light, fault) if light else None,
        button=_claimed("no button", gpio.button, fault) if worn and not gpio.mocked else None,
        capture=capture_light(gpio, pins) if worn else None,
        _gpio=gpio,
    )


def capture_light(gpio: Gpio, pins: Pins) -> Callable[[], CaptureLight] | None:
    """Return what claims the capture light; None where none is fitted, or where pins are mocked, so there is none."""
    if gpio.mocked or pins.capture == "none":
        return None

    def claim() -> CaptureLight:
        light = gpio.capture()
        if light is None:
            raise AbsentDevice("no capture light is fitted, so the camera stays shut")
        return light

    return claim


def _claimed(name: str, claim: Callable[[], T | None], fault: Fault) -> T | None:
    try:
        return claim()
    except AbsentDevice as error:
        fault(name, str(error))
        return None


def _refusing(why: OSError | ImportError) -> Callable[[], CaptureLight]:
    def claim() -> CaptureLight:
        raise AbsentDevice(f"the camera stays shut without its capture light: {why}")

    return claim
