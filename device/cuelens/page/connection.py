"""Connections that take too long: uvicorn itself waits for ever for the rest of a header, and for who does not read."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_S: Final = 10.0
"""Deadline of a request's header."""
UNREAD_S: Final = 20.0
"""Deadline of a phone that reads nothing of what waits for it."""
MOST: Final = 24
"""Connections at once. A browser opens six."""
HEADER_BYTES: Final = 16_384


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with deadlines and a bound on connections."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or end it if there are too many."""
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
            return
        self._await_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop("_deadline")
        self._stop("_unread")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request. The header of the next one has the deadline from its first piece on."""
        super().data_received(data)
        if self._is_in_request():
            self._stop("_deadline")
        elif self._deadline is None:
            self._await_header()

    def pause_writing(self) -> None:
        """Begin to wait for a phone that does not read."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the phone has read."""
        self._stop("_unread")
        super().resume_writing()

    def _is_in_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_header(self) -> None:
        self._deadline = self.loop.call_later(HEADER_S, self._expire)

    def _expire(self) -> None:
        self._deadline = None
        if not self._is_in_request() and not self.transport.is_closing():
            self.transport.abort()

    def _stop(self, name: str) -> None:
        timer: Any = getattr(self, name, None)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)
