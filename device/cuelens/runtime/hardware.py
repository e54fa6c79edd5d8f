"""What is fitted to these glasses: light, button, capture light. What cannot be used is told, and no other suffers."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from cuelens.adapters.gpio import Gpio
from cuelens.camera.lit_camera import Lit
from cuelens.health.board import is_raspberry_pi
from cuelens.ports import Button, CaptureLight, FrameSource, Light
from cuelens.settings import Pins
from cuelens_models.command import journal_level
from cuelens_models.errors import AbsentDevice, MissingExtra

Fault = Callable[[str, str], None]
T = TypeVar("T")


class Hardware:
    """What is there; None for what is not.

    capture: claims the light that bystanders see; None where there is none to claim.
    """

    def __init__(
        self,
        gpio: Gpio | None = None,
        light: Light | None = None,
        button: Button | None = None,
        capture: Callable[[], CaptureLight] | None = None,
    ) -> None:
        self.light = light
        self.button = button
        self._gpio = gpio
        self._capture = capture
        self._shut = threading.Event()
        self._shut.set()

    def open_lit(self, open_camera: Callable[[], FrameSource]) -> FrameSource:
        """Open a camera, behind its capture light if it has one. Raises AbsentDevice if either is not there."""
        if self._capture is None:
            return open_camera()
        self._shut.clear()
        try:
            return Lit(open_camera, self._capture, self._shut.set)
        except BaseException:
            self._shut.set()
            raise

    def close(self) -> None:
        """Give the pins back; but while a camera is open or opening, its light stays lit until the process ends."""
        if self._gpio and self._shut.is_set():
            self._gpio.close()


def fit(pins: Pins, fault: Fault, *, light: bool, worn: bool) -> Hardware:
    """Claim the pins. light: wanted. worn: with button and, on a board, capture light.

    On a board no camera opens without that light, unless the settings say that none is fitted. Raises MissingExtra if
    the light is wanted and gpiozero is not installed.
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
    """Return what claims the capture light: None off a board or where none is fitted, and then cameras open without.

    why: there is none all the same, if it is missing on a board.
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
