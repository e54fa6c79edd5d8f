"""Safe mode: what was changed since the last good minute is taken back after two starts that did not finish.

A start is unfinished until its first minute of beats is over, or until it is stopped on purpose. Only starts since the
board was switched on count: a battery that is pulled says nothing about a file. What is in use at the end of that
minute is kept as the last good version, in the folder `good` of the state folder.
"""

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from cuelens import config_file
from cuelens_models import regular_file, sha256
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.strict_struct import StrictStruct

Part = Literal["settings", "bundle", "profile"]
"""What a start is made of."""
PARTS: Final[tuple[Part, ...]] = ("settings", "bundle", "profile")
_UNFINISHED: Final = 2
"""So many unfinished starts in a row, and safe mode follows."""
_ABSENT: Final = "none"
"""In place of the digest of a file that does not exist: there is none, and that was good."""


class _Starts(StrictStruct, frozen=True):
    """The file `starts.json`.

    Attributes:
        boot: the kernel's name for the time since the board was switched on.
        starts: in this boot.
        unfinished: of these, those in a row that did not finish.
        by_camera: of these, those that ended because the camera hung.
        good: digests of the parts in use at the last good minute.
        refused: digests of the parts that safe mode has taken back.
    """

    schema: Literal[1] = 1
    boot: str = ""
    starts: int = 0
    unfinished: int = 0
    by_camera: int = 0
    good: dict[Part, str] = msgspec.field(default_factory=dict)
    refused: dict[Part, str] = msgspec.field(default_factory=dict)


class Begun(msgspec.Struct, frozen=True):
    """A start that has begun.

    Attributes:
        starts: how many there were since the board was switched on, this one included.
        taken_back: the parts whose last good version is to be used.
    """

    starts: int = 1
    taken_back: tuple[Part, ...] = ()


class Starts:
    """The record of starts in a state folder. One that cannot be written makes no start fail. Thread-safe."""

    def __init__(self, state: Path, boot: str) -> None:
        """Read the record. state: the state folder. boot: the kernel's name for this boot; "" if it has none."""
        self._file = state / "starts.json"
        self._folder = state / "good"
        self._boot = boot
        self._now: dict[Part, str] = {}
        self._storing = threading.Lock()
        try:
            stored, _ = config_file.read_json(self._file, _Starts) if self._file.exists() else (_Starts(), [])
        except (BadInput, OSError):
            # Its loss costs the memory of failed starts, and nothing of anybody's.
            stored = _Starts()
        fresh = stored.boot != boot
        self._stored = (
            msgspec.structs.replace(stored, boot=boot, starts=0, unfinished=0, by_camera=0) if fresh else stored
        )

    def begin(self, files: Mapping[Part, Path | None]) -> Begun:
        """Note that a start begins, and say which parts it has to take back.

        files: the file of each part; None where it has none of its own.
        """
        self._now = {part: digest(path) for part, path in files.items()}
        stored = self._stored
        refused = {part: one for part, one in stored.refused.items() if self._now.get(part) == one}
        unfinished, by_camera = stored.unfinished, stored.by_camera
        if refused != stored.refused:
            # Somebody changed what was taken back: it is tried anew.
            unfinished = by_camera = 0
        if unfinished >= _UNFINISHED and stored.good:
            # A camera that hangs says nothing about bundle and profile.
            suspects = PARTS if by_camera < unfinished else ("settings",)
            refused |= {
                part: self._now[part]
                for part in suspects
                if part in stored.good and self._now[part] != stored.good[part]
            }
        starts = stored.starts + 1
        self._store(starts=starts, unfinished=unfinished + 1, by_camera=by_camera, refused=refused)
        return Begun(starts, tuple(part for part in PARTS if part in refused))

    def changed(self, part: Part, path: Path | None) -> None:
        """Note that a part was read again while the glasses run: what lies there now is in use."""
        self._now[part] = digest(path)
        refused = {other: one for other, one in self._stored.refused.items() if other != part}
        self._store(refused=refused)

    def finish(self) -> None:
        """Note that this start was stopped on purpose."""
        self._store(unfinished=0, by_camera=0)

    def lost_camera(self) -> None:
        """Note that this start ended because the camera hung."""
        self._store(by_camera=self._stored.by_camera + 1)

    def good(self, files: Mapping[Part, Path | None]) -> str:
        """Keep what is in use as the last good version. Returns an error message, or "".

        A part that was changed on the disk since it was read is left out: what runs is not what lies there. Profiles
        have a keeper of their own (profile/store.py).

        files: the file of each part.
        """
        good: dict[Part, str] = dict(self._stored.good)
        try:
            for part, path in files.items():
                # The path of the bundle comes from the settings.
                refused = {part, "settings"} if part == "bundle" else {part}
                if refused & set(self._stored.refused) or digest(path) != self._now.get(part):
                    continue
                good[part] = self._now[part]
                if part in _NAMES:
                    self._keep(part, path)
        except Unwritable as error:
            return str(error)
        except OSError as error:
            return f"{error.filename} cannot be kept: {error.strerror}"
        self._store(good=good, unfinished=0, by_camera=0)
        return ""

    def kept(self, part: Part) -> Path | None:
        """Return the last good file of the settings or the bundle; None if there was none, or is none any more."""
        path = self._folder / _NAMES[part]
        return path if self._stored.good.get(part) != _ABSENT and path.exists() else None

    def _keep(self, part: Part, path: Path | None) -> None:
        kept = self._folder / _NAMES[part]
        if path is None or not path.exists():
            kept.unlink(missing_ok=True)
        elif digest(path) != digest(kept):
            make_folder(self._folder)
            write_whole(kept, path.read_bytes())

    def _store(self, **changed: object) -> None:
        with self._storing:
            after = msgspec.structs.replace(self._stored, **changed)
            if after == self._stored:
                return
            self._stored = after
            with contextlib.suppress(Unwritable):
                make_folder(self._file.parent)
                write_whole(self._file, msgspec.json.encode(after) + b"\n")


_NAMES: Final[Mapping[Part, str]] = {"settings": "cuelens.toml", "bundle": "bundle.tflite"}


def digest(path: Path | None) -> str:
    """Return a hash of a file's content; the word "none" if there is no file, "unreadable" if it cannot be read."""
    if path is None or not path.exists():
        return _ABSENT
    try:
        if regular_file.fault(path):
            return "unreadable"
        return sha256.digest(path.read_bytes())
    except OSError:
        return "unreadable"
