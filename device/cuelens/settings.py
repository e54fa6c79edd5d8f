"""Settings of the hardware: camera, lens, search, threads, pins, speaker, paths. TOML; every key has a default.

docs/settings.md is made of the docstrings of the structs, by `make settings`. Behind what a key means stand, in
brackets, its unit, if it has one, and an example.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from cuelens import config_file
from cuelens.config_file import Colour, Place
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import Mistake, StrictStruct, excerpt

SYSTEM_FILE = Path("/etc/cuelens/cuelens.toml")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)

I2S: Final = range(18, 22)
"""GPIO numbers of I2S, which a sound card on it has for itself (BCM2835 ARM Peripherals, table of functions: PCM)."""

Pixels = Annotated[int, msgspec.Meta(ge=64, le=4096)]
Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]
Source = Annotated[str, msgspec.Meta(title="a camera, a file, a folder or demo")]
WholePath = Annotated[str, msgspec.Meta(title="a whole path, from / on, or empty")]


class Camera(StrictStruct, frozen=True):
    """The camera, and the pictures that it is asked for. `--source` of a command replaces `source`.

    Attributes:
        source: what gives frames. picamera2 is a camera on the ribbon cable, v4l2:0 (or 0, or /dev/video0) the first
            webcam; a video, an image, a folder of images and demo do for trying. Nothing is read over a network.
            (such as "v4l2:0")
        width: width of the sensor's picture, before the rotation. A larger one costs time in every beat.
            (pixels, such as 1280)
        height: height of the sensor's picture, before the rotation. (pixels, such as 720)
        fps: frames a second that the camera is asked for. The glasses use fifteen at most; a dark room is brighter
            with fewer. (frames a second, such as 10)
        rotation: clockwise turn that makes the picture upright. Faces that lie are not found. (degrees, such as 180)
    """

    source: Source = "picamera2"
    width: Pixels = 640
    height: Pixels = 480
    fps: Annotated[int, msgspec.Meta(ge=2, le=60)] = 15
    rotation: Literal[0, 90, 180, 270] = 0


class Lens(StrictStruct, frozen=True):
    """The lens. With `look.farthest_m` it says how small a face may be in the picture.

    Attributes:
        horizontal_degrees: field of view along the sensor's width, from the camera's data sheet: 62 of Camera Module 2,
            66 of 3, 102 of 3 Wide. (degrees, such as 102.0)
    """

    horizontal_degrees: Annotated[float, msgspec.Meta(ge=20, le=160)] = 62.0


class Look(StrictStruct, frozen=True):
    """The search for faces: how far it reaches, and how often it covers the whole frame.

    Attributes:
        farthest_m: distance of the smallest face to search for. Each step farther costs time in every beat.
            (metres, such as 1.5)
        newcomers_s: time from one look at the whole frame to the next, with a tracked face. A longer one finds a second
            face later. (seconds, such as 2.0)
        nobody_s: the same without a tracked face. A longer one finds a face later, and costs less. (seconds, such as
            0.5)
    """

    farthest_m: Annotated[float, msgspec.Meta(ge=0.3, le=10)] = 2.0
    newcomers_s: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 0.4
    nobody_s: Annotated[float, msgspec.Meta(ge=0.0, le=5)] = 0.12


class Threads(StrictStruct, frozen=True):
    """Processor threads. `cuelens bench` measures what more of them bring on a board.

    Attributes:
        opencv: threads of OpenCV, for face finding. (threads, such as 2)
        model: threads of the interpreter, for reading a face. (threads, such as 2)
    """

    opencv: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    model: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1


class SingleLed(StrictStruct, frozen=True):
    """An LED of one colour.

    Attributes:
        pin: where it is wired. (GPIO number, such as 5)
        colour: colour of its light, as red, green and blue. (#RRGGBB, such as "#F0E442")
    """

    pin: Pin
    colour: Colour


class Pins(StrictStruct, frozen=True):
    """What is wired where, by GPIO numbers (GPIO 17 is the 11th pin of the header). No two parts share a pin.

    With an amplifier on I2S, GPIO 18 to 21 are the sound's: no part may be on one of them.

    Attributes:
        factory: driver of the pins. auto is lgpio on a board, and gpiozero's mock pins elsewhere; mock pins light
            nothing. (such as "mock")
        red: red pin of an RGB LED, the wearer's light. (GPIO number, such as 5)
        green: green pin of the RGB LED. (GPIO number, such as 6)
        blue: blue pin of the RGB LED. (GPIO number, such as 13)
        single: up to three LEDs of one colour each, in place of the RGB LED; red, green and blue are free then.
            (such as [{pin = 5, colour = "#F0E442"}, {pin = 6, colour = "#56B4E9"}])
        active_high: whether the wearer's light is on while its pins are high. false for an LED with a common anode.
            (such as false)
        button: the wearer's button, from this pin to ground; "none" if none is fitted: sessions have no end then.
            (GPIO number, such as "none")
        capture: the capture light for bystanders. It is on while frames are taken and its pin is high. A camera of a
            board does not open without it, unless "none" says that none is fitted. (GPIO number, such as 25)
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
    """The sound card. Whether there is sound at all, and how loud, is the profile's.

    An amplifier on I2S has GPIO 18 to 21 for itself; one on USB has none.

    Attributes:
        device: ALSA name of the sound card; `aplay -L` lists them. A board without a desktop wants a card's own name.
            (such as "plughw:CARD=Device")
    """

    device: str = "default"


class Places(StrictStruct, frozen=True):
    """Files and folders, by their whole paths, from / on.

    Attributes:
        bundle: the model, a `.tflite` of `convert-model`; empty for the shipped one. `--bundle` replaces it. A damaged
            one is told of at a start, and the shipped one is used. (such as "/var/lib/cuelens/mine.tflite")
        state: the state folder, with profiles, recordings, story and what the button asked for; empty for the usual
            one (design.md, section 9). What lies in the old folder is not moved. (such as "/srv/cuelens")
    """

    bundle: WholePath = ""
    state: WholePath = ""


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


S = TypeVar("S", bound=Settings)


def usual_path() -> Path | None:
    """Return the default settings file: the system's, else the user's, else None."""
    config_home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    usual = [SYSTEM_FILE, Path(config_home) / "cuelens" / "cuelens.toml"]
    return next((file for file in usual if file.exists()), None)


def read(path: Path | None) -> Settings:
    """Read the settings from `path`, or return the defaults without one. Raises BadInput."""
    if path is None:
        return Settings()
    setup, mistakes = review(path)
    if mistakes:
        more = f" (`cuelens doctor` names {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise BadInput(f"{mistakes[0].sentence}{more}")
    return setup


def review(path: Path) -> tuple[Settings, list[Mistake]]:
    """Find all mistakes in settings. Returns the settings, with defaults in place of mistakes, and these.

    Raises BadInput if the file cannot be read, or is no TOML.
    """
    if not path.exists():
        raise BadInput(f"settings {path} do not exist")
    return review_as(path, Settings, lambda _: ())


def review_as(
    path: Path, kind: type[S], more: Callable[[S], Iterable[Mistake]], content: bytes | None = None
) -> tuple[S, list[Mistake]]:
    """Find all mistakes in a file of settings that has further keys.

    Args:
        path: the file.
        kind: the settings with these keys, each with a default.
        more: what breaks a rule of these keys.
        content: of the file, if it was read already.

    Returns the settings, with defaults in place of mistakes, and these. Raises BadInput if the file cannot be read, or
    is no TOML.
    """

    def rules(setup: S, written: Collection[Place], wrong: Collection[Place]) -> Iterator[Mistake]:
        yield from _broken_rules(setup, written, wrong)
        yield from more(setup)

    return config_file.review_toml(path, kind, rules, content=content)


def is_address(source: str) -> bool:
    """Tell whether a source lies in a network: nothing is read there."""
    return _ADDRESS.match(source) is not None


def _broken_rules(setup: Settings, written: Collection[Place], wrong: Collection[Place]) -> Iterator[Mistake]:
    """Yield what no type can refuse. written: the keys that the file holds, in their order. wrong: those refused."""
    if is_address(setup.camera.source):
        must_be = "must be a camera, a file or a folder, since nothing is read over a network"
        yield Mistake(("camera", "source"), f"camera.source {must_be}, not {excerpt(setup.camera.source)}")
    for section in ("camera", "speaker", "places"):
        for key, value in msgspec.structs.asdict(getattr(setup, section)).items():
            if isinstance(value, str) and "\0" in value:
                yield Mistake((section, key), f"{section}.{key} must have no character \\u0000, not {excerpt(value)}")
    if not any(at[0] == "pins" for at in wrong):
        yield from _shared_pins(setup.pins, list(written))
    for key, place in msgspec.structs.asdict(setup.places).items():
        # A relative path means another place for another user, or in another folder: a service has no home of its own.
        if place and not Path(place).is_absolute():
            example = Path(place).expanduser() if place.startswith("~/") else "/"
            rule = f"must be a whole path, which begins with {example}"
            yield Mistake(("places", key), f"places.{key} {rule}, not {excerpt(place)}")


def _shared_pins(pins: Pins, written: Sequence[Place]) -> Iterator[Mistake]:
    claims: dict[int | str, tuple[str, Place]] = {}
    for key, pin in [*pins.light().items(), ("button", pins.button), ("capture", pins.capture)]:
        at = tuple(int(step) if step.isdigit() else step for step in re.findall(r"\w+", f"pins.{key}"))
        name = f"pins.{key}" if at in written else f"pins.{key} (by default)"
        if pin != "none" and pin in claims:
            other, other_at = claims[pin]
            last = max((at, other_at), key=lambda place: written.index(place) if place in written else -1)
            yield Mistake(last, f"{other} and {name} are both {pin}: give each a pin of its own")
        claims[pin] = name, at
