"""What the wearer has asked for with the button, and what fading remembers: in force at once, and after a restart.

Safe from any thread. It is written by the thread of the button, so a beat that hangs holds nothing up.
"""

import threading
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cuelens import decode
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.whole_file import writable, write_whole


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file `wearer.json` in the state folder."""

    schema: Literal[1] = 1
    muted: bool = False
    paused: bool = False
    first: Annotated[tuple[bool, ...], msgspec.Meta(max_length=100)] = ()


class Wearer:
    """The wearer's wishes. resting: the session is over, and a press begins the next."""

    def __init__(self, file: Path | None = None) -> None:
        """file: where they are kept, and read from if it is there; None: nowhere.

        What is damaged counts as nothing asked for, and `fault` says so.
        """
        self.fault = ""
        kept = _Kept()
        if file and file.exists():
            try:
                kept = decode.read_json(file, _Kept)
            except BadInput as error:
                self.fault = f"{error}; what the button had asked for is forgotten"
        self.muted = kept.muted
        self.paused = kept.paused
        self.first = kept.first
        self.resting = False
        self._file = file
        self._asked = False
        self._lock = threading.Lock()

    def ask(self) -> None:
        """The wearer wants to know what is shown now."""
        self._asked = True

    def take_ask(self) -> bool:
        """Return whether the wearer has asked since this was last called."""
        asked, self._asked = self._asked, False
        return asked

    def keep(self) -> str:
        """Write the file whole. Returns what went wrong, or nothing; what was asked for is in force in any case."""
        if self._file is None:
            return ""
        with self._lock:
            kept = _Kept(muted=self.muted, paused=self.paused, first=self.first)
            try:
                writable(self._file.parent)
                write_whole(self._file, msgspec.json.encode(kept))
            except Unwritable as error:
                return f"{error}; after a restart it is forgotten"
        return ""
