"""The stream of events: every reader sees every event, in order."""

from collections import deque
from collections.abc import Callable
from typing import Final

from cuelens import events

_KEPT: Final = 64
"""Faults and presses that may wait for the next turn of the loop."""


class EventStream:
    """Passes every event to every reader, in order, on the thread that emits: the one that runs beats."""

    def __init__(self) -> None:
        self._readers: list[Callable[[events.Event], None]] = []
        self._waiting: deque[Callable[[float], events.Event]] = deque(maxlen=_KEPT)
        self.t = 0.0
        """The time that what other threads tell is given: that of the last event, unless somebody knows better."""

    def add(self, reader: Callable[[events.Event], None]) -> None:
        """Add a reader; it sees what comes after."""
        self._readers.append(reader)

    def emit(self, event: events.Event) -> None:
        """Pass an event on, and then what other threads told meanwhile."""
        self.t = getattr(event, "t", self.t)
        for reader in self._readers:
            reader(event)
        self.flush()

    def post(self, make: Callable[[float], events.Event]) -> None:
        """Tell of something from any thread; `make` is given the time, after the next event or at the next turn."""
        self._waiting.append(make)

    def fault(self, fault: str, detail: str) -> None:
        """Tell of a fault, from any thread."""
        self.post(lambda t: events.Fault(t=t, fault=fault, detail=detail))

    def flush(self) -> None:
        """Pass on what other threads told."""
        while self._waiting:
            event = self._waiting.popleft()(self.t)
            for reader in self._readers:
                reader(event)
