"""The screen between the steps: the state of the glasses, the steps, and how to finish."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.requests import Discard, Leave, TakeUpDraft
from cuelens.page import draft, state
from cuelens.page.forms import whole
from cuelens.page.gate import Gate
from cuelens.page.view import go, screen
from cuelens.page.visit import STEPS, Call, Page, Visit

MINUTES: Final = (5, 10, 20, 30, 45, 60)
"""Lengths of a session to choose from."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this screen."""
    return [
        gate.get("/home", home),
        gate.post("/undo/{step}", undo),
        gate.post("/draft/discard", discard),
        gate.post("/draft/take", take_up),
        gate.post("/leave", leave),
        gate.post("/calibrate", calibrate),
        gate.post("/forget-phone", forget_phone),
    ]


async def home(page: Page, call: Call) -> Response:
    """Show the state, the steps, and what is not saved."""
    glasses = await page.glasses.watch()
    profiles = await page.glasses.profiles() if page.lease.on else None
    page.visit.step = ""
    return screen(
        page,
        call,
        "home.html",
        lines=state.lines(glasses, call.t),
        title=glasses.title,
        profile=glasses.profile,
        is_draft=bool(profiles and profiles.draft),
        is_waiting=bool(profiles and profiles.waiting and not profiles.draft),
        clock_set=glasses.clock_set or page.clock_is_set,
        has_button=glasses.button,
        minutes=MINUTES,
    )


async def undo(page: Page, call: Call) -> Response:
    """Take back what was changed on a screen."""
    step = str(call.request.path_params["step"])
    if step == "people":
        page.visit.correction = None
    was_changed = await draft.undo(page, step)
    page.visit.notice = ("good", call.t("step.undone" if was_changed else "step.nothing_to_undo"))
    return go(f"/{step}" if step in (*STEPS, "more") else "/home")


async def discard(page: Page, call: Call) -> Response:
    """Drop everything that was not saved."""
    await page.glasses.do(Discard())
    page.visit.opened.clear()
    page.visit.notice = ("good", call.t("home.discarded"))
    return go("/home")


async def take_up(page: Page, call: Call) -> Response:
    """Go on with the draft of an earlier calibration."""
    await page.glasses.do(TakeUpDraft())
    page.visit.opened.clear()
    page.visit.notice = ("good", call.t("home.taken_up"))
    return go("/home")


async def leave(page: Page, call: Call) -> Response:
    """End the calibration: with a session, of other than the usual length if asked for, or with rest."""
    minutes = whole(call.text("minutes"))
    if call.text("then") == "rest":
        request = Leave(then="rest")
    else:
        request = Leave(minutes=minutes if minutes in MINUTES else None)
    await page.glasses.run(page.lease.leave, request)
    page.visit.opened.clear()
    if request.then == "rest":
        page.visit.notice, page.visit.notice_while = ("good", call.t("home.left_rest")), ("resting",)
    elif not (await page.glasses.watch()).paused:
        page.visit.notice, page.visit.notice_while = ("good", call.t("home.left_session")), state.AWAKE
    return go("/home")


async def calibrate(page: Page, call: Call) -> Response:
    """Begin the calibration again."""
    await page.glasses.run(page.lease.renew)
    return go("/home")


async def forget_phone(page: Page, call: Call) -> Response:
    """Let this phone be nobody again."""
    page.pairing.forget()
    page.visit = Visit()
    return go("/")
