"""The wearer's wishes from the button, and the history of fading. They hold at once and survive a restart.

Thread-safe. The thread of the button or a short-lived one writes the file, never the thread that runs beats.
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
"""For each of the last questions, whether the wearer answered first."""


class _Stored(StrictStruct, frozen=True):
    """The file `wearer.json` in the state folder. first: `answered_first` in files of earlier versions."""

    schema: Literal[1] = 1
    muted: bool = False
    paused: bool = False
    answered_first: _Answers = ()
    first: _Answers | msgspec.UnsetType = msgspec.UNSET


class Wishes:
    """The wearer's wishes.

    Attributes:
        muted: no unasked cue, and no voice.
        paused: the camera is off, until the gesture is repeated.
        resting: the session is over, and a press begins the next.
        answered_first: the history of fading.
        changing: lock to hold while changing a wish and applying it, so that the last change wins.
        fault: why the file could not be read; "" if it could.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Read the file if it exists; None: store nothing. A damaged file sets `fault`, and all wishes are off."""
        self.fault = ""
        stored = _Stored()
        if file and file.exists():
            try:
                stored, _ = config_file.read_json(file, _Stored)
            except BadInput as error:
                self.fault = f"{error}; what the button had asked for is forgotten"
        self.muted = stored.muted
        self.paused = stored.paused
        self.answered_first = stored.answered_first or stored.first or ()
        self.resting = False
        self.changing = threading.Lock()
        self._file = file
        self._press_s: float | None = None
        self._writing = threading.Lock()

    @property
    def at_rest(self) -> bool:
        """Whether camera and cues are off: paused or resting."""
        return self.paused or self.resting

    def ask(self) -> None:
        """Record a press: "what now?"."""
        self._press_s = time.monotonic()

    def take_ask(self) -> bool:
        """Tell whether a press came since the last call and not too long ago, and clear it."""
        press_s, self._press_s = self._press_s, None
        return press_s is not None and time.monotonic() - press_s <= ASK_S

    def forget(self) -> None:
        """Forget the history of fading, in the file too. The other wishes stay. Raises OSError."""
        self.answered_first = ()
        if self._file:
            with self._writing:
                # On a full disk no new file takes its place: then a restart forgets the other wishes too.
                self._file.unlink(missing_ok=True)
        self.keep()

    def keep(self) -> str:
        """Write the file atomically. Returns an error message, or ""; the wishes hold in any case."""
        if self._file is None:
            return ""
        with self._writing:
            stored = _Stored(muted=self.muted, paused=self.paused, answered_first=self.answered_first)
            try:
                make_folder(self._file.parent)
                write_whole(self._file, msgspec.json.encode(stored))
            except Unwritable as error:
                return f"{error}; after a restart it is forgotten"
        return ""
