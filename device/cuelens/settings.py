"""What the maker chose for the hardware: camera, lens, pins, speaker, cadence, paths. TOML; every key has a default."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cuelens import decode
from cuelens_models.errors import BadInput

SYSTEM_FILE = Path("/etc/cuelens/cuelens.toml")

Pixels = Annotated[int, msgspec.Meta(ge=64, le=4096)]
Pin = Annotated[int, msgspec.Meta(ge=0, le=27)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A piece of the settings."""


class Camera(_Part, frozen=True):
    """The camera. rotation: degrees clockwise that its picture is turned by to stand upright."""

    source: str = "picamera2"
    width: Pixels = 640
    height: Pixels = 480
    fps: Annotated[int, msgspec.Meta(ge=2, le=60)] = 15
    rotation: Literal[0, 90, 180, 270] = 0


class Lens(_Part, frozen=True):
    """The lens: its horizontal field of view in degrees."""

    horizontal_degrees: Annotated[float, msgspec.Meta(ge=20, le=160)] = 62.0


class Look(_Part, frozen=True):
    """Looking: the distance at which a face stops to matter, and how long it takes to look at all of the frame."""

    farthest_m: Annotated[float, msgspec.Meta(ge=0.3, le=10)] = 2.0
    newcomers_s: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 2.0
    nobody_s: Annotated[float, msgspec.Meta(ge=0.0, le=5)] = 0.5


class Threads(_Part, frozen=True):
    """Processor threads for OpenCV and for the model."""

    opencv: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    model: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1


class Pins(_Part, frozen=True):
    """GPIO numbers of the RGB light. factory: auto takes lgpio on a board, and gpiozero's mock pins elsewhere."""

    factory: Literal["auto", "lgpio", "mock"] = "auto"
    red: Pin = 17
    green: Pin = 27
    blue: Pin = 22
    active_high: bool = True


class Speaker(_Part, frozen=True):
    """The sound card, by its ALSA name (`aplay -L` lists them)."""

    device: str = "default"


class Places(_Part, frozen=True):
    """Files. Empty means: the shipped bundle, and the usual folder for state (docs/design.md, section 9)."""

    bundle: str = ""
    state: str = ""


class Settings(_Part, frozen=True):
    """All settings."""

    camera: Camera = Camera()
    lens: Lens = Lens()
    look: Look = Look()
    threads: Threads = Threads()
    pins: Pins = Pins()
    speaker: Speaker = Speaker()
    places: Places = Places()

    def state_dir(self) -> Path:
        """Return where state lives: chosen, given by systemd, or the user's XDG state folder."""
        chosen = self.places.state or os.environ.get("STATE_DIRECTORY", "")
        if chosen:
            return Path(chosen)
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(home) / "cuelens"


def usual_path() -> Path | None:
    """Return where settings are read from when none are named: the system's, the user's, or None."""
    config_home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    usual = [SYSTEM_FILE, Path(config_home) / "cuelens" / "cuelens.toml"]
    return next((file for file in usual if file.exists()), None)


def read(path: Path | None) -> Settings:
    """Read the settings from `path`; the defaults without one. Raises BadInput."""
    if path is None:
        return Settings()
    if not path.exists():
        raise BadInput(f"settings {path} do not exist")
    return decode.read_toml(path, Settings)
