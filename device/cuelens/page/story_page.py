"""The story of the last day, its deletion, and everything as a table for a spreadsheet."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from cuelens.link.replies import Story, Table
from cuelens.link.requests import ForgetStory, ReadStory, ReadTable
from cuelens.page import state, story
from cuelens.page.gate import Gate
from cuelens.page.view import go, inline, screen
from cuelens.page.visit import Call, Page
from cuelens_models.errors import CuelensError


def routes(gate: Gate) -> list[Route]:
    """Return the routes of these screens."""
    return [
        gate.get("/story", show),
        gate.get("/story.csv", table),
        gate.get("/story/forget", ask_forget),
        gate.post("/story/forget", forget, "/story"),
    ]


async def show(page: Page, call: Call) -> Response:
    """Show the last day. Sessions in which nothing happened are counted only."""
    found = await page.glasses.ask(ReadStory(), Story)
    shown = [one for one in found.sessions if story.happened(one)]
    longest_s = max((one.seconds for one in shown), default=0.0)
    told = [story.tell(one, longest_s) for one in shown]
    return screen(
        page,
        call,
        "story.html",
        day=found.day,
        more=found.more,
        nothing=len(found.sessions) - len(shown),
        sessions=told,
        inline=inline,
        word=lambda name: state.word(name, call.t),
    )


async def table(page: Page, call: Call) -> Response:
    """Hand out the whole story as CSV, piece by piece."""
    first = await page.glasses.ask(ReadTable(), Table)
    headers = {"content-disposition": 'attachment; filename="cuelens-story.csv"'}
    return StreamingResponse(_pieces(page, first), media_type="text/csv; charset=utf-8", headers=headers)


async def ask_forget(page: Page, call: Call) -> Response:
    """Ask before the story is deleted."""
    return screen(
        page,
        call,
        "confirm.html",
        question=call.t("story.forget_question"),
        items=[],
        action="/story/forget",
        name="",
        yes=call.t("story.forget"),
        back="/story",
    )


async def forget(page: Page, call: Call) -> Response:
    """Delete the story."""
    await page.glasses.do(ForgetStory())
    page.visit.notice = ("good", call.t("story.forgotten"))
    return go("/story")


async def _pieces(page: Page, piece: Table) -> AsyncIterator[str]:
    yield piece.text
    offset = 0
    while piece.following is not None and piece.following > offset:
        offset = piece.following
        try:
            piece = await page.glasses.ask(ReadTable(offset=offset), Table)
        except CuelensError:
            # The file ends early, which a spreadsheet shows as a line that is cut off. The headers are gone already.
            return
        yield piece.text
