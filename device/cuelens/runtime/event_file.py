"""Writes the event stream to a file as JSON lines."""

import contextlib
import os
import queue
import stat
import threading
from pathlib import Path
from typing import Final

import msgspec

from cuelens import events
from cuelens_models.command import standard_output
from cuelens_models.errors import Unwritable

_QUEUE: Final = 4096
"""Length of the queue of events: four minutes with one face in view."""
_SLICE_S: Final = 0.05
_CLOSE_SLICES: Final = 40
"""So often an ending file is waited for: two seconds, and a machine that stands still meanwhile costs one slice."""


class EventFile:
    """Writes JSON lines on its own thread, so that a pipe without a reader does not block a beat.

    When the queue of 4096 events is full, new events are lost and counted. With `patient` it blocks instead, until
    `stop` is set: for recordings that are played as fast as they can be processed.
    """

    def __init__(self, path: str, *, patient: bool, stop: threading.Event, goes_on: bool = False) -> None:
        """Open the file. Raises Unwritable.

        Args:
            path: the file; "-" is standard output.
            patient: block when the queue is full, instead of losing events.
            stop: ends the blocking.
            goes_on: write behind what the file holds, instead of replacing it.
        """
        self.path = path
        self.lost = 0
        self._patient = patient
        self._stop = stop
        self._failed: OSError | None = None
        self._encoder = msgspec.json.Encoder()
        self._lines: queue.Queue[bytes | None] = queue.Queue(_QUEUE)
        try:
            self._descriptor = os.dup(standard_output().fileno()) if path == "-" else _open(Path(path), goes_on)
        except OSError as error:
            raise self._unwritable(error) from error
        self._is_kept = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._thread = threading.Thread(target=self._write, name="events", daemon=True)
        self._thread.start()

    def __call__(self, event: events.Event) -> None:
        """Queue one event. Raises Unwritable if the thread has failed to write."""
        self._check()
        line = self._encoder.encode(event) + b"\n"
        while True:
            try:
                self._lines.put(line, timeout=_SLICE_S if self._blocks() else 0)
            except queue.Full:
                self._check()
                if self._blocks():
                    continue
                self.lost += 1
            return

    def close(self) -> None:
        """Write the rest of the queue; unless patient, within two seconds. Raises Unwritable if events were lost."""
        slices = 0
        ended = False
        while self._thread.is_alive() and (self._blocks() or slices < _CLOSE_SLICES):
            if not ended:
                with contextlib.suppress(queue.Full):
                    self._lines.put_nowait(None)
                    ended = True
            self._thread.join(_SLICE_S)
            slices += 1
        self._check()
        if self.lost or self._thread.is_alive():
            slow = "the disk" if self._is_kept else "whoever reads them"
            raise Unwritable(f"events to {self.path} were lost: {slow} is too slow")

    def _blocks(self) -> bool:
        return self._patient and not self._stop.is_set()

    def _write(self) -> None:
        """Write the queue, with one call for all lines that wait."""
        ended = False
        try:
            while not ended:
                lines = [self._lines.get()]
                while not self._lines.empty():
                    lines.append(self._lines.get_nowait())
                ended = None in lines
                rest = memoryview(b"".join(line for line in lines if line))
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._failed = error
        finally:
            os.close(self._descriptor)

    def _check(self) -> None:
        if isinstance(self._failed, BrokenPipeError):
            # The reader of standard output has ended (`| head`).
            raise self._failed
        if self._failed:
            raise self._unwritable(self._failed)

    def _unwritable(self, error: OSError) -> Unwritable:
        return Unwritable(f"events cannot be written to {self.path}: {error.strerror or error}")


def _open(path: Path, goes_on: bool) -> int:
    """Open for writing. A FIFO without a reader fails at once instead of blocking."""
    begin = os.O_APPEND if goes_on else os.O_TRUNC
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | begin | os.O_NONBLOCK, 0o666)
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.set_blocking(descriptor, True)
    return descriptor
