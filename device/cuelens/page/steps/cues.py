"""Cues: every light, word and sound is put into the draft and tried on the child at once."""

import io
import wave
from collections.abc import Callable
from typing import Any, Final

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cuelens.link.requests import Record, Try
from cuelens.page import draft
from cuelens.page.forms import whole
from cuelens.page.gate import Gate
from cuelens.page.state import word as word_for
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page
from cuelens.profile import language
from cuelens.profile.presets import SOUNDS, STRENGTHS
from cuelens.profile.profile import Profile
from cuelens_models.errors import AbsentDevice, BadInput, CuelensError

WORDS: Final = tuple(name for name in Profile().cues.__struct_fields__)
COLOURS: Final = {
    "yellow": "#F0E442",
    "orange": "#E69F00",
    "red": "#D55E00",
    "pink": "#CC79A7",
    "sky": "#56B4E9",
    "blue": "#0072B2",
    "green": "#009E73",
    "white": "#FFFFFF",
}
"""Okabe and Ito's palette, which colour-blind people tell apart, and white."""
SHAPES: Final = {
    "fade_short": ("fade", 1.5),
    "fade_long": ("fade", 3.0),
    "steady_short": ("steady", 1.5),
    "steady_long": ("steady", 3.0),
    "breath_one": ("breath", 2.0),
    "breath_two": ("breath", 4.0),
}
_CEILINGS: Final = (
    "light.brightness_percent",
    "light.ceiling_percent",
    "sound.volume_percent",
    "sound.ceiling_percent",
)
RATE_HZ: Final = 22_050
LONGEST_S: Final = 3.0
LONGEST_PHRASE: Final = 40
_MARGIN_S: Final = 0.1
_LONGEST_WAIT_S: Final = 3.0
"""A tap waits no longer for its cue: the glasses then say why there is none."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [
        gate.get("/cues", show),
        gate.post("/cues/preset", preset, "/cues"),
        gate.post("/cues/sound", sound, "/cues"),
        gate.post("/cues/strength", strength, "/cues"),
        gate.get("/cues/{word}", show_word),
        gate.post("/cues/{word}/try", attempt),
        gate.post("/cues/{word}/light", light),
        gate.post("/cues/{word}/phrase", phrase),
        gate.post("/cues/{word}/record", record),
        gate.post("/cues/{word}/unrecord", unrecord),
    ]


async def show(page: Page, call: Call) -> Response:
    """Show the step: presets, kinds of sound, strengths, and the expressions."""
    profile = await draft.opened(page, "cues")
    return screen(
        page,
        call,
        "cues.html",
        step="cues",
        preset=_chosen(STRENGTHS, profile),
        presets=STRENGTHS,
        sound=_chosen(SOUNDS, profile),
        sounds=SOUNDS,
        strengths={key: draft.get(profile, key) for key in _CEILINGS},
        words=[(word, word_for(word, call.t), profile["cues"].get(word)) for word in WORDS],
    )


async def preset(page: Page, call: Call) -> Response:
    """Choose how strong cues are, and try one."""
    if values := STRENGTHS.get(call.text("preset")):
        await draft.change(page, "cues", values)
        await _try_first(page)
    return go("/cues")


async def sound(page: Page, call: Call) -> Response:
    """Choose whether there is sound and which, and try it."""
    if values := SOUNDS.get(call.text("sound")):
        await draft.change(page, "cues", values)
        await _try_first(page)
    return go("/cues")


async def strength(page: Page, call: Call) -> Response:
    """Choose brightness, volume, and the most that either may ever be."""
    typed = {key: whole(call.text(key)) for key in _CEILINGS}
    values = {key: min(value, 100) for key, value in typed.items() if value is not None and value >= 0}
    await draft.change(page, "cues", values)
    await _try_first(page)
    return go("/cues")


async def show_word(page: Page, call: Call) -> Response:
    """Show the cue of one expression."""
    word = _word(call)
    if not word:
        return PlainTextResponse("there is no such page", 404)
    profile = await draft.opened(page, "cues")
    entry = {"light": None, "recording": None} | (profile["cues"].get(word) or {})
    return screen(
        page,
        call,
        "cue.html",
        step="cues",
        word=word,
        name=word_for(word, call.t),
        entry=entry,
        colours=COLOURS,
        shapes=SHAPES,
        shape=_shape(entry),
        usual=_usual_phrase(profile, word),
        speaks=draft.get(profile, "sound.on", default=False),
        longest_s=LONGEST_S,
    )


async def attempt(page: Page, call: Call) -> Response:
    """Give the cue, and change nothing."""
    return await _tried(page, call)


async def light(page: Page, call: Call) -> Response:
    """Choose a colour or a form of the light, or none, and try it."""
    is_none = call.text("light") == "none"

    def chosen(entry: dict[str, Any]) -> None:
        if is_none:
            entry["light"] = None
            return
        made = dict(entry.get("light") or {"colour": COLOURS["white"], "pattern": "fade", "light_s": 1.5})
        if colour := COLOURS.get(call.text("colour")):
            made["colour"] = colour
        if shape := SHAPES.get(call.text("shape")):
            made["pattern"], made["light_s"] = shape
        entry["light"] = made

    return await _tried(page, call, chosen, is_tried=not is_none)


async def phrase(page: Page, call: Call) -> Response:
    """Choose what is said, or nothing, and try it."""
    kind = call.text("kind")

    def chosen(entry: dict[str, Any]) -> None:
        if kind == "usual":
            entry.pop("phrase", None)
        elif kind == "none":
            entry["phrase"] = None
        elif typed := call.text("phrase").strip():
            entry["phrase"] = typed[:LONGEST_PHRASE]

    return await _tried(page, call, chosen, is_tried=kind != "none")


async def record(page: Page, call: Call) -> Response:
    """Store a caregiver's voice, and try it. The body is a WAV file; what the phone recorded never comes as it is."""
    word = _word(call)
    body = await call.request.body()
    try:
        check_voice(body)
        async with draft.noted(page, "cues"):
            await page.glasses.do(Record(word=word, wav=body))
    except BadInput as error:
        page.visit.notice = ("bad", str(error))
        return PlainTextResponse(str(error), 400)
    except AbsentDevice:
        # The script shows what is answered. It would follow a redirection without a word.
        return PlainTextResponse(call.t("cue.unsent"), 503)
    page.visit.notice = ("good", call.t("cue.recorded"))
    await _tried(page, call)
    return Response(status_code=204)


async def unrecord(page: Page, call: Call) -> Response:
    """Take the recording away."""
    async with draft.noted(page, "cues"):
        await page.glasses.do(Record(word=_word(call), wav=b""))
    return go(f"/cues/{_word(call)}")


def check_voice(wav: bytes) -> None:
    """Raise BadInput unless this is what the page itself makes: 16 bits, one channel, 22050 Hz, 3 s at most."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            form = (file.getsampwidth(), file.getnchannels(), file.getframerate())
            frames = file.getnframes()
    except (wave.Error, EOFError, RuntimeError) as error:
        # `wave` raises the last one at a chunk that reaches beyond the one that holds it.
        raise BadInput("this is no recording that the page made: record it again") from error
    if form != (2, 1, RATE_HZ) or not 0 < frames <= RATE_HZ * LONGEST_S or len(wav) < 2 * frames:
        raise BadInput("this is no recording that the page made: record it again")


async def _tried(
    page: Page, call: Call, chosen: Callable[[dict[str, Any]], None] | None = None, *, is_tried: bool = True
) -> Response:
    """Change the entry of a word in the draft, and give the cue. Refusals are shown on the screen of the word."""
    word = _word(call)
    if not word:
        return PlainTextResponse("there is no such page", 404)
    try:
        if chosen:
            await draft.edit(page, "cues", lambda profile: _with_entry(profile, word, chosen))
        if is_tried:
            await _give(page, word)
    except CuelensError as error:
        page.visit.notice = ("bad", str(error))
    return go(f"/cues/{word}")


def _with_entry(profile: dict[str, Any], word: str, chosen: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Return a profile whose entry of a word is changed. One that has no cue gets an entry without light."""
    entry = dict(draft.get(profile, f"cues.{word}") or {"light": None})
    chosen(entry)
    draft.put(profile, f"cues.{word}", entry)
    return profile


async def _try_first(page: Page) -> None:
    """Give the cue for happy, or for the first expression that has one."""
    cues = (await page.glasses.profile())["cues"]
    if word := next((word for word in WORDS if cues.get(word)), None):
        await _give(page, word)


async def _give(page: Page, word: str) -> None:
    """Give a cue. Somebody who taps quickly waits until the glasses may give the next one."""
    gap_s = float(draft.get(await page.glasses.profile(), "policy.answer_gap_s", 1.0)) + _MARGIN_S
    await anyio.sleep(min(_LONGEST_WAIT_S, max(0.0, page.visit.tried_s + gap_s - page.clock())))
    await page.glasses.do(Try(word=word))
    page.visit.tried_s = page.clock()


def _word(call: Call) -> str:
    word = str(call.request.path_params["word"])
    return word if word in WORDS else ""


def _chosen(options: dict[str, Any], profile: dict[str, Any]) -> str:
    """Return the name of the option that a profile has; "" if it has none of them."""
    return next(
        (
            name
            for name, values in options.items()
            if all(draft.get(profile, key) == value for key, value in values.items())
        ),
        "",
    )


def _shape(entry: dict[str, Any]) -> str:
    light = entry.get("light") or {}
    form = (light.get("pattern"), light.get("light_s"))
    return next((name for name, shape in SHAPES.items() if shape == form), "")


def _usual_phrase(profile: dict[str, Any], word: str) -> str:
    try:
        return language.read(profile["language"]).says().get(word, "")
    except (BadInput, KeyError):
        return ""
