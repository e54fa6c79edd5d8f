"""Where the socket of running glasses lies."""

import os
from pathlib import Path
from typing import Final

SERVICE: Final = Path("/run/cuelens")
"""The folder of the service (`RuntimeDirectory=` of its unit)."""
_NAME: Final = "link.sock"


def own(state: Path) -> Path:
    """Return the path at which glasses listen: in systemd's RUNTIME_DIRECTORY, the user's XDG folder, or `state`."""
    return _own_folder(state) / _NAME


def known(state: Path) -> list[Path]:
    """Return the paths at which glasses may listen, the user's own first. state: the user's state folder."""
    return [folder / _NAME for folder in dict.fromkeys((_own_folder(state), state, SERVICE))]


def wanted(state: Path) -> Path:
    """Return the file that glasses touch when a calibration is wanted: it starts the page where systemd watches it."""
    return _own_folder(state) / "calibrate"


def _own_folder(state: Path) -> Path:
    if systemd := os.environ.get("RUNTIME_DIRECTORY"):
        # systemd separates several folders by colons.
        return Path(systemd.split(":")[0])
    if user := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(user) / "cuelens"
    return state
