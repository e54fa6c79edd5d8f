"""Telling systemd: ready, alive, and how it goes (sd_notify(3)). Does nothing when systemd does not listen."""

import contextlib
import os
import socket
import time
from typing import Final

_EVERY_S: Final = 0.5
"""A beat is told of at most this often: the watchdog waits three seconds."""


class Notify:
    """The datagram socket that systemd names in NOTIFY_SOCKET."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) if address else None
        self._told_s = 0.0

    def ready(self) -> None:
        """The daemon serves."""
        self._send("READY=1")

    def turned(self) -> None:
        """A turn of the beat loop ended. Never call this from a timer: it is the evidence of work."""
        now = time.monotonic()
        if self._socket and now - self._told_s >= _EVERY_S:
            self._told_s = now
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Set the line that `systemctl status` shows."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """The daemon is about to end."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if self._socket:
            # A listener that is gone or does not read must not hold up a beat.
            with contextlib.suppress(OSError):
                self._socket.sendto(message.encode(), self._address)
