"""What holds for every request before any screen sees it: who asks, under which name, from where, and how much."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES: Final = ("localhost", "127.0.0.1", "cuelens.local", "10.42.0.1")
"""What the page may be called by. Another name in the Host header is a trick of a page elsewhere (DNS rebinding)."""
BODY_S: Final = 10.0
"""Deadline of a whole body."""
MOST_BYTES: Final = 160_000
"""Largest body of any kind: three seconds of a voice are 132 kB."""
LONGEST_PATH: Final = 300
"""In letters: in an address a letter of another alphabet is up to twelve bytes."""
_MOST_DIGITS: Final = 15
"""Of the length of a body. Python reads no number of more than 4300 digits."""
_METHODS: Final = ("GET", "HEAD", "POST")
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-resource-policy": "same-origin",
}
_SUCCESS: Final = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
PROBES: Final = {
    **dict.fromkeys(("/generate_204", "/gen_204"), (204, "")),
    **dict.fromkeys(("/hotspot-detect.html", "/library/test/success.html"), (200, _SUCCESS)),
    **dict.fromkeys(("/success.txt", "/canonical.html"), (200, "success\n")),
    "/connecttest.txt": (200, "Microsoft Connect Test"),
    "/ncsi.txt": (200, "Microsoft NCSI"),
}
"""What phones ask a new network to see whether it leads to the internet, and the answer that keeps them connected."""


@dataclass(frozen=True, slots=True)
class Rules:
    """names: allowed in the Host header. peers: networks of phones; empty for any."""

    names: Collection[str] = NAMES
    peers: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()


class TooLarge(ValueError):
    """A body over its limit."""


class Guard:
    """The outermost layer: refuses what no browser of a caregiver sends, and adds the headers of every answer."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        """Stand before an application."""
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(message["headers"])
            await send(message)

        if refusal := self._refusal(scope):
            await refusal(scope, receive, send_with_headers)
            return
        await self._app(scope, _Body(receive).receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            return PlainTextResponse("this is no request of the page", 405, {"allow": ", ".join(_METHODS)})
        if not self._is_near(scope):
            return PlainTextResponse("only a phone in the network of the glasses may ask", 403)
        if scope["method"] == "GET" and (probe := PROBES.get(scope["path"])):
            status, text = probe
            return Response(text, status, media_type="text/html" if text.startswith("<") else "text/plain")
        if host_name(headers.get("host", "")) not in self._rules.names:
            return PlainTextResponse("open the page as http://cuelens.local or http://10.42.0.1", 400)
        if len(scope["path"]) > LONGEST_PATH:
            return PlainTextResponse("there is no such page", 404)
        if scope["method"] == "POST":
            if not is_same_origin(headers):
                return PlainTextResponse("this was sent by a page elsewhere, and is not done", 403)
            length = headers.get("content-length", "0")
            if not length.isdecimal() or len(length) > _MOST_DIGITS:
                return PlainTextResponse("the length of what was sent is no number", 400)
            if int(length) > MOST_BYTES:
                return PlainTextResponse("what was sent is too large", 413, {"connection": "close"})
        return None

    def _is_near(self, scope: Scope) -> bool:
        if not self._rules.peers:
            return True
        try:
            peer = ipaddress.ip_address((scope.get("client") or ("", 0))[0])
        except ValueError:
            return False
        return any(peer in network for network in self._rules.peers)


class _Body:
    """Counts what is received, and waits no longer than its deadline."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._deadline_s: float | None = None
        self._bytes = 0
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            # The request has come; what comes now is that the phone has gone, whenever that is.
            return await self._receive()
        if self._deadline_s is None:
            self._deadline_s = anyio.current_time() + BODY_S
        with anyio.fail_after(self._deadline_s - anyio.current_time()):
            message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > MOST_BYTES:
            raise TooLarge("what was sent is too large")
        return message


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port, in lower case."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and ":" in host else host
    return name.strip("[]").rstrip(".").lower()


def is_same_origin(headers: Headers) -> bool:
    """Tell whether a post comes from the page itself, by what the browser says.

    Browsers leave Sec-Fetch-Site out where there is no https. The origin says it then; under the referrer policy of the
    page its own forms have it ("no-referrer" would make it "null"). Who sends neither is no browser, and the token of
    the form decides.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    own = f"http://{headers.get('host', '')}".lower()
    return headers.get("origin", own).lower() == own


def _completed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    added = dict(_HEADERS)
    if b"cache-control" not in present:
        added["cache-control"] = "no-store"
    return [*headers, *((name.encode(), value.encode()) for name, value in added.items())]
