"""What the wearer has asked for with the button, and what fading remembers: in force at once, and after a restart.

Safe from any thread. The thread of the button writes the file, or one of its own; the one that runs beats never does.
"""

import threading
import time
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cuelens import config_file
from cuelens.types import ASK_S
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.strict_struct import StrictStruct

_Answers = Annotated[tuple[bool, ...], msgspec.Meta(max_length=100)]
"""For each of the last questions, whether the child answered before the glasses."""


class _Stored(StrictStruct, frozen=True):
    """The file `wearer.json` in the state folder. first: what earlier versions called `answered_first`."""

    schema: Literal[1] = 1
    muted: bool = False
    paused: bool = False
    answered_first: _Answers = ()
    first: _Answers | msgspec.UnsetType = msgspec.UNSET


class Wishes:
    """The wearer's wishes. resting: the session is over, and a press begins the next.

    changing: held by whoever changes a wish and puts it into force, so that the last of two is what holds.
    """

    def __init__(self, file: Path | None = None) -> None:
        """file: where they are kept, and read from if it is there; None: nowhere.

        What is damaged counts as nothing asked for, and `fault` says so.
        """
        self.fault = ""
        kept = _Stored()
        if file and file.exists():
            try:
                kept, _ = config_file.read_json(file, _Stored)
            except BadInput as error:
                self.fault = f"{error}; what the button had asked for is forgotten"
        self.muted = kept.muted
        self.paused = kept.paused
        self.answered_first = kept.answered_first or kept.first or ()
        self.resting = False
        self.changing = threading.Lock()
        self._file = file
        self._asked_s: float | None = None
        self._keeping = threading.Lock()

    @property
    def at_rest(self) -> bool:
        """Whether there is to be no camera and no cue."""
        return self.paused or self.resting

    def ask(self) -> None:
        """The wearer wants to know what is shown now."""
        self._asked_s = time.monotonic()

    def take_ask(self) -> bool:
        """Return whether the wearer has asked since this was last called, and a moment ago."""
        asked_s, self._asked_s = self._asked_s, None
        return asked_s is not None and time.monotonic() - asked_s <= ASK_S

    def keep(self) -> str:
        """Write the file whole. Returns what went wrong, or nothing; what was asked for is in force in any case."""
        if self._file is None:
            return ""
        with self._keeping:
            kept = _Stored(muted=self.muted, paused=self.paused, answered_first=self.answered_first)
            try:
                make_folder(self._file.parent)
                write_whole(self._file, msgspec.json.encode(kept))
            except Unwritable as error:
                return f"{error}; after a restart it is forgotten"
        return ""
