"""An RGB LED on three pins through gpiozero, and gpiozero's own mock pins where there is no board."""

import math
import os
from typing import TYPE_CHECKING, Any, Final

from cuelens.board import is_raspberry_pi
from cuelens.settings import Pins
from cuelens_models.errors import AbsentDevice, MissingExtra

if TYPE_CHECKING:
    # At run time it would bring OpenCV, which putting the light out must not wait for.
    from cuelens.types import LightPattern

_FADE_IN_S: Final = 0.3
_FADE_OUT_S: Final = 0.5
_BREATH_S: Final = 2.0
"""One breath in and out: half a hertz, far below the 3 Hz that must never be passed."""


class GpioLight:
    """The light at the edge of view. `mocked` says that no real pin moves."""

    def __init__(self, pins: Pins) -> None:
        """Claim the pins. Raises MissingExtra without gpiozero, AbsentDevice if a pin is busy or forbidden."""
        self.mocked = pins.factory == "mock" or (pins.factory == "auto" and not is_raspberry_pi())
        if not self.mocked:
            _use_writable_folder()
        try:
            from gpiozero import RGBLED

            self.factory = _factory(mocked=self.mocked)
            self._led = RGBLED(pins.red, pins.green, pins.blue, active_high=pins.active_high, pin_factory=self.factory)
        except ImportError as error:
            package = error.name or "gpiozero"
            remedy = "sudo apt install python3-lgpio" if package == "lgpio" else "pip install 'cuelens[pi]'"
            raise MissingExtra(f"{package} is not installed: run `{remedy}`") from error
        except Exception as error:
            # lgpio raises an error of its own that is no gpiozero error, and gpiozero several kinds.
            raise AbsentDevice(
                f"pins {pins.red}, {pins.green}, {pins.blue} cannot be used: {error}"
                " (is the user in the group gpio, and no other program on them?)"
            ) from error

    def show(self, pattern: "LightPattern") -> None:
        """Begin a pattern in place of whatever was shown. Returns at once."""
        timing: dict[str, Any]
        if pattern.pattern == "breath":
            half = _BREATH_S / 2
            breaths = None if math.isinf(pattern.seconds) else max(1, round(pattern.seconds / _BREATH_S))
            timing = {"on_time": 0, "off_time": 0, "fade_in_time": half, "fade_out_time": half, "n": breaths}
        elif pattern.pattern == "fade":
            full = max(0.0, pattern.seconds - _FADE_IN_S - _FADE_OUT_S)
            timing = {"on_time": full, "off_time": 0, "fade_in_time": _FADE_IN_S, "fade_out_time": _FADE_OUT_S, "n": 1}
        else:
            timing = {"on_time": pattern.seconds, "off_time": 0, "n": 1}
        self._led.blink(on_color=pattern.colour, background=True, **timing)

    def off(self) -> None:
        """Go dark now."""
        self._led.off()

    def close(self) -> None:
        """Go dark and give the pins back. May be called twice."""
        if not self._led.closed:
            self._led.off()
        self._led.close()
        self.factory.close()


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
