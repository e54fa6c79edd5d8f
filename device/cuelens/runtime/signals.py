"""How a run is asked to end from outside: Ctrl-C, SIGTERM and SIGHUP."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """How a run is asked to end from outside, and what the process says about it afterwards."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take a signal. Raises KeyboardInterrupt at a second Ctrl-C."""
        if number == signal.SIGINT:
            self.status = 128 + signal.SIGINT
            if self.event.is_set():
                # Asked twice by hand: end it the hard way.
                raise KeyboardInterrupt
        self.event.set()


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """End a run on Ctrl-C, SIGTERM and SIGHUP; one that is ignored (nohup) stays ignored."""
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
