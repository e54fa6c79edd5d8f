"""Settings of the hardware: camera, lens, search, threads, pins, speaker, paths. TOML; every key has a default."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cuelens import config_file
from cuelens.config_file import Colour
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import StrictStruct, excerpt

SYSTEM_FILE = Path("/etc/cuelens/cuelens.toml")

Pixels = Annotated[int, msgspec.Meta(ge=64, le=4096)]
Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]


class Camera(StrictStruct, frozen=True):
    """The camera. rotation: clockwise turn that makes its picture upright, in degrees."""

    source: str = "picamera2"
    width: Pixels = 640
    height: Pixels = 480
    fps: Annotated[int, msgspec.Meta(ge=2, le=60)] = 15
    rotation: Literal[0, 90, 180, 270] = 0


class Lens(StrictStruct, frozen=True):
    """The lens: its horizontal field of view in degrees."""

    horizontal_degrees: Annotated[float, msgspec.Meta(ge=20, le=160)] = 62.0


class Look(StrictStruct, frozen=True):
    """The search for faces.

    Attributes:
        farthest_m: distance of the smallest face to search for.
        newcomers_s: one sweep of the whole frame, with a tracked face.
        nobody_s: one sweep of the whole frame, without a tracked face.
    """

    farthest_m: Annotated[float, msgspec.Meta(ge=0.3, le=10)] = 2.0
    newcomers_s: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 2.0
    nobody_s: Annotated[float, msgspec.Meta(ge=0.0, le=5)] = 0.5


class Threads(StrictStruct, frozen=True):
    """Processor threads for OpenCV and for the model."""

    opencv: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    model: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1


class SingleLed(StrictStruct, frozen=True):
    """An LED of one colour: its GPIO number, and its colour as #RRGGBB."""

    pin: Pin
    colour: Colour


class Pins(StrictStruct, frozen=True):
    """GPIO numbers.

    Attributes:
        factory: auto is lgpio on a board, and gpiozero's mock pins elsewhere.
        red: red pin of an RGB LED.
        green: green pin of the RGB LED.
        blue: blue pin of the RGB LED.
        single: up to three LEDs of one colour each, in place of the RGB LED.
        active_high: false if the LEDs are on while their pins are low.
        button: the wearer's button, from this pin to ground.
        capture: the capture light, which is on while frames are taken and its pin is high.
    """

    factory: Literal["auto", "lgpio", "mock"] = "auto"
    red: Pin = 17
    green: Pin = 27
    blue: Pin = 22
    single: Annotated[tuple[SingleLed, ...], msgspec.Meta(max_length=3)] = ()
    active_high: bool = True
    button: Pin | Literal["none"] = 23
    capture: Pin | Literal["none"] = 24

    def light(self) -> dict[str, int]:
        """Return the pins of the wearer's light by their keys."""
        if self.single:
            return {f"single[{index}].pin": led.pin for index, led in enumerate(self.single)}
        return {"red": self.red, "green": self.green, "blue": self.blue}


class Speaker(StrictStruct, frozen=True):
    """The sound card, by its ALSA name (`aplay -L` lists them)."""

    device: str = "default"


class Places(StrictStruct, frozen=True):
    """Files, by their whole paths. Empty: the shipped bundle, and the default state folder (docs/design.md, 9)."""

    bundle: str = ""
    state: str = ""


class Settings(StrictStruct, frozen=True):
    """All settings."""

    camera: Camera = Camera()
    lens: Lens = Lens()
    look: Look = Look()
    threads: Threads = Threads()
    pins: Pins = Pins()
    speaker: Speaker = Speaker()
    places: Places = Places()

    def state_dir(self) -> Path:
        """Return the state folder: `places.state`, systemd's STATE_DIRECTORY, or the user's XDG state folder."""
        folder = self.places.state or os.environ.get("STATE_DIRECTORY", "")
        if folder:
            return Path(folder)
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(home) / "cuelens"


def usual_path() -> Path | None:
    """Return the default settings file: the system's, else the user's, else None."""
    config_home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    usual = [SYSTEM_FILE, Path(config_home) / "cuelens" / "cuelens.toml"]
    return next((file for file in usual if file.exists()), None)


def read(path: Path | None) -> Settings:
    """Read the settings from `path`, or return the defaults without one. Raises BadInput."""
    if path is None:
        return Settings()
    if not path.exists():
        raise BadInput(f"settings {path} do not exist")
    options = config_file.read_toml(path, Settings)
    _refuse_shared_pins(path, options.pins)
    _refuse_relative(path, options.places)
    return options


def _refuse_relative(path: Path, places: Places) -> None:
    """Refuse what means another place for another user, or in another folder: a service has no home of its own."""
    for key, place in msgspec.structs.asdict(places).items():
        if place and not Path(place).is_absolute():
            example = Path(place).expanduser() if place.startswith("~/") else "/"
            rule = f"must be a whole path, which begins with {example}"
            raise BadInput(f"{path}: places.{key} {rule}, not {excerpt(place)}")


def _refuse_shared_pins(path: Path, pins: Pins) -> None:
    keys: dict[int | str, str] = {}
    for key, pin in [*pins.light().items(), ("button", pins.button), ("capture", pins.capture)]:
        if pin != "none" and pin in keys:
            raise BadInput(f"{path}: pins.{keys[pin]} and pins.{key} are both {pin}: give each a pin of its own")
        keys[pin] = key
