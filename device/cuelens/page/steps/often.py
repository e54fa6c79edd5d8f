"""How often: one slider, with what it costs in plain words. The figures are measured (`cue_figures.json`)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from cuelens.page import draft
from cuelens.page.gate import Gate
from cuelens.page.texts import Texts
from cuelens.page.view import go, screen
from cuelens.page.visit import ROOT, Call, Page

CAUTION: Final = "policy.caution"
_OUT_OF: Final = 100
"""Shares are told as so many expressions of a hundred."""


class Point(msgspec.Struct, frozen=True):
    """What one caution costs and brings, on made-up hours of held-out faces."""

    caution: float
    false_in_ten_minutes: float
    told_in_time: float
    told_at_all: float


class Figures(msgspec.Struct, frozen=True):
    """The measured points, and the command that measured them."""

    command: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A place of the slider, and what it costs in words."""

    caution: float
    name: str
    cost: str


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [gate.get("/often", show), gate.post("/often", choose, "/often")]


@lru_cache
def figures() -> Figures:
    """Return what was measured."""
    return msgspec.json.decode((ROOT / "cue_figures.json").read_bytes(), type=Figures)


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
    points = sorted(figures().points, key=lambda point: -point.caution)
    return [Choice(point.caution, t(f"often.place_{place}"), cost(point, t)) for place, point in enumerate(points, 1)]


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    caution = float(draft.get(await draft.opened(page, "often"), CAUTION, 0.0))
    found = choices(call.t)
    place = min(range(len(found)), key=lambda place: abs(found[place].caution - caution))
    return screen(page, call, "often.html", step="often", choices=found, place=place)


async def choose(page: Page, call: Call) -> Response:
    """Set the caution of the draft by the place of the slider."""
    found = choices(call.t)
    place = call.text("place")
    if place.isdecimal() and int(place) < len(found):
        await draft.change(page, {CAUTION: found[int(place)].caution})
        page.visit.notice = ("good", found[int(place)].cost)
    return go("/often")
