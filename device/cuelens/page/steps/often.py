"""How often: one slider, with what it costs in plain words. The figures are measured (`profile/trade_off.py`)."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from cuelens.page import draft
from cuelens.page.forms import whole
from cuelens.page.gate import Gate
from cuelens.page.texts import Texts
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page
from cuelens.profile.trade_off import Point, points

CAUTION: Final = "policy.caution"
_OUT_OF: Final = 100
"""Shares are told as so many expressions of a hundred."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A place of the slider, and what it costs in words."""

    caution: float
    name: str
    cost: str


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [gate.get("/often", show), gate.post("/often", choose, "/often")]


def cost(point: Point, t: Texts) -> str:
    """Return what a caution costs, in words."""
    told = round(point.told_in_time * _OUT_OF)
    share = t("often.share", told=told, of=_OUT_OF)
    if not point.false_in_ten_minutes:
        return f"{t('often.no_wrong')} {share}"
    minutes = 10 / point.false_in_ten_minutes
    step = 10 if minutes > 30 else 5 if minutes > 10 else 1
    return f"{t('often.wrong', minutes=max(1, round(minutes / step) * step))} {share}"


def choices(t: Texts) -> list[Choice]:
    """Return the places of the slider, from "only when sure" to "more often"."""
    return [Choice(point.caution, t(f"often.place_{place}"), cost(point, t)) for place, point in enumerate(points(), 1)]


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    caution = float(draft.get(await draft.opened(page, "often"), CAUTION, 0.0))
    found = choices(call.t)
    place = min(range(len(found)), key=lambda place: abs(found[place].caution - caution))
    return screen(page, call, "often.html", step="often", choices=found, place=place)


async def choose(page: Page, call: Call) -> Response:
    """Set the caution of the draft by the place of the slider."""
    found = choices(call.t)
    place = whole(call.text("place"))
    if place is not None and 0 <= place < len(found):
        await draft.change(page, "often", {CAUTION: found[place].caution})
        page.visit.notice = ("good", found[place].cost)
    return go("/often")
