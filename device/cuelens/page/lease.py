"""Keeps the calibration on while the page lives: the phone may sleep, the glasses must not think that it left."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final, Literal

from cuelens.link.replies import Reply
from cuelens.link.requests import Calibrate, Leave, Request
from cuelens_models.errors import BadInput, CuelensError

EVERY_S: Final = 15.0
"""The glasses end a calibration 45 s after the last message."""


class Lease:
    """Sends `Calibrate` on a thread of its own, until it is closed or let go.

    Attributes:
        on: the calibration is wanted.
    """

    def __init__(
        self, ask: Callable[[Request], Reply], clock: Callable[[], float] = time.monotonic, every_s: float = EVERY_S
    ) -> None:
        """ask: sends a request to the glasses. clock: steady, in seconds."""
        self._ask = ask
        self._clock = clock
        self._every_s = every_s
        self._cues_until_s = float("-inf")
        self._wake = threading.Event()
        self._closing = False
        self._sending = threading.Lock()
        self.on = True
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def begin(self) -> None:
        """Begin the calibration."""
        self._thread.start()

    def cues_until(self, end_s: float) -> None:
        """Let cues come as usual until a time of the clock; the past for no longer."""
        self._cues_until_s = end_s
        self._wake.set()

    def renew(self) -> None:
        """Begin the calibration again, at once. Raises AbsentDevice, or BadInput if the glasses refuse."""
        self.on = True
        self._send()

    def leave(self, request: Leave) -> Reply:
        """End the calibration. Errors as of `renew`."""
        with self._sending:
            self.on = False
            try:
                return self._ask(request)
            except BadInput:
                # Refused, so it is still on, and the page is still here.
                self.on = True
                raise

    def close(self, then: Literal["session", "rest"] = "session") -> None:
        """End the thread, and the calibration if it is still on. then: what follows it."""
        self._closing = True
        self._wake.set()
        self._thread.join(self._every_s)
        if self.on:
            with contextlib.suppress(CuelensError):
                self.leave(Leave(then=then))

    def _run(self) -> None:
        while not self._closing:
            with contextlib.suppress(CuelensError):
                # Glasses that start again find the calibration wanted at the next turn.
                self._send()
            rest_s = self._cues_until_s - self._clock()
            self._wake.wait(min(self._every_s, rest_s) if rest_s > 0 else self._every_s)
            self._wake.clear()

    def _send(self) -> None:
        with self._sending:
            if self.on:
                self._ask(Calibrate(cues=self._clock() < self._cues_until_s))
