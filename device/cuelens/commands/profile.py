"""`cuelens profile`: shows, checks, resets, exports and imports the profile in the state folder.

Nothing of the user's is overwritten: what a new profile replaces is kept beside it, as NAME-1.json, NAME-2.json, ...
The last 20 of these stay.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any, Final

import msgspec

from cuelens import ownership, settings
from cuelens.commands import state_folder
from cuelens.commands.console import STANDARD
from cuelens.commands.press import ask_glasses
from cuelens.link.client import Silent
from cuelens.link.requests import Reload
from cuelens.profile import library, phrases, store
from cuelens.profile.profile import Profile
from cuelens_models import command
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

_PRIVATE: Final = 0o077
"""The umask of the service: nobody else reads what these commands write."""


def show(config: Path | None) -> int:
    """Print the profile in force, key by key, with a mark at every value of the factory's. Returns 0."""
    state = _state(config, "profile show")
    active = store.active(state)
    if active.fault:
        print(active.fault, file=sys.stderr)
    replaced = "what is used in its place" if active.fault else "the factory profile"
    print(f"profile {active.folder / active.name}.json" if active.content else replaced)
    factory = _flat(msgspec.to_builtins(Profile()))
    values = _flat(msgspec.to_builtins(active.profile))
    width = max(map(len, values))
    for key, value in values.items():
        mark = "  (default)" if factory.get(key) == value else ""
        print(f"  {key:<{width}}  {value}{mark}")
    return 0


def check(file: Path | None, config: Path | None) -> int:
    """Print what is wrong with a profile, or that it is well. Returns 1 if it cannot be used, else 0.

    file: None for the profile of the state folder. Raises BadInput if nothing has this name.
    """
    path = file
    if path is None:
        state = _state(config, "profile check")
        path = store.active_path(state)
        if not (path.exists() or (state / "active").exists()):
            print("There is no profile: the factory's is in force, and well.")
            return 0
    try:
        found = store.in_force(path)
    except BadInput as error:
        if file is not None and not os.path.lexists(file):
            raise
        print(error)
        return 1
    sentences = [sentence for sentence in (found.note, *found.warnings, *found.unplayable) if sentence]
    for sentence in sentences:
        print(sentence)
    print(f"{path} can be used as it is." if sentences else f"{path} is well.")
    return 0


def reset(config: Path | None) -> int:
    """Put the factory profile into force, and keep the old one. Returns 0."""
    state = _state(config, "profile reset", write=True)
    path = store.active_path(state)
    good = state / "good" / path.name
    if good.is_file() and not (path.is_file() and path.read_bytes() == good.read_bytes()):
        # A damaged profile has a good version, which the factory's is about to replace.
        _keep(good, path, state)
    elif not path.exists():
        print("There is no profile: the factory's is in force.")
        return 0
    _replace(path, library.FACTORY, state)
    with _named(path, state):
        library.Library(state).forget_people()
    print(f"{path} is the factory profile now.")
    return _reload(config)


def export(file: Path, config: Path | None) -> int:
    """Write the profile in force to a file; "-" is standard output. Returns 0. Raises BadInput, Unwritable.

    It is the file as it was written; without a usable one, the profile that replaces it, with all its keys.
    """
    # The user of the service may not write to the folder of whoever types this; their shell may.
    state = _state(config, f"profile export - > {quote(str(file))}")
    active = store.active(state)
    says = sys.stderr if file == STANDARD else sys.stdout
    if active.fault:
        print(active.fault, file=sys.stderr)
    content = active.content or command.to_json(active.profile).encode() + b"\n"
    if file == STANDARD:
        command.standard_output().write(content)
    else:
        command.refuse_overwriting(file, [state])
        write_whole(file, content)
        print(f"the profile is written to {file}", file=says)
    if recordings := _recordings(active.profile):
        print(f"its recordings stay in {active.folder}: {', '.join(recordings)}", file=says)
    return 0


def import_(file: Path, config: Path | None) -> int:
    """Put a profile into force, with its recordings, and keep the old one. Returns 0. Raises BadInput, Unwritable.

    file: "-" is standard input, from a file. It is checked before anything is written.
    """
    source = Path("/dev/stdin") if file == STANDARD else file
    if file == STANDARD and (names := _recordings(store.decoded(source)[0])):
        raise BadInput(
            f"standard input has no folder for the recordings of this profile ({', '.join(names)}): copy it and them"
            " to a folder that the user of the glasses may read, and import it from there by its name"
        )
    found = store.in_force(source)
    for sentence in phrases.unplayable(found.profile, source):
        raise BadInput(sentence)
    content = source.read_bytes()
    state = _state(config, f"profile import - < {quote(str(file))}", write=True)
    path = store.active_path(state)
    if path.exists() and source.samefile(path):
        raise BadInput(f"{file} is the profile already: `cuelens profile check` checks it")
    recordings = {path.parent / name: (source.parent / name).read_bytes() for name in _recordings(found.profile)}
    for recording, sound in recordings.items():
        if recording.exists() and recording.read_bytes() != sound:
            raise BadInput(f"{recording} is another recording: give yours another name, in the profile too")
    for recording, sound in recordings.items():
        _write(recording, sound, state)
    _replace(path, content, state)
    for sentence in (found.note, *found.warnings):
        if sentence:
            print(sentence)
    print(f"{path} is {'standard input' if file == STANDARD else file} now.")
    return _reload(config)


def _state(config: Path | None, words: str, *, write: bool = False) -> Path:
    """Return the state folder. words, write: see `state_folder`."""
    return state_folder.state_folder(settings.read(config or settings.usual_path()), words, write=write)


def _flat(value: Any, key: str = "") -> dict[str, str]:
    """Return the values of nested dictionaries as JSON, by their dotted keys."""
    if not isinstance(value, dict):
        return {key: msgspec.json.encode(value).decode()}
    inner = (_flat(part, f"{key}.{name}" if key else name) for name, part in value.items())
    return {name: text for part in inner for name, text in part.items()}


def _recordings(profile: Profile) -> list[str]:
    """Return the recordings of a profile, by their paths from its folder."""
    entries = profile.cues.entries().values()
    return list(dict.fromkeys(entry.recording for entry in entries if entry.recording is not None))


def _replace(path: Path, content: bytes, state: Path) -> None:
    """Write a profile, and keep the one that it replaces."""
    if os.path.lexists(path):
        _keep(path, path, state)
    _write(path, content, state)
    library.drop_oldest(path)


def _keep(file: Path, path: Path, state: Path) -> None:
    """Keep a file beside the profile that is about to be replaced, and print its new name. Raises Unwritable."""
    with _named(path, state):
        kept = library.keep(file, path)
    print(f"{file} is kept as {kept}")


def _write(path: Path, content: bytes, state: Path) -> None:
    """Write a file that only the owner of the state folder reads, even if root writes it. Raises Unwritable."""
    before = os.umask(_PRIVATE)
    try:
        with _named(path, state):
            made = ownership.missing(path.parent)
            make_folder(path.parent)
            write_whole(path, content)
            ownership.hand_over(*made, path)
    finally:
        os.umask(before)


@contextmanager
def _named(path: Path, state: Path) -> Iterator[None]:
    """Translate the errors of a change to a path in the state folder into Unwritable with a remedy."""
    try:
        yield
    except OSError as error:
        raise Unwritable(state_folder.remedy(error, path, state)) from error


def _reload(config: Path | None) -> int:
    """Have running glasses take the profile. Returns 0. Raises BadInput if they refuse, Silent without an answer."""
    try:
        print(ask_glasses(Reload(), config))
    except Silent as error:
        raise Silent(f"{error}; they take the profile at their next start") from error
    except AbsentDevice:
        print("No running glasses took it: they do at their next start.")
    return 0
