"""What changes while a screen is open, as server-sent events. The browser connects again by itself after a sleep."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import anyio
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cuelens.page import state
from cuelens.page.gate import Gate
from cuelens.page.steps import button, check, people
from cuelens.page.visit import Call, Page
from cuelens_models.errors import CuelensError

EVERY_S: Final = 0.5
"""Time between two looks at the state."""
LIFE_S: Final = 120.0
"""A stream ends then, and the browser begins another: a phone that went away without a word is forgotten."""
_QUIET_TURNS: Final = 20
"""After so many looks without news an empty line says that the stream still lives."""
_STREAMS: Final = 3
"""Streams of one phone at once. The oldest ends."""


def routes(gate: Gate) -> list[Route]:
    """Return the route of the events."""
    return [gate.get("/events", events)]


async def events(page: Page, call: Call) -> Response:
    """Send the state at once, and whenever it changes."""
    step = call.request.query_params.get("step", "")
    return StreamingResponse(_lines(page, call, step), media_type="text/event-stream")


async def _lines(page: Page, call: Call, step: str) -> AsyncIterator[str]:
    visit = page.visit
    visit.streams += 1
    own, end_s = visit.streams, page.clock() + LIFE_S
    last, quiet = "", 0
    yield "retry: 2000\n\n"
    while page.clock() < end_s and visit is page.visit and own > visit.streams - _STREAMS:
        text = json.dumps(await snapshot(page, call, step))
        if text != last:
            yield f"data: {text}\n\n"
            last, quiet = text, 0
        elif quiet == _QUIET_TURNS:
            yield ":\n\n"
            quiet = 0
        quiet += 1
        await anyio.sleep(EVERY_S)


async def snapshot(page: Page, call: Call, step: str) -> dict[str, Any]:
    """Return what a screen shows that changes.

    Returns the state in sentences and by its name; for the step that is open a mark that changes when its screen must
    be drawn anew, seconds collected by expression, and the rest of a check in seconds.
    """
    check_now = page.visit.check
    since = check_now.since if step == "check" and check_now else page.visit.since(step)
    try:
        glasses = await page.glasses.watch(since)
        if step == "people":
            glasses = await people.settle(page, glasses)
    except CuelensError:
        return {"state": [("bad", call.t("page.lost"))]}
    now = "calibrating" if glasses.calibrating else glasses.state
    found: dict[str, Any] = {"state": state.lines(glasses, call.t), "now": now}
    if step == "people":
        collected = glasses.collected
        found["mark"] = people.mark(glasses)
        found["seconds"] = {shown: round(seconds, 1) for shown, seconds in collected.seconds.items()}
        found["say"] = call.t("people.no_face") if collected.shown and not collected.face else ""
    elif step == "button":
        found["mark"] = button.mark(glasses)
    elif step == "check" and check_now:
        now_s = page.clock()
        check.note(check_now, glasses)
        found["mark"] = check.mark(check_now, now_s)
        found["seconds"] = {"left": max(0, round(check_now.end_s - now_s))}
    return found
