"""Reads and checks profiles. The last good version of a profile replaces a damaged one."""

import re
from pathlib import Path
from typing import Final

import msgspec

from cuelens import config_file, ownership
from cuelens.cues import modes
from cuelens.profile import language, perceptible, phrases
from cuelens.profile.profile import RETIRED, Profile
from cuelens.profile.rules import limit_rule, tell_as
from cuelens_models.atomic_file import clear, make_folder, write_whole
from cuelens_models.errors import BadInput, Unwritable

NAME: Final = re.compile(r"[\w-]{1,60}")
"""What a profile may be called: the name of its file, without `.json`."""


class ProfileInForce(msgspec.Struct, frozen=True):
    """The profile in force.

    Attributes:
        profile: the caregiver's options.
        folder: where its recordings lie.
        fault: what is wrong with the requested profile, if this one replaces it.
        note: the ignored keys of earlier versions, as a sentence; empty if there are none.
        warnings: what a wearer could not perceive, as sentences.
        unplayable: recordings that cannot be played, as sentences. The voice reports the same once it says the phrase.
        name: the requested file's name without its suffix; empty if none is requested.
        content: the file's bytes, to be stored as the last good version; empty if this is not from the file.
    """

    profile: Profile
    folder: Path
    fault: str = ""
    note: str = ""
    warnings: tuple[str, ...] = ()
    unplayable: tuple[str, ...] = ()
    name: str = ""
    content: bytes = b""


def read(path: Path) -> Profile:
    """Read and check a profile. Raises BadInput with file, key and value."""
    return in_force(path).profile


def in_force(path: Path, content: bytes | None = None) -> ProfileInForce:
    """Read and check a profile, with a note on keys of earlier versions. Raises BadInput with file, key and value.

    content: of the file, if it was read already.
    """
    profile, ignored = decoded(path, content)
    try:
        modes.mode(profile.mode)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    phrases.check(profile, path)
    check_play(profile, str(path))
    note = f"{path}: {', '.join(ignored)} can no longer be chosen; the values are ignored" if ignored else ""
    warnings = tuple(f"{path}: {sentence}" for sentence in perceptible.warnings(profile))
    unplayable = tuple(f"{sentence}; the phrase is said in its place" for sentence in phrases.unplayable(profile, path))
    return ProfileInForce(profile, path.parent, note=note, warnings=warnings, unplayable=unplayable)


def decoded(path: Path, content: bytes | None = None) -> tuple[Profile, list[str]]:
    """Read a profile; return it and its ignored keys of earlier versions. Raises BadInput. Nothing else is checked."""
    return config_file.read_json(path, Profile, RETIRED, Profile(), content=content, name="profile")


def check_play(profile: Profile, where: str) -> None:
    """Raise BadInput if the mode is `smile` and no expression in `play.find` has a cue. where: for the message."""
    words = [tell_as(profile, word) for word in profile.play.find]
    outputs = limit_rule(profile, ("light", "voice")).outputs
    if profile.mode == "smile" and not any(outputs.get(word) for word in words if word != "face"):
        raise BadInput(f"{where}: play.find is {list(profile.play.find)}: expected an expression that has a cue")


def active(state: Path) -> ProfileInForce:
    """Return the active profile of a state folder.

    A damaged file is left unchanged. The last good version of that name replaces it, else the factory profile.
    """
    folder = state / "profiles"
    try:
        path = active_path(state)
    except BadInput as error:
        return ProfileInForce(Profile(), folder, f"{error}; the factory profile is used")
    try:
        if not path.exists() and not (state / "active").exists():
            return ProfileInForce(Profile(), folder)
        # Read once: another version may take its place meanwhile, and what is kept as good is what was checked.
        content = config_file.read_content(path)
        return msgspec.structs.replace(in_force(path, content), name=path.stem, content=content)
    except OSError as error:
        return _fallback(state, path.stem, folder, f"{path} cannot be read: {error.strerror}")
    except BadInput as error:
        return _fallback(state, path.stem, folder, " ".join(str(error).split()))


def last_good(state: Path, why: str) -> ProfileInForce:
    """Return the last good version of the active profile, else the factory's. why: it replaces the file."""
    folder = state / "profiles"
    try:
        return _fallback(state, active_path(state).stem, folder, why)
    except BadInput as error:
        return ProfileInForce(Profile(), folder, f"{error}; the factory profile is used")


def _fallback(state: Path, name: str, folder: Path, why: str) -> ProfileInForce:
    """Return the last good version of a profile, else the factory's. The voice reports missing recordings."""
    try:
        good, _ = decoded(_good(state, name))
        modes.mode(good.mode)
        language.read(good.language)
    except (BadInput, OSError):
        return ProfileInForce(Profile(), folder, f"{why}; the factory profile is used", name=name)
    return ProfileInForce(good, folder, f"{why}; the last good one is used", name=name)


def keep_good(state: Path, active: ProfileInForce) -> str:
    """Store a good profile as the last good version of its name. Returns an error message, or ""."""
    file = _good(state, active.name)
    try:
        if active.content and not (file.is_file() and file.read_bytes() == active.content):
            made = ownership.missing(file.parent)
            make_folder(file.parent)
            write_whole(file, active.content)
            ownership.hand_over(*made, file)
    except Unwritable as error:
        return str(error)
    except OSError as error:
        return f"{file} cannot be used: {error.strerror}"
    return ""


def tidy(state: Path) -> None:
    """Delete what writers left in a state folder whom a power cut ended. For the start, before anything is written."""
    for folder in (state, *(state / name for name in ("profiles", "good", "phrases"))):
        clear(folder)


def active_path(state: Path) -> Path:
    """Return the file of the active profile, `profiles/NAME.json`. The file `active` holds the name.

    Without that file the name is `default`. Raises BadInput if the file holds no valid name or cannot be read.
    """
    file, profiles = state / "active", state / "profiles"
    try:
        name = config_file.read_text(file).strip() if file.exists() else "default"
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error
    if NAME.fullmatch(name):
        return profiles / f"{name}.json"
    bare = Path(name).stem
    if NAME.fullmatch(bare) and name in (f"{bare}.json", f"profiles/{bare}.json", f"{profiles / bare}.json"):
        raise BadInput(f"{file} holds {name!r}: write the name alone into it, {bare}, without a folder or .json")
    raise BadInput(f"{file} names no profile: write the name of a file in {profiles} into it, without .json")


def _good(state: Path, name: str) -> Path:
    return state / "good" / f"{name}.json"
