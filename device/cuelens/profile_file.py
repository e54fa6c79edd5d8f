"""Reading a profile from its file: checked whole, and with the last good one in its place if it is damaged."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens import decode, modes, sayings
from cuelens.profile import Profile
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.whole_file import writable, write_whole

_NAME: Final = re.compile(r"[\w-]{1,60}")


@dataclass(frozen=True, slots=True)
class Active:
    """The profile that holds. folder: where its recordings lie. fault: what is wrong with the one asked for, if it is.

    name, content: of the file that it was read from, to be kept as the last good one; no content if it is none.
    """

    profile: Profile
    folder: Path
    fault: str = ""
    name: str = ""
    content: bytes = b""


def read(path: Path) -> Profile:
    """Read and check a profile. Raises BadInput with file, key and value."""
    profile = decode.read_json(path, Profile)
    try:
        modes.mode(profile.mode)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    sayings.check(profile, path)
    return profile


def active(state: Path) -> Active:
    """Return the profile that is active in the state folder.

    One that is damaged is left alone, and the last good one of its name holds; without that, the factory's.
    """
    folder = state / "profiles"
    path = active_path(state)
    if path is None:
        return Active(Profile(), folder, f"{state / 'active'} names no profile; the factory profile is used")
    if not path.exists() and not (state / "active").exists():
        return Active(Profile(), folder)
    try:
        return Active(read(path), folder, name=path.stem, content=path.read_bytes())
    except (BadInput, OSError) as error:
        try:
            # It was checked when it was kept; a recording that went since is the voice's to tell of.
            good = decode.read_json(_good(state, path.stem), Profile)
            return Active(good, folder, f"{error}; the last good one is used")
        except BadInput:
            return Active(Profile(), folder, f"{error}; the factory profile is used")


def keep_good(state: Path, active: Active) -> str:
    """Keep a good profile as the last good one of its name. Returns what went wrong, or nothing."""
    kept = _good(state, active.name)
    if not active.content or (kept.exists() and kept.read_bytes() == active.content):
        return ""
    try:
        writable(kept.parent)
        write_whole(kept, active.content)
    except Unwritable as error:
        return str(error)
    return ""


def active_path(state: Path) -> Path | None:
    """Return the file of the active profile: `profiles/NAME.json`, with the name in the file `active`.

    Without that file the name is `default`; None if what it holds is no name.
    """
    try:
        name = (state / "active").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        name = "default"
    except (OSError, UnicodeDecodeError):
        return None
    return state / "profiles" / f"{name}.json" if _NAME.fullmatch(name) else None


def _good(state: Path, name: str) -> Path:
    return state / "good" / f"{name}.json"
