"""Changes of the draft by a screen, and taking them back. What another tab changes meanwhile stays."""

import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from cuelens.page.visit import Opened, Page


async def opened(page: Page, step: str) -> dict[str, Any]:
    """Return the profile in force, and note that a screen is open. step: name of the screen."""
    profile = await page.glasses.profile()
    visit = page.visit
    found = visit.opened.setdefault(step, Opened())
    if found.since is None or not visit.step:
        # Whoever comes from the overview tries the button anew.
        found.since = max((one.number for one in (await page.glasses.watch()).happenings), default=0)
    visit.step = step
    return profile


async def change(page: Page, step: str, values: Mapping[str, Any]) -> None:
    """Put values into the draft. step: name of the screen. values: by "light.brightness_percent", ..."""

    def with_values(profile: dict[str, Any]) -> dict[str, Any]:
        for key, value in values.items():
            put(profile, key, value)
        return profile

    await edit(page, step, with_values)


async def edit(page: Page, step: str, edited: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Make the draft of the profile in force. step: name of the screen. edited: is given a copy of that profile."""
    async with noted(page, step) as profile:
        await page.glasses.draft(edited(profile))


@asynccontextmanager
async def noted(page: Page, step: str) -> AsyncIterator[dict[str, Any]]:
    """Note for `undo` what a screen changes in the block; no other tab changes anything meanwhile.

    Yields a copy of the profile in force.
    """
    async with page.changing:
        before = await page.glasses.profile()
        yield copy.deepcopy(before)
        replaced = page.visit.opened.setdefault(step, Opened()).replaced
        for key, value in _replaced(before, await page.glasses.profile()):
            replaced.setdefault(key, value)


async def undo(page: Page, step: str) -> bool:
    """Put back what a screen has replaced. Returns whether there was anything to put back."""
    replaced = page.visit.opened.get(step, Opened()).replaced
    async with page.changing:
        profile = await page.glasses.profile()
        before = copy.deepcopy(profile)
        for key, value in reversed(replaced.items()):
            _put_back(before, key, value)
        if profile != before:
            await page.glasses.draft(before)
    replaced.clear()
    return profile != before


def put(profile: dict[str, Any], key: str, value: Any) -> None:
    """Set a value of a profile by its key, as "sound.on". What is missing on the way is made."""
    *parents, last = key.split(".")
    place = profile
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            place[parent] = {}
        place = place[parent]
    place[last] = value


def get(profile: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """Return a value of a profile by its key; the default if it, or what leads to it, is missing."""
    place: Any = profile
    for part in key.split("."):
        if not isinstance(place, Mapping) or part not in place:
            return default
        place = place[part]
    return place


def _replaced(before: Mapping[str, Any], after: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the key and the earlier value of all that differs; UNSET for what was missing."""
    for name in {**before, **after}:
        old, new = before.get(name, msgspec.UNSET), after.get(name, msgspec.UNSET)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _replaced(old, new, f"{above}{name}.")
        elif old != new:
            yield f"{above}{name}", old


def _put_back(profile: dict[str, Any], key: str, value: Any) -> None:
    """Set an earlier value, unless another tab has taken away what it belongs to."""
    parent, _, last = key.rpartition(".")
    place = get(profile, parent) if parent else profile
    if not isinstance(place, dict):
        return
    if value is msgspec.UNSET:
        place.pop(last, None)
    else:
        place[last] = value
