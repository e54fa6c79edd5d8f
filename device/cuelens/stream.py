"""The stream of events, and the file that keeps it as JSON lines."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from cuelens import events
from cuelens_models.errors import Unwritable


class EventStream:
    """Passes every event to every reader, in order. Safe from any thread."""

    def __init__(self) -> None:
        self._readers: list[Callable[[events.Event], None]] = []
        self._lock = threading.Lock()
        self._t = 0.0

    def add(self, reader: Callable[[events.Event], None]) -> None:
        """Add a reader; it sees what comes after."""
        self._readers.append(reader)

    def emit(self, event: events.Event) -> None:
        """Pass an event on."""
        with self._lock:
            self._t = getattr(event, "t", self._t)
            for reader in self._readers:
                reader(event)

    def fault(self, fault: str, detail: str) -> None:
        """Tell of a fault, at the time of the last event."""
        self.emit(events.Fault(t=self._t, fault=fault, detail=detail))


class EventFile:
    """A reader that writes JSON lines. What matters is flushed at once; readings wait for the next such event."""

    def __init__(self, path: str) -> None:
        """Open the file; "-" is standard output. Raises Unwritable."""
        self._encoder = msgspec.json.Encoder()
        self._line = bytearray()
        self._owned = path != "-"
        try:
            self._file: BinaryIO = Path(path).open("wb") if self._owned else sys.stdout.buffer  # noqa: SIM115 - closed in close
        except OSError as error:
            raise Unwritable(f"events cannot be written to {path}: {error.strerror}") from error

    def __call__(self, event: events.Event) -> None:
        """Write one event."""
        self._encoder.encode_into(event, self._line)
        self._line += b"\n"
        self._file.write(self._line)
        if not isinstance(event, events.Reading):
            self._file.flush()

    def close(self) -> None:
        """Write what waits and close the file."""
        self._file.flush()
        if self._owned:
            self._file.close()
