"""Reading a profile from its file: checked whole, and with the last good one in its place if it is damaged."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cuelens import config_file
from cuelens.cues import modes
from cuelens.profile import language, phrases
from cuelens.profile.profile import RETIRED, Profile
from cuelens.profile.rules import limit_rule, tell_as
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import BadInput

_NAME: Final = re.compile(r"[\w-]{1,60}")


@dataclass(frozen=True, slots=True)
class ProfileInForce:
    """The profile that holds.

    Attributes:
        profile: what the caregiver chose.
        folder: where its recordings lie.
        fault: what is wrong with the requested profile, if this one stands in its place.
        note: which keys of an earlier version were ignored, if any.
        name: of the file that it was read from.
        content: of that file, to be stored as the last good one; empty if it came from no file.
    """

    profile: Profile
    folder: Path
    fault: str = ""
    note: str = ""
    name: str = ""
    content: bytes = b""


def read(path: Path) -> Profile:
    """Read and check a profile. Raises BadInput with file, key and value."""
    return in_force(path).profile


def in_force(path: Path) -> ProfileInForce:
    """Read and check a profile, with a note on keys of earlier versions. Raises BadInput with file, key and value."""
    profile, ignored = config_file.read_json(path, Profile, RETIRED)
    try:
        modes.mode(profile.mode)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    phrases.check(profile, path)
    check_play(profile, str(path))
    note = f"{path}: {', '.join(ignored)} can no longer be chosen; the values are ignored" if ignored else ""
    return ProfileInForce(profile, path.parent, note=note)


def check_play(profile: Profile, where: str) -> None:
    """Raise BadInput if the mode is one that finds expressions, and none of those to be found can be told."""
    words = [tell_as(profile, word) for word in profile.play.find]
    told = limit_rule(profile, ("light", "voice")).outputs
    if profile.mode == "smile" and not any(told.get(word) for word in words if word != "face"):
        raise BadInput(f"{where}: play.find is {list(profile.play.find)}: expected an expression that has a cue")


def active(state: Path) -> ProfileInForce:
    """Return the profile that is active in the state folder.

    One that is damaged is left alone, and the last good one of its name holds; without that, the factory's.
    """
    folder = state / "profiles"
    path = active_path(state)
    if path is None:
        return ProfileInForce(Profile(), folder, f"{state / 'active'} names no profile; the factory profile is used")
    try:
        if not path.exists() and not (state / "active").exists():
            return ProfileInForce(Profile(), folder)
        return replace(in_force(path), name=path.stem, content=path.read_bytes())
    except (BadInput, OSError) as error:
        return _instead(state, path.stem, folder, " ".join(str(error).split()))


def _instead(state: Path, name: str, folder: Path, why: str) -> ProfileInForce:
    """Return the last good profile of a name. A recording of it that went since is the voice's to tell of."""
    try:
        good, _ = config_file.read_json(_good(state, name), Profile, RETIRED)
        modes.mode(good.mode)
        language.read(good.language)
    except (BadInput, OSError):
        return ProfileInForce(Profile(), folder, f"{why}; the factory profile is used")
    return ProfileInForce(good, folder, f"{why}; the last good one is used")


def keep_good(state: Path, active: ProfileInForce) -> str:
    """Keep a good profile as the last good one of its name. Returns what went wrong, or nothing."""
    kept = _good(state, active.name)
    try:
        if active.content and not (kept.is_file() and kept.read_bytes() == active.content):
            make_folder(kept.parent)
            write_whole(kept, active.content)
    except OSError as error:
        return str(error)
    return ""


def active_path(state: Path) -> Path | None:
    """Return the file of the active profile: `profiles/NAME.json`, with the name in the file `active`.

    Without that file the name is `default`; None if what it holds is no name.
    """
    file = state / "active"
    try:
        name = config_file.read_text(file).strip() if file.exists() else "default"
    except (BadInput, OSError):
        return None
    return state / "profiles" / f"{name}.json" if _NAME.fullmatch(name) else None


def _good(state: Path, name: str) -> Path:
    return state / "good" / f"{name}.json"
