"""Button: what each press does. It is tried there and then, and the screen says which press has come."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.replies import Glasses
from cuelens.page import draft, state
from cuelens.page.gate import Gate
from cuelens.page.view import screen
from cuelens.page.visit import Call, Page

GESTURES: Final = ("ask", "pause", "mute", "calibrate")
_NOTED: Final = {"state.paused_later": "paused", "state.muted": "muted"}
"""Sentence for each wish of the wearer's that counts after the set-up, by its name in the state of the glasses."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [gate.get("/button", show)]


def mark(glasses: Glasses) -> str:
    """Return what changes when the screen must be drawn anew: the number of the last press."""
    return str(max((one.number for one in glasses.happenings if one.kind == "press"), default=0))


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    await draft.opened(page, "button")
    glasses = await page.glasses.watch(page.visit.since("button"))
    presses = [one for one in glasses.happenings if one.kind == "press"]
    return screen(
        page,
        call,
        "button.html",
        step="button",
        gestures=GESTURES,
        done={one.word for one in presses},
        last=state.happening(presses[-1], call.t) if presses else "",
        has_button=glasses.button,
        noted=[call.t(key) for key, is_on in _NOTED.items() if getattr(glasses, is_on)],
        mark=mark(glasses),
    )
