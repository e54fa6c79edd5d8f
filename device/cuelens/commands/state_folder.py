"""Finds the state folder that a command reads or changes: where glasses are installed as a service, the service's.

It also says who may use the folder, and what to do for whoever may not.
"""

import os
import pwd
import sys
from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import Final

from cuelens.settings import Settings
from cuelens.story.files import FILE, files_of
from cuelens_models.errors import BadInput

SERVICE: Final = Path("/var/lib/cuelens")
"""The state folder of the service: systemd makes it at the first start."""
_STORY: Final = tuple(file.name for file in files_of(Path(FILE)))
_READ: Final = ("active", "good", "phrases", "profiles", "wearer.json", *_STORY)
"""Names of what is read in the folder."""
_WRITTEN_BY_PROFILE: Final = ("", "profiles")
_WRITTEN_BY_RUNS: Final = ("", "good", "phrases", *_STORY)
"""Names of what is written in the folder; "" is the folder itself. A file that is always replaced is not among them."""


def state_folder(setup: Settings, words: str, *, write: bool = False, service: Path = SERVICE) -> Path:
    """Return the state folder for a command that is not the daemon. It need not exist.

    It is that of `places.state` or STATE_DIRECTORY; else the service's, if there is one; else the user's own.

    Args:
        setup: the settings of the hardware.
        words: what was typed after `cuelens`, such as "story", for the remedy.
        write: the command changes profiles too.
        service: the service's folder.

    Raises BadInput with who may use the folder, if this user may not, or with what bars it.
    """
    chosen = setup.places.state or os.environ.get("STATE_DIRECTORY")
    folder = setup.state_dir() if chosen or not service.is_dir() else service
    barred = _barred(folder, _WRITTEN_BY_PROFILE if write else ())
    if barred is None:
        return folder
    if _is_folder(folder) and not _is_own(folder) and not barred.is_symlink():
        owner = _owner(folder)
        raise BadInput(f"{folder} belongs to {owner}: run `sudo -u {owner} {_program()} {words}`")
    raise BadInput(_remedy(barred, folder))


def trouble(folder: Path) -> str:
    """Return why a run cannot use all of its state folder, and what to do; "" if it can, or can make the folder."""
    barred = _barred(folder, _WRITTEN_BY_RUNS)
    return _remedy(barred, folder) if barred else ""


def remedy(error: OSError, path: Path, folder: Path) -> str:
    """Return a sentence about a path in a state folder that could not be changed, and what to do.

    Args:
        error: what the operating system says.
        path: of the file.
        folder: the state folder.
    """
    places = [place for place in (path, *path.parents) if place.is_relative_to(folder) and os.path.lexists(place)]
    barred = next((place for place in places if _is_folder(place) and not _may(place, os.W_OK)), None)
    return _remedy(barred, folder) if barred else f"{path} cannot be changed: {error.strerror or error}"


def _barred(folder: Path, written: Collection[str]) -> Path | None:
    """Return what bars this user from a folder: it, an entry of it, or a parent; else None.

    written: names of what is written too; "" is the folder itself.
    """

    def mode(name: str) -> int:
        return os.R_OK | (os.W_OK if name in written else 0)

    if not os.path.lexists(folder):
        above = next(path for path in folder.absolute().parents if os.path.lexists(path))
        return None if _is_folder(above) and _may(above, os.W_OK if written else os.F_OK) else above
    if not (_is_folder(folder) and _may(folder, mode(""))):
        return folder
    entries = [folder / name for name in _READ if os.path.lexists(folder / name)]
    return next((path for path in entries if not _may(path, mode(path.name))), None)


def _is_folder(path: Path) -> bool:
    """Whether a path is a folder, or a link to one, as far as this user may know."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode | (os.X_OK if _is_folder(path) else 0), effective_ids=True)


def _remedy(barred: Path, folder: Path) -> str:
    """Return a sentence about what bars a user from a state folder, and what to do."""
    if barred.is_symlink():
        return f"{barred} may not be used as it is: see `ls -ld {barred}`, and mend its rights or its link"
    if folder.absolute().is_relative_to(barred) and not _is_folder(barred):
        return f"{barred} is no folder: move it away"
    if barred != folder and folder.absolute().is_relative_to(barred):
        bars = f"{barred} of {_owner(barred)} bars this user"
        return f"{folder} cannot be reached, since {bars}: mend its rights, or set places.state to another folder"
    if os.statvfs(barred).f_flag & os.ST_RDONLY:
        return f"{barred} lies on a read-only file system: mount it so that it can be written to"
    name = quote(str(barred))
    if _is_own(barred):
        return f"{barred} belongs to this user, who may not use it: run `chmod u+rwX {name}`"
    return f"{barred} belongs to {_owner(barred)}: run `sudo chown -R {_name(os.geteuid())} {name}`"


def _is_own(path: Path) -> bool:
    return path.lstat().st_uid == os.geteuid()


def _owner(path: Path) -> str:
    return _name(path.stat().st_uid)


def _name(user: int) -> str:
    """Return the name of a user; #NUMBER, which sudo takes, of one without a name."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"


def _program() -> str:
    """Return the command as sudo finds it: it does not search the folder of a virtual environment."""
    return sys.argv[0] if Path(sys.argv[0]).name == "cuelens" else "cuelens"
