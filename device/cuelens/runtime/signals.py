"""Ends a run on signals: Ctrl-C, SIGTERM and SIGHUP."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """The signal handler. event: set at the first signal. status: exit status for the process."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal. Raises KeyboardInterrupt at a second Ctrl-C."""
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
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
