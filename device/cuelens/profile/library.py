"""The profiles of a state folder: several, one active, a draft, and what the user of the glasses changes about them.

Nothing of the user's is overwritten: what another profile replaces is kept beside it, as NAME-1.json, NAME-2.json, ...
A household may save for years, so only the last of these versions stay.
"""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, count
from pathlib import Path
from typing import Final

import msgspec

from cuelens import ownership
from cuelens.calibration.correction import Correction
from cuelens.profile import store
from cuelens.profile.cue_book import CueBook
from cuelens.profile.profile import Profile
from cuelens.profile.store import ProfileInForce
from cuelens_models.atomic_file import make_folder, sync_folder, write_whole
from cuelens_models.errors import BadInput

_DRAFT: Final = ".draft.json"
_RECORDED: Final = re.compile(rf"({'|'.join(CueBook.__struct_fields__)})-[1-9][0-9]*")
"""Name of a recording of a calibration; others are the family's own files."""
_KEPT: Final = re.compile(r"(.+)-[1-9][0-9]*")
_MOST: Final = 20
"""Most profiles: a household has a few."""
_VERSIONS: Final = 20
"""Most versions of a profile that are kept."""
FACTORY: Final = b'{"schema": 1}\n'


class Library:
    """The profiles of one state folder. Methods that write raise Unwritable or another OSError."""

    def __init__(self, state: Path, file: Path | None = None) -> None:
        """Read nothing yet.

        Args:
            state: the state folder.
            file: the profile that was named at the start; it is the only one then.
        """
        self._state = state
        self._file = file

    @property
    def active(self) -> Path:
        """The file of the active profile. It need not exist. Raises BadInput if the file `active` names none."""
        return self._file or store.active_path(self._state)

    @property
    def name(self) -> str:
        """The name of the active profile; "" if the file `active` names none."""
        try:
            return self.active.stem
        except BadInput:
            return ""

    @property
    def folder(self) -> Path:
        """The folder of the profiles and of their recordings."""
        return self._file.parent if self._file else self._state / "profiles"

    @property
    def draft(self) -> Path:
        """The file of the draft. It need not exist."""
        return self.folder / _DRAFT

    def names(self) -> list[str]:
        """Return the names of all profiles, sorted. What was replaced and kept is left out.

        A folder is none, and neither is a file with another name than a profile may have: it could not be chosen.
        """
        files = (file for file in self.folder.glob("*.json") if not file.is_dir())
        names = {file.stem for file in files if store.NAME.fullmatch(file.stem)}
        kept = {name for name in names if (match := _KEPT.fullmatch(name)) and match[1] in names}
        active = {self.name} - {""}
        return sorted(active if self._file else names - kept | active)

    def read_active(self) -> ProfileInForce:
        """Read the active profile, or what replaces it."""
        return store.in_force(self._file) if self._file else store.active(self._state)

    def begin(self, language: str) -> bool:
        """Make the first profile, with a language. Returns False if another profile is there, or was chosen.

        A power cut may lie between this and what tells of it, so a second call with the same language returns True.
        """
        content = b'{"schema": 1, "language": "%s"}\n' % language.encode()
        profiles = list(self.folder.glob("*.json"))
        if os.path.lexists(self._state / "active") or any(profile.read_bytes() != content for profile in profiles):
            return False
        self._write(self.active, content)
        return True

    def write_draft(self, content: bytes, use: Callable[[ProfileInForce], object] = lambda _draft: None) -> None:
        """Write and check a draft, and put it into force. If one of these fails, the file is as it was before.

        Args:
            content: of the draft.
            use: puts it into force.

        Raises BadInput if the draft cannot be used, and what `use` raises.
        """
        before = self.draft.read_bytes() if self.draft.exists() else None
        self._write(self.draft, content)
        try:
            use(store.in_force(self.draft))
        except Exception:
            # It would be saved later, though it was refused, or bar every other one.
            if before is None:
                self.draft.unlink()
            else:
                self._write(self.draft, before)
            raise

    def save_draft(self) -> None:
        """Make the draft the active profile. Raises BadInput if there is none.

        What a full disk lets nobody do after that is done by the next save.
        """
        if not self.draft.exists():
            raise BadInput("nothing was changed, so there is nothing to save")
        with suppress(BadInput, OSError):
            # An earlier save may have failed to. This one may bring numbers of its own.
            self.forget_people()
        keep(self.active, self.active)
        self.draft.replace(self.active)
        sync_folder(self.folder)
        if not self._file:
            drop_oldest(self.active)
        with suppress(BadInput, OSError):
            self.forget_people()
        self._prune()

    def discard_draft(self) -> None:
        """Delete the draft, if there is one."""
        if self.draft.exists():
            self.draft.unlink()
            self._prune()

    def choose(self, name: str) -> None:
        """Make a profile the active one. Raises BadInput if there is none of this name."""
        self._refuse_if_named()
        if name not in self.names():
            raise BadInput(f"there is no profile {name}: expected one of {', '.join(self.names())}")
        self._write(self._state / "active", name.encode() + b"\n")

    def create(self, name: str) -> None:
        """Copy the active profile under a new name, and make the copy the active one. Raises BadInput if it exists.

        If its file cannot be used, what replaces it is copied.
        """
        self._refuse_if_named()
        path, names = self.folder / f"{name}.json", self.names()
        if os.path.lexists(path) or name in names:
            raise BadInput(f"there is a profile {name} already: choose another name")
        # One would pass for what the other has replaced: it would be in no list, and be deleted with the other.
        pairs = ((one, name) for one in names), ((name, one) for one in names)
        for longer, shorter in chain(*pairs):
            if (match := _KEPT.fullmatch(longer)) and match[1] == shorter:
                raise BadInput(f"{longer} is how a version of {shorter} is kept: choose another name than {name}")
        if len(names) >= _MOST:
            raise BadInput(f"there are {_MOST} profiles already: delete one first")
        active = self.read_active()
        replacement = FACTORY if active.profile == Profile() else msgspec.json.encode(active.profile)
        self._write(path, active.content or replacement)
        self.choose(name)

    def remove(self, name: str) -> None:
        """Delete a profile, and what it has replaced. Raises BadInput if it is the active one, or none."""
        self._refuse_if_named()
        if name == self.name:
            raise BadInput(f"{name} is in use: choose another profile first")
        if name not in self.names():
            raise BadInput(f"there is no profile {name}: expected one of {', '.join(self.names())}")
        path = self.folder / f"{name}.json"
        for file in (*versions(path), path, self._state / "good" / path.name):
            file.unlink(missing_ok=True)
        self._prune()

    def forget_people(self) -> None:
        """Take the numbers of the household's faces out of what the active profile has replaced, if it has none itself.

        Whoever forgets the faces of a family means them all. The other choices of these versions stay. Raises BadInput
        if the active profile cannot be read, and the OSError of a version that cannot be written, after all others.
        """
        path = self.active
        if self._file or store.decoded(path)[0].people != Correction():
            return
        failures: list[OSError] = []
        for file in (*versions(path), self._state / "good" / path.name):
            try:
                profile, _ = store.decoded(file)
                if profile.people != Correction():
                    self._write(file, msgspec.json.encode(msgspec.structs.replace(profile, people=Correction())))
            except BadInput:
                continue
            except OSError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def record(self, word: str, wav: bytes) -> str:
        """Store a recording beside the profile. Returns its name: a new one, for the one so far may be in use.

        Raises BadInput if it is none that can be played.
        """
        # Imported here: the start of the glasses would pay for it.
        from cuelens.sound import recording

        folder = self.folder
        for number in count(1):
            file = folder / f"{word}-{number}.wav"
            if not os.path.lexists(file):
                break
        self._write(file, wav)
        try:
            recording.read(file)
        except BadInput:
            file.unlink()
            raise
        return file.name

    def reset(self) -> None:
        """Delete all profiles with their recordings and spoken phrases. The factory profile is in force.

        A recording may lie in a folder of its own. What a link points to is not the glasses', and stays.
        """
        # Imported here: the start of the glasses would pay for it.
        import shutil

        self._refuse_if_named()
        # First, for a power cut in between: it would name a profile that is gone.
        (self._state / "active").unlink(missing_ok=True)
        sync_folder(self._state)
        for folder in (self._state / name for name in ("profiles", "good", "phrases")):
            for file in folder.iterdir() if folder.is_dir() else ():
                if file.is_dir() and not file.is_symlink():
                    shutil.rmtree(file)
                else:
                    file.unlink()
            sync_folder(folder)

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file, for the user of the state folder if root does it."""
        made = ownership.missing(path.parent)
        make_folder(path.parent)
        write_whole(path, content)
        ownership.hand_over(*made, path)

    def _prune(self) -> None:
        """Delete recordings of calibrations that no profile names any more, those that were replaced included.

        While a profile cannot be read, all of them stay: nobody knows what it names. A recording that cannot be deleted
        is left to the next call.
        """
        if self._file:
            # Its folder is no folder of the glasses: what lies there under such a name may be the family's own.
            return
        named: set[str] = set()
        for file in (*self.folder.glob("*.json"), *(self._state / "good").glob("*.json")):
            try:
                profile, _ = store.decoded(file)
            except BadInput:
                return
            named |= {Path(entry.recording).name for entry in profile.cues.entries().values() if entry.recording}
        for file in self.folder.glob("*-*.wav"):
            if _RECORDED.fullmatch(file.stem) and file.name not in named:
                with suppress(OSError):
                    file.unlink()

    def _refuse_if_named(self) -> None:
        if self._file:
            raise BadInput(f"the glasses were started with the profile {self._file}: start them without to use others")


def keep(file: Path, path: Path) -> Path | None:
    """Give a file a second name beside `path`, the next of NAME-1.json, ... Returns it; None without a file.

    A file system without second names moves it. Raises OSError.

    Args:
        file: to keep.
        path: of the profile that is about to be replaced.
    """
    if not os.path.lexists(file):
        return None
    last = versions(path)[-1:]
    for number in count(_number(last[0]) + 1 if last else 1):
        kept = path.with_name(f"{path.stem}-{number}.json")
        if os.path.lexists(kept):
            continue
        try:
            os.link(file, kept)
        except FileExistsError:
            continue
        except OSError:
            # A card formatted elsewhere has no second names, and a folder never has.
            file.rename(kept)
        return kept
    raise AssertionError


def versions(path: Path) -> list[Path]:
    """Return what was replaced of a profile and kept, the oldest first. path: of the profile."""
    matches = ((file, _KEPT.fullmatch(file.stem)) for file in path.parent.glob("*-*.json"))
    return sorted((file for file, match in matches if match and match[1] == path.stem), key=_number)


def drop_oldest(path: Path) -> None:
    """Delete the versions of a profile beyond the last 20. path: of the profile, which is written anew already."""
    for file in versions(path)[:-_VERSIONS]:
        # What cannot be deleted costs nothing but its place. The profile is saved, and the next save tries again.
        with suppress(OSError):
            file.unlink()


def _number(version: Path) -> int:
    return int(version.stem.rpartition("-")[2])
