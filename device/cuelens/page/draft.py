"""Changes of the draft, and taking them back to how it was when a screen was opened."""

from collections.abc import Mapping
from typing import Any

from cuelens.link.requests import Record
from cuelens.page.visit import Page


async def opened(page: Page, step: str) -> dict[str, Any]:
    """Return the profile in force, and note it if this screen was not open before. step: name of the screen."""
    profile = await page.glasses.profile()
    visit = page.visit
    if visit.step != step or visit.before is None:
        visit.step = step
        visit.before = profile
        visit.recorded = set()
        visit.since = max((one.number for one in (await page.glasses.watch()).happenings), default=0)
    return profile


async def change(page: Page, values: Mapping[str, Any]) -> str:
    """Put values into the draft. values: by "light.brightness_percent", ... Returns the sentence of the glasses."""
    profile = await page.glasses.profile()
    for key, value in values.items():
        put(profile, key, value)
    return await page.glasses.draft(profile)


async def undo(page: Page) -> None:
    """Make the draft what it was when the screen was opened. Recordings made since are taken away."""
    before = page.visit.before
    if before is None:
        return
    for word in sorted(page.visit.recorded):
        if not ((before.get("cues", {}).get(word) or {}).get("recording")):
            await page.glasses.do(Record(word=word, wav=b""))
    page.visit.recorded = set()
    page.visit.correction = None
    if await page.glasses.profile() != before:
        await page.glasses.draft(before)


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
