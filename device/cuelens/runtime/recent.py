"""What happened lately, for somebody who asks now and then: cues, presses, and why a profile was refused."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from cuelens import events

_KEPT: Final = 50


class Happening(msgspec.Struct, frozen=True):
    """A cue or a press. number: 1 for the first. kind: press, or that of the cue. s: of the clock."""

    number: int
    kind: str
    word: str
    s: float


class Recent:
    """A reader of the event stream. Written by the thread that runs beats, read by others.

    Attributes:
        refused: why a profile was refused last; "" once another is in force.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.refused = ""
        self._clock = clock
        self._happenings: deque[Happening] = deque(maxlen=_KEPT)
        self._number = 0

    def __call__(self, event: events.Event) -> None:
        """Take an event."""
        match event:
            case events.CueGiven():
                self._add(event.kind, event.word)
            case events.Press():
                self._add("press", event.gesture)
            case events.Fault() if event.fault == "profile damaged":
                self.refused = event.detail

    def since(self, number: int) -> tuple[Happening, ...]:
        """Return what happened after a number, the oldest first."""
        return tuple(happening for happening in tuple(self._happenings) if happening.number > number)

    def _add(self, kind: str, word: str) -> None:
        self._number += 1
        self._happenings.append(Happening(self._number, kind, word, self._clock()))
