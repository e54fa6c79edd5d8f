"""People: readings of a family member who shows four expressions on request, and the correction made of them."""

from dataclasses import dataclass
from typing import Final, cast

from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.replies import Corrected, Glasses
from cuelens.link.requests import Collect, Correct, Shown, StopCollecting
from cuelens.page import draft
from cuelens.page.gate import Gate
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page

SECONDS: Final[dict[Shown, float]] = {"neutral": 10.0, "happy": 6.0, "surprise": 6.0, "sad": 6.0}
"""How long each is shown, in their order. The calm face alone is enough."""
_WORTH: Final = 0.05
"""A share that rises by less is not worth a word: the bars look the same."""
KEY: Final = "people"
"""The key of a profile that holds the correction."""


@dataclass(frozen=True, slots=True)
class Part:
    """One expression to show. state: done, now, next or later."""

    shown: Shown
    seconds: float
    of_s: float
    state: str


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [
        gate.get("/people", show),
        gate.post("/people/collect", collect, "/people"),
        gate.post("/people/stop", stop, "/people"),
        gate.post("/people/correct", correct, "/people"),
        gate.post("/people/again", again, "/people"),
        gate.post("/people/forget", forget, "/people"),
    ]


def parts(glasses: Glasses) -> list[Part]:
    """Return how far the collecting is."""
    found: list[Part] = []
    is_next_free = True
    for shown, of_s in SECONDS.items():
        seconds = min(glasses.collected.seconds.get(shown, 0.0), of_s)
        if glasses.collected.shown == shown:
            state = "now"
        elif seconds >= of_s:
            state = "done"
        else:
            state = "next" if is_next_free else "later"
            is_next_free = False
        found.append(Part(shown, seconds, of_s, state))
    return found


def mark(glasses: Glasses) -> str:
    """Return what changes when the screen must be drawn anew."""
    return "-".join(part.state for part in parts(glasses))


def outcome(correction: Corrected) -> str:
    """Return how much a correction did: helped, little or not_helped."""
    if not correction.helped:
        return "not_helped"
    rises = [correction.after.get(shown, before) - before for shown, before in correction.before.items()]
    return "helped" if max(rises, default=0.0) >= _WORTH else "little"


async def settle(page: Page, glasses: Glasses) -> Glasses:
    """End a collection that has lasted long enough. Returns the state of the glasses then."""
    shown = glasses.collected.shown
    if shown is None or glasses.collected.seconds.get(shown, 0.0) < SECONDS[shown]:
        return glasses
    await page.glasses.do(StopCollecting())
    return await page.glasses.watch()


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    profile = await draft.opened(page, "people")
    glasses = await settle(page, await page.glasses.watch())
    found = parts(glasses)
    return screen(
        page,
        call,
        "people.html",
        step="people",
        expressions=found,
        face=glasses.collected.face,
        is_collecting=glasses.collected.shown is not None,
        is_enough=found[0].state == "done" and glasses.collected.shown is None,
        is_known=bool(draft.get(profile, f"{KEY}.people", 0)),
        correction=cast("Corrected | None", page.visit.correction),
        outcome=outcome(page.visit.correction) if page.visit.correction else "",
        mark=mark(glasses),
    )


async def collect(page: Page, call: Call) -> Response:
    """Begin to collect one expression."""
    shown = call.text("shown")
    if shown in SECONDS:
        page.visit.correction = None
        await page.glasses.do(Collect(shown=shown))
    return go("/people")


async def stop(page: Page, call: Call) -> Response:
    """Stop in the middle."""
    await page.glasses.do(StopCollecting())
    return go("/people")


async def correct(page: Page, call: Call) -> Response:
    """Work out the correction."""
    async with draft.noted(page, "people"):
        page.visit.correction = await page.glasses.ask(Correct(), Corrected)
    return go("/people")


async def again(page: Page, call: Call) -> Response:
    """Begin anew, with the same or another family member."""
    page.visit.correction = None
    await page.glasses.do(StopCollecting(drop=True))
    return go("/people")


async def forget(page: Page, call: Call) -> Response:
    """Take the correction of the whole family back."""
    page.visit.correction = None
    await draft.change(page, "people", {KEY: {}})
    page.visit.notice = ("good", call.t("people.forgot"))
    return go("/people")
