"""Check: thirty seconds with everything on, then what to change, and saving."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.replies import Glasses
from cuelens.link.requests import Save
from cuelens.page import draft, state
from cuelens.page.forms import whole
from cuelens.page.gate import Gate
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Check, Page

SECONDS: Final = 30.0
_MOST_CUES: Final = 50
_WRONG_SHARE: Final = 0.34
"""From here on the slider of "how often" is worth moving."""
_CUES: Final = ("expression", "answer")


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [
        gate.get("/check", show),
        gate.post("/check/start", start, "/check"),
        gate.post("/check/answer", answer, "/check"),
        gate.post("/save", save, "/check"),
    ]


def note(check: Check, glasses: Glasses) -> None:
    """Take up the cues that came since."""
    for one in glasses.happenings:
        if one.kind in _CUES and one.number > check.since and len(check.cues) < _MOST_CUES:
            check.cues.setdefault(one.number, one.word)


def mark(check: Check | None, now_s: float) -> str:
    """Return what changes when the screen must be drawn anew."""
    return f"{max(check.cues, default=0)}-{now_s < check.end_s}" if check else ""


def advice(check: Check) -> str:
    """Return the key of what to do about the answers."""
    if not check.cues:
        return "check.advice_none"
    wrong = sum(not was_right for was_right in check.answers.values())
    if not check.answers:
        return "check.advice_unanswered"
    if wrong / len(check.answers) >= _WRONG_SHARE:
        return "check.advice_wrong"
    return "check.advice_good"


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    await draft.opened(page, "check")
    check, now_s = page.visit.check, page.clock()
    if check and now_s < check.end_s + 2:
        note(check, await page.glasses.watch(check.since))
    return screen(
        page,
        call,
        "check.html",
        step="check",
        check=check,
        is_running=bool(check and now_s < check.end_s),
        left_s=max(0, round(check.end_s - now_s)) if check else 0,
        of_s=SECONDS,
        cues=[(number, state.word(word, call.t)) for number, word in check.cues.items()] if check else [],
        advice=advice(check) if check else "",
        right=sum(check.answers.values()) if check else 0,
        mark=mark(check, now_s),
        is_draft=(await page.glasses.profiles()).draft,
    )


async def start(page: Page, call: Call) -> Response:
    """Begin the thirty seconds."""
    latest = max((one.number for one in (await page.glasses.watch()).happenings), default=0)
    end_s = page.clock() + SECONDS
    page.lease.cues_until(end_s)
    page.visit.check = Check(since=latest, end_s=end_s)
    return go("/check")


async def answer(page: Page, call: Call) -> Response:
    """Take an answer to "was that right?"."""
    check, number = page.visit.check, whole(call.text("number"))
    if check and number in check.cues and call.text("right") in ("yes", "no"):
        check.answers[number] = call.text("right") == "yes"
    return go("/check")


async def save(page: Page, call: Call) -> Response:
    """Make the draft the wearer's profile."""
    await page.glasses.do(Save())
    page.visit.check = None
    page.visit.opened.clear()
    page.visit.notice = ("good", call.t("home.saved"))
    return go("/home")
