"""The reader of events that keeps the story of a run, whatever profile is in force."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cuelens import events
from cuelens.profile.profile import Profile
from cuelens.story.writer import Writer

TRIED: Final = "try"
"""Kind of a cue that was given to try it."""


class Story:
    """The reader of events that keeps the story. Cues that are only tried are no part of it.

    Nor are calibrations: no session runs then. The writer still has to know who mutes and who is in view when it ends.
    """

    def __init__(self, path: Path, profile: Profile, fault: Callable[[str, str], None]) -> None:
        """Begin to write. path: of the story. fault: is called with the name and the details of each fault."""
        self._path = path
        self._fault = fault
        self._writer = self._open(profile)

    def __call__(self, event: events.Event) -> None:
        """Take an event."""
        if not (isinstance(event, events.CueGiven) and event.kind == TRIED):
            self._writer(event)

    def see(self, *_frame: object) -> None:
        """Note a frame: a session without any is not written."""
        self._writer.see()

    def change(self, profile: Profile) -> Callable[[], None]:
        """Write as another profile says from now on, between two sessions. Returns what ends the writing so far."""
        before, self._writer = self._writer, self._open(profile)
        return before.close

    def close(self) -> None:
        """Write what waits."""
        self._writer.close()

    def _open(self, profile: Profile) -> Writer:
        return Writer(self._path, self._fault, mode=profile.mode, school=profile.school)
