"""The event stream: passes every event to every reader, in order."""

from collections import deque
from collections.abc import Callable
from typing import Final

from cuelens import events

_QUEUE: Final = 64
"""Length of the queue of faults and presses from other threads. When it is full, the oldest is dropped."""


class EventStream:
    """Passes every event to every reader, in order. Readers run on the thread that runs beats."""

    def __init__(self) -> None:
        self._readers: list[Callable[[events.Event], None]] = []
        self._waiting: deque[Callable[[float], events.Event]] = deque(maxlen=_QUEUE)
        self.t = 0.0
        """Frame time for events from other threads, in seconds: that of the last event, unless the loop sets it."""

    def add(self, reader: Callable[[events.Event], None]) -> None:
        """Add a reader of all later events."""
        self._readers.append(reader)

    def emit(self, event: events.Event) -> None:
        """Pass on an event, then the queue of other threads."""
        self.t = getattr(event, "t", self.t)
        for reader in self._readers:
            reader(event)
        self.flush()

    def post(self, make: Callable[[float], events.Event]) -> None:
        """Queue an event, from any thread. `make` gets its time and is called after the next event or `flush`."""
        self._waiting.append(make)

    def fault(self, fault: str, detail: str) -> None:
        """Queue a fault, from any thread."""
        self.post(lambda t: events.Fault(t=t, fault=fault, detail=detail))

    def flush(self) -> None:
        """Pass on the queue of other threads."""
        while self._waiting:
            event = self._waiting.popleft()(self.t)
            for reader in self._readers:
                reader(event)
