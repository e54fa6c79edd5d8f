"""Profiles: list, choose, create, remove, export, import, and everything back to the factory's."""

from typing import Any, Final

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from cuelens.link.requests import Choose, Create, Draft, FactoryReset, Remove
from cuelens.page.gate import Gate
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page
from cuelens_models.errors import BadInput

_MOST_BYTES: Final = 65_536
"""Of an imported profile: many times the longest."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of these screens."""
    return [
        gate.get("/profiles", show),
        gate.post("/profiles/choose", choose, "/profiles"),
        gate.post("/profiles/create", create, "/profiles"),
        gate.get("/profiles/remove/{name}", ask_remove),
        gate.post("/profiles/remove", remove, "/profiles"),
        gate.get("/profiles/export.json", export),
        gate.post("/profiles/import", take_in, "/profiles"),
        gate.get("/profiles/reset", ask_reset),
        gate.post("/profiles/reset", reset, "/profiles"),
    ]


async def show(page: Page, call: Call) -> Response:
    """Show all profiles."""
    found = await page.glasses.profiles()
    page.visit.step = ""
    # What waits since last time is dropped too.
    is_unsaved = found.draft or found.waiting
    return screen(page, call, "profiles.html", names=found.names, active=found.name, is_unsaved=is_unsaved)


async def choose(page: Page, call: Call) -> Response:
    """Make another profile the active one."""
    await page.glasses.do(Choose(name=call.text("name")))
    return _done(page, call, call.t("profiles.chosen", name=call.text("name")))


async def create(page: Page, call: Call) -> Response:
    """Make a copy of the active one under a new name. A space in the name becomes a hyphen."""
    name = "-".join(call.text("name").split())
    if not name or len(name) > 60 or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise BadInput(call.t("profiles.bad_name"))
    await page.glasses.do(Create(name=name))
    return _done(page, call, call.t("profiles.created", name=name))


async def ask_remove(page: Page, call: Call) -> Response:
    """Ask before a profile is deleted."""
    name = str(call.request.path_params["name"])
    question = call.t("profiles.remove_question", name=name)
    return screen(
        page,
        call,
        "confirm.html",
        question=question,
        items=[],
        action="/profiles/remove",
        name=name,
        yes=call.t("profiles.remove"),
        back="/profiles",
    )


async def remove(page: Page, call: Call) -> Response:
    """Delete a profile."""
    await page.glasses.do(Remove(name=call.text("name")))
    return _done(page, call, call.t("profiles.removed", name=call.text("name")))


async def export(page: Page, call: Call) -> Response:
    """Hand out the profile in force as a file."""
    found = await page.glasses.profiles()
    ascii_name = "".join(letter for letter in found.name if letter.isascii()) or "profile"
    headers = {"content-disposition": f'attachment; filename="{ascii_name}.json"'}
    content = msgspec.json.format(bytes(found.profile), indent=2)
    return Response(content + b"\n", media_type="application/json", headers=headers)


async def take_in(page: Page, call: Call) -> Response:
    """Take a profile in as the draft. What the glasses say against it is shown."""
    text = call.text("profile").lstrip("\ufeff")
    if len(text.encode()) > _MOST_BYTES:
        raise BadInput(call.t("profiles.too_large"))
    try:
        profile = msgspec.json.decode(text, type=dict[str, Any])
        content = msgspec.json.encode(profile)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadInput(call.t("profiles.no_json")) from error
    await page.glasses.do(Draft(profile=msgspec.Raw(content)))
    return _done(page, call, call.t("profiles.imported"))


async def ask_reset(page: Page, call: Call) -> Response:
    """Say what a reset deletes, and ask."""
    found = await page.glasses.profiles()
    items = [call.t("reset.profiles", names=", ".join(found.names))]
    items += [call.t(f"reset.{what}") for what in ("recordings", "statistics", "story")]
    return screen(
        page,
        call,
        "confirm.html",
        question=call.t("reset.question"),
        items=items,
        action="/profiles/reset",
        name="",
        yes=call.t("reset.yes"),
        back="/profiles",
    )


async def reset(page: Page, call: Call) -> Response:
    """Delete everything."""
    if call.text("sure") != "yes":
        return go("/profiles/reset")
    await page.glasses.do(FactoryReset())
    return _done(page, call, call.t("reset.done"))


def _done(page: Page, call: Call, sentence: str) -> Response:
    page.visit.opened.clear()
    page.visit.notice = ("good", sentence)
    return go("/profiles")
