"""Runs the page: its address, its end after idle minutes, and the calibration that it keeps on meanwhile."""

import ipaddress
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import anyio
import uvicorn
from starlette.types import ASGIApp

from cuelens.link.replies import Glasses
from cuelens.link.requests import Watch
from cuelens.page import app
from cuelens.page.connection import HEADER_BYTES, LimitedProtocol
from cuelens.page.glasses import GlassesClient
from cuelens.page.lease import Lease
from cuelens.page.security import NAMES, Rules
from cuelens.page.visit import Page
from cuelens_models.errors import BadInput

PORT: Final = 8080
IDLE_MINUTES: Final = 10.0
_TURN_S: Final = 0.5
_KEEP_ALIVE_S: Final = 15
_EVERYWHERE: Final = ("", "0.0.0.0", "::", "*")  # noqa: S104


def serve(
    host: str,
    port: int,
    paths: Sequence[Path],
    *,
    idle_minutes: float = IDLE_MINUTES,
    show_code: Callable[[str], None] = lambda _code: None,
) -> int:
    """Serve the page until nobody has used it for a while, or until SIGTERM. Returns 0, or 130 after Ctrl-C.

    Args:
        host: address of the one network interface to listen at: that of the access point, or localhost.
        port: its port.
        paths: of the glasses' socket, the first choice first.
        idle_minutes: it ends after so long without a request of a paired phone.
        show_code: is called with each pairing code, besides the glasses.

    Raises BadInput for an address of all interfaces or one that cannot be listened at, AbsentDevice if no glasses are
    running.
    """
    if host in _EVERYWHERE:
        raise BadInput(f"--host is {host or 'empty'}: give the address of one interface, as 10.42.0.1 or localhost")
    glasses = GlassesClient(paths)
    # Say at once that there are no glasses, instead of showing a page that can do nothing.
    watched = glasses.ask_now(Watch())
    lease = Lease(glasses.ask_now)
    page = Page(glasses, lease, show_code=show_code)
    page.used_s = page.clock()
    application = app.make(page, Rules({*NAMES, host.lower()}, peers(host)))
    server = uvicorn.Server(_config(application, host, port))
    told: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        told.append(number)
        server.handle_exit(number, frame)

    # uvicorn has its handlers later, and raises the signal again after it has ended: both would end this process before
    # it leaves the glasses.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    # A page that cannot be served must end no session, and no calibration of another page.
    listener = _listen(host, port)
    try:
        lease.begin()
        anyio.run(_run, server, listener, page, idle_minutes * 60)
    finally:
        # Glasses that lie on a table must not begin to give cues by themselves. Without a button only a session helps.
        lease.close("rest" if isinstance(watched, Glasses) and watched.button else "session")
    return 130 if signal.SIGINT in told else 0


def peers(host: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """Return the networks that phones may be in: this board itself, and the interface's own network."""
    own = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return own
    if address.is_loopback:
        return own
    prefix = 24 if address.version == 4 else 64
    return (*own, ipaddress.ip_network(f"{host}/{prefix}", strict=False))


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises BadInput if it cannot."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError, TypeError) as error:
        # A TypeError is about a host of letters that have no encoding.
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"--port {port} of {host} cannot be used: {why}") from error


async def _run(server: uvicorn.Server, listener: socket.socket, page: Page, idle_s: float) -> None:
    """Serve, and end when nobody uses the page."""
    async with anyio.create_task_group() as group:
        group.start_soon(_end_when_idle, server, page, idle_s)
        await server.serve([listener])
        group.cancel_scope.cancel()


async def _end_when_idle(server: uvicorn.Server, page: Page, idle_s: float) -> None:
    while page.clock() - page.used_s < idle_s:
        await anyio.sleep(_TURN_S)
    server.should_exit = True


def _config(application: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=host,
        port=port,
        http=LimitedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=HEADER_BYTES,
        # Whoever stands before the page may not say who asks.
        proxy_headers=False,
    )
