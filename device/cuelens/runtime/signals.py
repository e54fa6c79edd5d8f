"""Signals: Ctrl-C and SIGTERM end a run. SIGHUP ends one on a terminal, and elsewhere has its files read again."""

import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """The signal handler.

    Attributes:
        event: set at the first signal that ends the run.
        status: exit status for the process.
        reloads: gets an item for each SIGHUP that asks for a reload. It is of the kind that a signal handler may use
            whatever it interrupts. Signals of one kind that come together count as one.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0
        self.reloads: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._on_terminal = _has_terminal()
        self._anew = False
        self._signalled = False

    @property
    def begins_anew(self) -> bool:
        """Whether the process starts itself again after the run: no signal ends it for good."""
        return self._anew and not self._signalled

    def begin_anew(self) -> None:
        """End the run, to begin anew."""
        self._anew = True
        self.event.set()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. Raises KeyboardInterrupt at a second Ctrl-C."""
        if number == signal.SIGHUP and not self._on_terminal:
            self.reloads.put(True)
            return
        self._signalled = True
        if number == signal.SIGINT:
            self.status = 128 + signal.SIGINT
            if self.event.is_set():
                # The second Ctrl-C ends the process at once.
                raise KeyboardInterrupt
        self.event.set()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Handle Ctrl-C, SIGTERM and SIGHUP within this block. A signal that was ignored (nohup) stays ignored."""
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    # One that came while a process began anew is delivered now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    try:
        yield stop
    finally:
        if stop.begins_anew:
            # It would end the process before the next run handles it. What it asks for, that run reads in any case.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
            del before[signal.SIGHUP]
        for number, handler in before.items():
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Tell whether a terminal controls this process: the kernel sends SIGHUP when it goes."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
