"""The application: all routes behind their guard."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cuelens.page import entry, events, home, more, profiles, story_page
from cuelens.page.gate import Gate
from cuelens.page.security import Guard, Rules
from cuelens.page.steps import aim, button, check, cues, often, people
from cuelens.page.view import STATIC
from cuelens.page.visit import Page

_ROOMS = (entry, home, aim, people, cues, often, button, check, profiles, more, story_page, events)


def make(page: Page, rules: Rules | None = None) -> ASGIApp:
    """Return the application. rules: under which names, and from where, it may be asked."""
    gate = Gate(page)
    routes = [route for room in _ROOMS for route in room.routes(gate)]
    inner = Starlette(
        routes=[*routes, Route("/static/{name}", _static), Route("/favicon.ico", _no_icon)],
        exception_handlers={HTTPException: _refused, Exception: _fault},
    )
    inner.router.redirect_slashes = False
    return Guard(inner, rules or Rules())


async def _static(request: Request) -> Response:
    found = STATIC.get(request.path_params["name"])
    if not found:
        return PlainTextResponse("there is no such page", 404)
    content, kind = found
    return Response(content, media_type=kind, headers={"cache-control": "public, max-age=86400"})


async def _no_icon(_request: Request) -> Response:
    return Response(status_code=204)


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = "there is no such page" if status == 404 else "this is no request of the page"
    return PlainTextResponse(sentence, status)


async def _fault(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"a fault inside the page: {type(error).__name__}", 500)
