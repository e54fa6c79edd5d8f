"""Everything else: a form for each group of the profile's keys, made of its schema."""

from typing import Final

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cuelens.page import draft, forms, texts
from cuelens.page.forms import Field
from cuelens.page.gate import Gate
from cuelens.page.texts import Texts
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page
from cuelens.profile import language
from cuelens_models.errors import CuelensError

GENERAL: Final = "general"
"""In an address, the group of the keys that stand in none."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of these screens."""
    return [gate.get("/more", show), gate.get("/more/{group}", show_group), gate.post("/more/{group}", change)]


async def show(page: Page, call: Call) -> Response:
    """Show the groups."""
    profile = await draft.opened(page, "more")
    return screen(page, call, "more.html", groups=forms.groups(forms.schema(), profile), label=Labels(call.t))


async def show_group(page: Page, call: Call) -> Response:
    """Show the form of a group."""
    profile = await draft.opened(page, "more")
    group = _group(call, profile)
    return _form(page, call, group) if group else PlainTextResponse("there is no such page", 404)


async def change(page: Page, call: Call) -> Response:
    """Put what was chosen into the draft. A refusal is shown at the form, with what was typed."""
    profile = await draft.opened(page, "more")
    group = _group(call, profile)
    if not group:
        return PlainTextResponse("there is no such page", 404)
    try:
        await draft.edit(page, "more", lambda latest: forms.read(group, call.form, latest))
    except CuelensError as error:
        changed = forms.read(group, call.form, profile)
        typed = next(one for one in forms.groups(forms.schema(), changed) if one.key == group.key)
        return _form(page, call, typed, str(error), 422)
    page.visit.notice = ("good", call.t("more.changed"))
    return go("/more")


class Labels:
    """Names of fields and options for people; for a key that nobody has named yet, the key itself in words."""

    def __init__(self, t: Texts) -> None:
        """Take the texts of a language."""
        self._t = t

    def __call__(self, one: Field) -> str:
        """Return the name of a field."""
        key = f"field.{one.label.replace('.', '_')}"
        if self._t.has(key):
            return self._t(key)
        name = one.label.rpartition(".")[2]
        return self._t(f"word.{name}") if self._t.has(f"word.{name}") else name.replace("_", " ")

    def option(self, one: Field, name: str) -> str:
        """Return the name of an option."""
        if one.label == "Profile.language":
            return texts.names().get(name, name)
        for key in (f"mode.{name}" if one.label == "Profile.mode" else f"option.{name}", f"word.{name}"):
            if self._t.has(key):
                return self._t(key)
        return name

    def options(self, one: Field) -> tuple[str, ...]:
        """Return what may be chosen for a key that is a text in the schema, and is one of a few in truth."""
        if one.label == "Profile.language":
            return tuple(language.available())
        if one.label == "Profile.mode":
            modes = tuple(key.removeprefix("mode.") for key in texts.read(texts.FACTORY) if key.startswith("mode."))
            return modes if one.value in modes else (*modes, str(one.value))
        return one.options


def _group(call: Call, profile: dict[str, object]) -> Field | None:
    name = str(call.request.path_params["group"])
    key = "" if name == GENERAL else name
    return next((one for one in forms.groups(forms.schema(), profile) if one.key == key), None)


def _form(page: Page, call: Call, group: Field, trouble: str = "", status: int = 200) -> Response:
    return screen(
        page,
        call,
        "group.html",
        status,
        group=group,
        label=Labels(call.t),
        trouble=trouble,
        forms=forms,
        address=group.key or GENERAL,
    )
