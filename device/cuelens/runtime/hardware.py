"""The fitted hardware: light, button, capture light. One that fails is reported, and the others still work."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from cuelens.adapters.gpio import Gpio
from cuelens.camera.lit_camera import LitCamera
from cuelens.health.board import is_raspberry_pi
from cuelens.ports import Button, CaptureLight, FrameSource, Light
from cuelens.settings import Pins
from cuelens_models.command import journal_level
from cuelens_models.errors import AbsentDevice, MissingExtra

Fault = Callable[[str, str], None]
T = TypeVar("T")


class Hardware:
    """The devices; None for one that is absent."""

    def __init__(
        self,
        gpio: Gpio | None = None,
        light: Light | None = None,
        button: Button | None = None,
        capture: Callable[[], CaptureLight] | None = None,
    ) -> None:
        """Hold the devices.

        Args:
            gpio: the pins, closed at the end.
            light: the wearer's light.
            button: the wearer's button.
            capture: claims the light that bystanders see; None if there is none.
        """
        self.light = light
        self.button = button
        self._gpio = gpio
        self._capture = capture
        self._shut = threading.Event()
        self._shut.set()

    def open_lit(self, open_camera: Callable[[], FrameSource]) -> FrameSource:
        """Open a camera, with its capture light if there is one. Raises AbsentDevice if either is absent."""
        if self._capture is None:
            return open_camera()
        self._shut.clear()
        try:
            return LitCamera(open_camera, self._capture, self._shut.set)
        except BaseException:
            self._shut.set()
            raise

    def close(self) -> None:
        """Release the pins. If a camera is still open or opening, its light stays on until the process ends."""
        if self._gpio and self._shut.is_set():
            self._gpio.close()


def fit(pins: Pins, fault: Fault, *, light: bool, worn: bool) -> Hardware:
    """Claim the pins. Raises MissingExtra if the light is requested and gpiozero is not installed.

    On a board no camera opens without its capture light, unless the settings say that none is fitted.

    Args:
        pins: the settings.
        fault: is called with the name and the details of each fault.
        light: claim the wearer's light.
        worn: claim the button and, on a board, the capture light.
    """
    if not (light or worn):
        return Hardware()
    try:
        gpio = Gpio(pins)
    except (AbsentDevice, MissingExtra) as error:
        if light and isinstance(error, MissingExtra):
            raise
        if light or is_raspberry_pi():
            fault("no light, no button", str(error))
        return Hardware(capture=_capture(None, pins, str(error)) if worn else None)
    if gpio.mocked and light:
        level = journal_level(sys.stderr, 6)
        print(f"{level}no GPIO on this machine: the light is simulated on gpiozero's mock pins", file=sys.stderr)
    return Hardware(
        gpio,
        light=_claimed("no light", gpio.light, fault) if light else None,
        button=_claimed("no button", gpio.button, fault) if worn and not gpio.mocked else None,
        capture=_capture(gpio, pins, "its pins are mocked") if worn else None,
    )


def _capture(gpio: Gpio | None, pins: Pins, why: str) -> Callable[[], CaptureLight] | None:
    """Return a function that claims the capture light; None where a camera may open without it.

    That is off a board, or where none is fitted. why: the reason for the error if it is missing on a board.
    """
    if pins.capture == "none" or not is_raspberry_pi():
        return None

    def claim() -> CaptureLight:
        light = gpio.capture() if gpio and not gpio.mocked else None
        if light is None:
            raise AbsentDevice(f"the camera stays shut without its capture light: {why}")
        return light

    return claim


def _claimed(name: str, claim: Callable[[], T | None], fault: Fault) -> T | None:
    try:
        return claim()
    except AbsentDevice as error:
        fault(name, str(error))
        return None
