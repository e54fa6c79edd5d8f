"""What a phone posts to the caregiver's page: any body to any of its addresses, as the paired phone."""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.fuzzing.target import Target
from starlette.routing import Route

from cuelens.link import messages, replies, requests
from cuelens.link.requests import Request
from cuelens.page import app, forms
from cuelens.page.gate import Gate
from cuelens.page.glasses import GlassesClient, R
from cuelens.page.lease import Lease
from cuelens.page.pairing import Pairing
from cuelens.page.security import Guard
from cuelens.page.view import COOKIE, VISITOR
from cuelens.page.visit import Page, Visit
from cuelens.profile.profile import Profile
from cuelens_models.errors import BadInput

_FACTORY = msgspec.json.encode(Profile())
_TOKEN = "token"  # noqa: S105 - of nothing
_NOBODY = replies.Collected(shown=None, seconds={}, face=False)


class _Glasses(GlassesClient):
    """Answers at once, with what real glasses might say. What is asked goes through the messages of the link."""

    def __init__(self) -> None:
        super().__init__([])

    async def run(self, function: Callable[..., R], *arguments: Any) -> R:
        return function(*arguments)

    def ask_now(self, request: Request) -> replies.Reply:
        line = messages.encode(request)
        if len(line) > messages.MOST_BYTES:
            raise BadInput("the message is too long")
        match messages.request(line[:-1]):
            case requests.Draft(profile=profile):
                try:
                    msgspec.json.decode(profile, type=Profile)
                except (msgspec.MsgspecError, RecursionError) as error:
                    raise BadInput(str(error)) from error
            case requests.ReadProfile():
                return replies.Profiles(
                    profile=msgspec.Raw(_FACTORY), name="mia", names=("mia", "ben"), draft=True, waiting=False
                )
            case requests.Watch():
                return _watched()
            case requests.ReadStory():
                return replies.Story(day="", sessions=(), more=0)
            case requests.ReadTable():
                return replies.Table(text="session\n", following=None)
            case requests.Correct():
                return replies.Corrected(helped=True, before={"happy": 0.5}, after={"happy": 0.6})
        return replies.Done(text="done")


def _watched() -> replies.Glasses:
    happened = replies.Happening(number=1, kind="expression", word="happy", ago_s=1.0)
    quiet = dict.fromkeys(("muted", "paused", "under_voltage", "strained"), False)
    works = dict.fromkeys(("calibrating", "button", "speaks", "light", "clock_set"), True)
    return replies.Glasses(
        title="cuelens",
        state="running",
        temperature_c=40.0,
        profile="mia",
        refused="",
        warnings=(),
        taken_back=("profile",),
        faults=("no sound",),
        faces=1,
        happenings=(happened,),
        collected=_NOBODY,
        time_s=0.0,
        **quiet,
        **works,
    )


class _Served:
    """The application with its paired phone."""

    def __init__(self) -> None:
        steps = itertools.count(0, 100)
        glasses = _Glasses()
        lease = Lease(glasses.ask_now, lambda: 0.0, every_s=3600.0)
        lease.begin()
        self.page = Page(glasses, lease, clock=lambda: float(next(steps)), set_time=lambda _seconds: None)
        self.app = app.make(self.page)
        self.loop = asyncio.new_event_loop()
        self.paths = tuple(self._paths())

    def _paths(self) -> list[str]:
        assert isinstance(self.app, Guard)
        # A gate that makes the same routes, to list them.
        gate = Gate(self.page)
        routes: list[Route] = [route for room in app._ROOMS for route in room.routes(gate)]  # noqa: SLF001
        posted = [route.path for route in routes if route.methods and "POST" in route.methods]
        return [
            path.replace("{word}", "happy").replace("{group}", "sound").replace("{step}", "cues") for path in posted
        ] + [f"/more/{group.key or 'general'}" for group in forms.groups(forms.schema(), {})]

    def _pair(self) -> None:
        """Forget what the last post did: the phone may have left, or wait after wrong codes."""
        self.page.pairing = Pairing(draw_token=lambda: _TOKEN)
        self.page.pairing.attempt(self.page.pairing.code, 0.0)
        self.page.visit = Visit(csrf=_TOKEN)
        self.page.lease.on = True

    def post(self, path: str, kind: str, body: bytes) -> int:
        """Post a body. Returns the status. An error in the application comes out."""
        self._pair()
        sent: list[Any] = []
        pieces = iter([{"type": "http.request", "body": body, "more_body": False}])
        headers = {
            "host": "cuelens.local",
            "cookie": f"{COOKIE}={_TOKEN}; {VISITOR}={_TOKEN}",
            "content-type": kind,
            "x-cuelens": _TOKEN,
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }

        async def receive() -> Any:
            return next(pieces, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            sent.append(message)

        self.loop.run_until_complete(self.app(scope, receive, send))  # type: ignore[arg-type]
        return int(sent[0]["status"])


_served = cache(_Served)


def _posted(content: bytes, folder: Path) -> None:
    served = _served()
    head, body = content[:1], content[1:]
    number = head[0] if head else 0
    path = served.paths[number % len(served.paths)]
    kind = "audio/wav" if path.endswith("/record") else "application/x-www-form-urlencoded"
    status = served.post(path, kind, body)
    assert status < 500 or status == 503, status


def _posts() -> Sequence[bytes]:
    served = _served()
    seeds = [bytes([number]) + b"name=mia&sure=yes&place=2&shown=sad" for number in range(len(served.paths))]
    filled = []
    for group in forms.groups(forms.schema(), json.loads(_FACTORY)):
        fields = [f"{one.key}={one.value}" for one in forms.leaves(group.fields)]
        fields += [
            f"{one.key}{forms.SHOWN}=1&{one.key}{forms.PRESENCE}={forms.OWN}" for one in forms.leaves(group.fields)
        ]
        place = served.paths.index(f"/more/{group.key or 'general'}")
        filled.append(bytes([place]) + "&".join(fields).replace(" ", "+").encode())
    imported = bytes([served.paths.index("/profiles/import")]) + b"profile={%22schema%22:+1}"
    return [*seeds, *filled, imported]


_KEYS = tuple(one.key for group in forms.groups(forms.schema(), {}) for one in forms.leaves(group.fields))
TARGET = Target(
    "form", _posted, _posts, (*_KEYS, "!=1", "?=(own)", "?=(none)", "?=(usual)", "%ed%a0%80", "-", "1e999", "9" * 40)
)
