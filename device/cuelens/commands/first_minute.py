"""A start of the service until its first minute of beats is over: then what it uses is good, and is kept.

Whoever types a command names its inputs, and sees what becomes of it: safe mode is for the service alone.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from cuelens import settings
from cuelens.frame import Frame
from cuelens.health import board
from cuelens.health.safe_mode import Begun, Part, Starts
from cuelens.profile import store
from cuelens.profile.store import ProfileInForce
from cuelens.settings import Settings
from cuelens_models.errors import BadInput, CameraLost

_MINUTE_S: Final = 60.0


class Attempt(msgspec.Struct, frozen=True):
    """A start that has begun. starts: the record of starts; None outside a service. begun: what it has to take back."""

    starts: Starts | None = None
    begun: Begun = msgspec.field(default_factory=Begun)

    def why(self) -> str:
        """Return the sentence about what is taken back; "" if nothing is."""
        parts = self.begun.taken_back
        if not parts:
            return ""
        names = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
        return (
            f"two starts ended before their first minute was over: what was changed in {names} is taken back, and tried"
            " anew once it is changed again"
        )

    def kept(self, part: Part) -> Path | None:
        """Return the last good file of a part that is taken back."""
        return self.starts.kept(part) if self.starts else None


@contextmanager
def attempted(*, typed: bool) -> Iterator[Attempt]:
    """Begin a start, and end it: by an error it is unfinished, by a stop it is not. typed: a file was named."""
    if typed or "NOTIFY_SOCKET" not in os.environ:
        yield Attempt()
        return
    # Not places.state: settings that cannot be read must not hide it.
    starts = Starts(Settings().state_dir(), board.boot_id())
    attempt = Attempt(starts, starts.begin(files()))
    try:
        yield attempt
    except CameraLost:
        starts.lost_camera()
        raise
    starts.finish()


def files() -> dict[Part, Path | None]:
    """Return the files of the parts, as they lie on the disk now."""
    path = settings.usual_path()
    try:
        setup = settings.read(path)
    except BadInput:
        setup = Settings()
    try:
        profile: Path | None = store.active_path(setup.state_dir())
    except BadInput:
        profile = None
    return {"settings": path, "bundle": Path(setup.places.bundle) if setup.places.bundle else None, "profile": profile}


class FirstMinute:
    """Keeps what is in use as the last good version, after a minute of beats. A watcher of the loop.

    A profile that replaces another one has a minute of its own.
    """

    def __init__(self, attempt: Attempt, state: Path, active: ProfileInForce, complain: Callable[[str], None]) -> None:
        """Begin to wait.

        Args:
            attempt: the start.
            state: the state folder.
            active: the profile in force.
            complain: is called with a sentence if something cannot be kept.
        """
        self._attempt = attempt
        self._state = state
        self._active = active
        self._complain = complain
        self._due_t = math.inf
        self._begun = False

    def see(self, frame: Frame, *_decision: object) -> None:
        """Note a beat."""
        if not self._begun:
            self._begun = True
            self._due_t = frame.t + _MINUTE_S
        elif frame.t >= self._due_t:
            self._due_t = math.inf
            # No beat waits for the disk. Not a daemon thread: the process waits for the last write.
            threading.Thread(target=self._keep, args=(self._active,), name="keep good").start()

    def use(self, active: ProfileInForce) -> None:
        """Note another profile in force, between two beats."""
        self._active = active
        self._begun = False
        if self._attempt.starts and active.content:
            self._attempt.starts.changed("profile", active.folder / f"{active.name}.json")

    def _keep(self, active: ProfileInForce) -> None:
        # For the image, which then keeps the root that it has just updated. A full disk is no reason against it.
        if folder := os.environ.get("RUNTIME_DIRECTORY"):
            with suppress(OSError):
                Path(folder, "good").touch()
        trouble = store.keep_good(self._state, active)
        if self._attempt.starts and not trouble:
            trouble = self._attempt.starts.good(files())
        if trouble:
            self._complain(trouble)
