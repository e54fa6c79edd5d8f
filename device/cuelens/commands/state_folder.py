"""Finds the state folder that a command reads or changes: where glasses are installed as a service, the service's."""

import os
import sys
from pathlib import Path
from typing import Final

from cuelens.settings import Settings
from cuelens_models.errors import BadInput

SERVICE: Final = Path("/var/lib/cuelens")
"""The state folder of the service: systemd makes it at the first start."""


def state_folder(setup: Settings, words: str, *, write: bool = False, service: Path = SERVICE) -> Path:
    """Return the state folder for a command that is not the daemon. It need not exist.

    It is that of `places.state` or STATE_DIRECTORY; else the service's, if there is one; else the user's own.

    Args:
        setup: the settings of the hardware.
        words: what was typed after `cuelens`, such as "story", for the remedy.
        write: the command writes to the folder too.
        service: the service's folder.

    Raises BadInput with who may use the folder, if this user may not.
    """
    chosen = setup.places.state or os.environ.get("STATE_DIRECTORY")
    folder = setup.state_dir() if chosen or not service.is_dir() else service
    if folder.is_dir() and (barred := _barred(folder, write=write)):
        if barred.lstat().st_uid == os.geteuid() or barred.is_symlink():
            raise BadInput(f"{barred} may not be used as it is: see `ls -ld {barred}`, and mend its rights or its link")
        owner = _owner(folder)
        raise BadInput(f"{folder} belongs to {owner}: run `sudo -u {owner} {_program()} {words}`")
    return folder


def _barred(folder: Path, *, write: bool) -> Path | None:
    """Return what this user may not read, or with `write` not change: the folder or an entry of it; None if nothing."""

    def may(path: Path, mode: int) -> bool:
        return os.access(path, mode | (os.X_OK if path.is_dir() else 0), effective_ids=True)

    if not may(folder, os.R_OK | (os.W_OK if write else 0)):
        return folder
    return next((path for path in sorted(folder.iterdir()) if not may(path, os.R_OK)), None)


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except KeyError:
        return f"#{folder.stat().st_uid}"


def _program() -> str:
    """Return the command as sudo finds it: it does not search the folder of a virtual environment."""
    return sys.argv[0] if Path(sys.argv[0]).name == "cuelens" else "cuelens"
