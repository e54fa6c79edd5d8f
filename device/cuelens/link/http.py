"""The one thing that is told in HTTP: metrics, as Prometheus reads them.

A message of the link begins with a brace and a request of HTTP with its method, so both share the socket.
"""

from collections.abc import Callable
from typing import Final

_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def asked(line: bytes) -> bool:
    """Whether the first line of a connection is a request of HTTP."""
    return line.startswith(b"GET ")


def answer(line: bytes, metrics: Callable[[], str]) -> bytes:
    """Return the response to a GET. line: the first of the request. metrics: returns the metrics as text."""
    _, place, *_ = (*line.split(), b"")
    if place.partition(b"?")[0] == b"/metrics":
        return _response("200 OK", metrics())
    return _response("404 Not Found", "there is only /metrics\n")


def _response(status: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.0 {status}\r\nContent-Type: {_TYPE}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
