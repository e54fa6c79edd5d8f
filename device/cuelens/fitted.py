"""What is fitted to these glasses: light, button, capture light. What cannot be used is told, and no other suffers."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cuelens.board import is_raspberry_pi
from cuelens.lit import Lit
from cuelens.ports import Button, CaptureLight, FrameSource, Light
from cuelens.settings import Settings
from cuelens_models.errors import AbsentDevice, MissingExtra

if TYPE_CHECKING:
    from cuelens.adapters.gpio import Gpio

Fault = Callable[[str, str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is there. capture: claims the light that bystanders see; None where there is none to claim."""

    light: Light | None = None
    button: Button | None = None
    capture: Callable[[], CaptureLight] | None = None

    def open_lit(self, open_camera: Callable[[], FrameSource]) -> FrameSource:
        """Open a camera, behind its capture light if it has one."""
        return Lit(open_camera, self.capture) if self.capture else open_camera()


def fit(chosen: Settings, fault: Fault, ending: ExitStack, *, light: bool, worn: bool) -> Fitted:
    """Claim the pins; `ending` gives them back. light: wanted. worn: with button and, on a board, capture light.

    Raises MissingExtra if the light is wanted and gpiozero is not installed.
    """
    if not (light or worn):
        return Fitted()
    from cuelens.adapters.gpio import Gpio

    try:
        gpio = Gpio(chosen.pins)
    except AbsentDevice as error:
        fault("no light", str(error))
        return Fitted()
    except MissingExtra as error:
        if light:
            raise
        if is_raspberry_pi():
            fault("no button", str(error))
        return Fitted()
    ending.callback(gpio.close)
    if gpio.mocked and light:
        print("no GPIO on this machine: the light is simulated on gpiozero's mock pins", file=sys.stderr)
    return Fitted(
        light=_claimed("no light", gpio.light, fault) if light else None,
        button=_claimed("no button", gpio.button, fault) if worn else None,
        capture=_capture(gpio, chosen) if worn else None,
    )


def _claimed(name: str, claim: Callable[[], T | None], fault: Fault) -> T | None:
    try:
        return claim()
    except AbsentDevice as error:
        fault(name, str(error))
        return None


def _capture(gpio: "Gpio", chosen: Settings) -> Callable[[], CaptureLight] | None:
    if gpio.mocked or chosen.pins.capture == "none":
        return None

    def claim() -> CaptureLight:
        light = gpio.capture()
        if light is None:
            raise AbsentDevice("no capture light is fitted, so the camera stays shut")
        return light

    return claim
