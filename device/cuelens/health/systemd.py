"""Notifications to systemd (sd_notify(3)): ready, alive, status; and the exit status that it does not retry."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Final

from cuelens_models.errors import MissingExtra

_EVERY_S: Final = 0.5
"""Shortest interval between two watchdog messages. The watchdog's own deadline is three seconds."""
_START_S: Final = 60
"""Time that a step of a start may take, and a process that starts itself again: TimeoutStartSec of the unit."""


class Notify:
    """The datagram socket that systemd names in NOTIFY_SOCKET."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if address else None
        self._last_s = 0.0

    def starting(self, text: str) -> None:
        """Report what a start is at, and ask for more time: a small board's first start reads everything from its card.

        The unit's TimeoutStartSec holds until the first of these messages; each gives as much time again.
        """
        self._send(f"STATUS=starting: {text}\nEXTEND_TIMEOUT_USEC={_START_S * 1_000_000}")

    def ready(self) -> None:
        """Report that the daemon serves: requests are answered, and frames are awaited."""
        self._send("READY=1\nSTATUS=ready: the first picture is awaited")
        if usual := os.environ.get("WATCHDOG_USEC"):
            # A process that has begun anew had asked for longer.
            self._send(f"WATCHDOG_USEC={usual}")

    def turned(self) -> None:
        """Reset the watchdog: a turn of the beat loop ended. A timer must never call this: it is the proof of work."""
        now = time.monotonic()
        if self._socket and now - self._last_s >= _EVERY_S:
            self._last_s = now
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """Report that the daemon is about to end."""
        self._send("STOPPING=1")

    def begins_anew(self) -> None:
        """Report that this process starts itself again: meanwhile no turn of the loop can reset the watchdog."""
        longer = f"\nWATCHDOG_USEC={_START_S * 1_000_000}" if "WATCHDOG_USEC" in os.environ else ""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=beginning anew{longer}")

    def _send(self, message: str) -> None:
        if self._socket:
            # A missing or full socket must not delay a beat.
            with contextlib.suppress(OSError):
                self._socket.sendto(message.encode(), self._address)


class NotRetried(MissingExtra):
    """A missing package: a start that no retry can mend, by its exit status (RestartPreventExitStatus of the unit)."""

    exit_status = 69


@contextlib.contextmanager
def without_retry() -> Iterator[None]:
    """Raise NotRetried in place of MissingExtra or any other ImportError, in a service."""
    try:
        yield
    except ImportError as error:
        if "NOTIFY_SOCKET" not in os.environ:
            raise
        sentence = str(error) if isinstance(error, MissingExtra) else f"{error}: install cuelens again"
        raise NotRetried(sentence) from error
