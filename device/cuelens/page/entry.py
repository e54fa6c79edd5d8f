"""Getting in: the first screen, the code, and the clock of the glasses."""

import unicodedata

import anyio.to_thread
from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.requests import TellCode
from cuelens.page.gate import Gate
from cuelens.page.pairing import Closed, Paired, draw_token
from cuelens.page.view import COOKIE, VISITOR, go, screen
from cuelens.page.visit import Call, Notice, Page, Visit
from cuelens_models.errors import CuelensError

_LONGEST_CODE = 20
_EARLIEST_S = 1_760_000_000
"""A phone whose clock says less is wrong itself."""
_LATEST_S = 4_000_000_000


def routes(gate: Gate) -> list[Route]:
    """Return what is served without pairing, static files apart."""
    return [
        gate.open("/", first),
        gate.open_post("/code", show_code),
        gate.open("/code", code_screen),
        gate.open_post("/pair", pair),
        gate.post("/clock", set_clock),
    ]


async def first(page: Page, call: Call) -> Response:
    """Show the first screen. It asks the glasses for nothing: a phone may open it by itself."""
    if page.pairing.knows(call.request.cookies.get(COOKIE, "")):
        return go("/home")
    return _with_visitor(page, call, "first.html")


async def show_code(page: Page, call: Call) -> Response:
    """Let the glasses tell the code."""
    if page.pairing.may_tell(page.clock()):
        page.show_code(page.pairing.code)
        await page.glasses.do(TellCode(digits=page.pairing.code))
    return go("/code")


async def code_screen(page: Page, call: Call) -> Response:
    """Show where to type the code."""
    if page.pairing.knows(call.request.cookies.get(COOKIE, "")):
        return go("/home")
    closed_s = page.pairing.closed_s(page.clock())
    return _with_visitor(page, call, "code.html", trouble=_closed(call, closed_s) if closed_s else "")


async def pair(page: Page, call: Call) -> Response:
    """Take the code."""
    letters = "".join(call.text("code")[:_LONGEST_CODE].split())
    # Phones type digits of their own language, as Arabic ones.
    typed = "".join(str(unicodedata.decimal(letter, letter)) for letter in letters)
    outcome = page.pairing.attempt(typed, page.clock())
    if isinstance(outcome, Paired):
        page.visit = Visit()
        page.used_s = page.clock()
        response = go("/home")
        response.set_cookie(COOKIE, outcome.token, httponly=True, samesite="strict", path="/")
        await _clock_at_first(page, call)
        return response
    if isinstance(outcome, Closed):
        return _with_visitor(page, call, "code.html", 429, "/code", trouble=_closed(call, outcome.rest_s))
    return _with_visitor(page, call, "code.html", 403, "/code", trouble=call.t("code.wrong", left=outcome.left))


async def set_clock(page: Page, call: Call) -> Response:
    """Set the clock of the glasses by that of the phone."""
    page.visit.notice = await _set_time(page, call)
    return go("/home")


async def _clock_at_first(page: Page, call: Call) -> None:
    """Set a clock that nobody has set since the start. That it may not be set is said on the screen of the state."""
    try:
        if call.text("clock") and not (await page.glasses.watch()).clock_set:
            await _set_time(page, call)
    except CuelensError:
        return


async def _set_time(page: Page, call: Call) -> Notice:
    try:
        seconds = float(call.text("clock")) / 1000
    except ValueError:
        return "bad", call.t("clock.unknown")
    if not _EARLIEST_S < seconds < _LATEST_S:
        return "bad", call.t("clock.unknown")
    try:
        await anyio.to_thread.run_sync(page.set_time, seconds)
    except OSError:
        return "bad", call.t("clock.forbidden")
    page.clock_is_set = True
    return "good", call.t("clock.done")


def _closed(call: Call, rest_s: float) -> str:
    return call.t("code.closed", minutes=max(1, round(rest_s / 60 + 0.49)))


def _with_visitor(page: Page, call: Call, template: str, status: int = 200, path: str = "", **values: str) -> Response:
    """Return a screen with a form for somebody who is not paired. path: as of `screen`."""
    visitor = call.request.cookies.get(VISITOR, "") or draw_token()
    response = screen(page, call, template, status, path, visitor=visitor, **values)
    response.set_cookie(VISITOR, visitor, httponly=True, samesite="strict", path="/")
    return response
