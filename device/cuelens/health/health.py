"""The health of a run: its state, and every fault that was reported, with how often and how long ago."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec

from cuelens import events

_MOST: Final = 30
"""Most faults that are kept; the one that was reported longest ago goes first."""


class Reported(msgspec.Struct, frozen=True):
    """A fault that was reported.

    Attributes:
        fault: its name.
        detail: the sentence that came with it last.
        times: how often it was reported.
        s: when it was reported last, on the clock.
    """

    fault: str
    detail: str
    times: int
    s: float


class Health:
    """A reader of the event stream. Written by the thread that runs beats, read by others.

    Attributes:
        state: the last statistics; None before the first.
        began_s: begin of the run, on the clock.
        cues: how many cues were given, by kind.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin. clock: steady, in seconds."""
        self.state: events.State | None = None
        self.began_s = clock()
        self.cues: Counter[str] = Counter()
        self._clock = clock
        self._faults: dict[str, Reported] = {}

    def __call__(self, event: events.Event) -> None:
        """Take an event."""
        match event:
            case events.State():
                self.state = event
            case events.CueGiven():
                self.cues[event.kind] += 1
            case events.Fault():
                self._note(event)

    def state_name(self, beats: int) -> str:
        """Return the state of the run.

        A run tells every state but running at once; that one it tells with the first statistics, after five seconds.

        beats: so many were done. Before the first one the glasses are starting.
        """
        return self.state.state if self.state else "running" if beats else "starting"

    def faults(self) -> tuple[Reported, ...]:
        """Return the faults, the latest first."""
        return tuple(reversed(self._faults.copy().values()))

    def age_s(self, since_s: float) -> float:
        """Return the time since a moment of the clock, in seconds."""
        return max(self._clock() - since_s, 0.0)

    def _note(self, event: events.Fault) -> None:
        # Readers on other threads see the old faults or the new ones, never a part.
        faults = self._faults.copy()
        before = faults.pop(event.fault, None)
        faults[event.fault] = Reported(event.fault, event.detail, before.times + 1 if before else 1, self._clock())
        if len(faults) > _MOST:
            del faults[next(iter(faults))]
        self._faults = faults
