"""The pictures of docs/wearer.md, the page for the child: what `make wearer` draws.

Colours, patterns and lengths of the lights are those of the factory profile and of `cuelens.light`, the words are the
English phrases, and the presses are those of `cuelens.runtime.gestures`. A light is drawn as its level over time, on a
dark strip, so that it is known by its shape as well as by its colour. The colours are Okabe and Ito's, on a panel of
its own ground.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from cuelens.light import flash_limit
from cuelens.light.cue_lights import PRESS, TROUBLE, light_pattern, lights
from cuelens.light.patterns import BREATH_S, moment
from cuelens.profile import language
from cuelens.profile.cue_book import LightCue
from cuelens.profile.profile import Profile
from cuelens.runtime import gestures

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "wearer"
EXPRESSIONS: Final = ("happy", "surprise", "sad", "angry", "disgust", "fear")
OTHERS: Final = {
    "face": "A face is there.",
    "unsure": "Not sure.",
    "nobody": "Nobody is there.",
    "neutral": "The face looks calm.",
    "guess": "A game: what do you think?",
    "pressed": "The glasses felt your press.",
    "muted": "Quiet now.",
    "unmuted": "The lights come again.",
    "paused": "The camera is off.",
    "resumed": "The camera is on again.",
    "session began": "We begin.",
    "session ended": "We are done. The glasses rest.",
    "too dark": "It is too dark to see.",
    "trouble": "No picture. Tell an adult.",
}
"""What each light that is about no expression tells the child."""
FOR_ADULTS: Final = frozenset({"code", "calibrate"})
"""Lights that come while an adult sets the glasses up."""
COLOURS: Final = {
    "#F0E442": "yellow",
    "#56B4E9": "light blue",
    "#0072B2": "blue",
    "#D55E00": "red",
    "#009E73": "green",
    "#CC79A7": "pink",
    "#E69F00": "orange",
    "#BCBCBC": "white",
    "#808080": "soft white",
    "#707070": "soft white",
}
_SOFT: Final = "soft white"
_WIDTH, _ROW, _TOP = 760, 84, 14
_STRIP_X, _STRIP_WIDTH, _STRIP_HEIGHT = 330, 410, 52
_LONGEST_S: Final = 5.0
_STEP_S: Final = 0.05
_STYLE: Final = (
    ".panel{fill:#fffdf6;stroke:#586e75}.night{fill:#20242a}text{font:17px sans-serif;fill:#073642}"
    ".small{font-size:13px}.line{fill:none;stroke:#073642;stroke-width:3;stroke-linecap:round}"
    ".skin{fill:#f4e3c8;stroke:#073642;stroke-width:2.5}.ink{fill:#073642}.pale{fill:#fff}"
    ".number{font-size:17px;font-weight:bold;text-anchor:middle}"
)
_FACES: Final = {
    "happy": ("M-12 -8v4M12 -8v4M-14 6Q0 22 14 6", ""),
    "surprise": ("M-17 -17Q-12 -22 -7 -17M7 -17Q12 -22 17 -17M-12 -8v4M12 -8v4", '<ellipse cy="12" rx="6" ry="8"/>'),
    "sad": ("M-17 -12L-8 -17M17 -12L8 -17M-12 -7v4M12 -7v4M-12 16Q0 4 12 16", ""),
    "angry": ("M-18 -17L-7 -11M18 -17L7 -11M-12 -7v4M12 -7v4M-11 13H11", ""),
    "disgust": ("M-17 -9H-8M17 -9H8M-4 -2L0 1L4 -2M-13 12Q-6 5 0 11T13 9", ""),
    "fear": (
        "M-18 -14L-8 -20M18 -14L8 -20M-13 14Q-9 9 -4 14T4 14T13 14",
        '<circle cx="-12" cy="-6" r="4"/><circle cx="12" cy="-6" r="4"/>',
    ),
}
"""Brows, eyes and mouth as strokes, and what is filled, around the middle of a face of 28 pixels."""


def pictures() -> dict[str, str]:
    """Return all pictures by the name of their file."""
    return {
        "glasses.svg": glasses(),
        "looks.svg": looks(),
        "other-lights.svg": other_lights(),
        "button.svg": button(),
    }


def looks() -> str:
    """Draw each expression with its light and its words."""
    book, says = lights(Profile()), language.read("en").says()
    rows = []
    for number, word in enumerate(EXPRESSIONS):
        y = _TOP + number * _ROW
        rows += [_face(word, 50, y + 40), _text(96, y + 34, says[word]), _text(96, y + 56, _named(book[word]), "small")]
        rows += _strip(book[word], y + 14)
    return _drawing("Six looks of a face, each with its light", len(EXPRESSIONS), rows)


def other_lights() -> str:
    """Draw the lights that are about no expression."""
    rows = []
    for number, (word, meaning) in enumerate(OTHERS.items()):
        y = _TOP + number * _ROW
        cue = other(word)
        rows += [_text(20, y + 34, meaning), _text(20, y + 56, _named(cue), "small"), *_strip(cue, y + 14)]
        if word == "trouble":
            rows.append(_text(_STRIP_X + 290, y + 46, "and on and on", "small pale"))
    return _drawing("The other lights, and what each tells", len(OTHERS), rows)


def other(word: str) -> LightCue:
    """Return the light of a word of OTHERS."""
    built_in = {"pressed": PRESS, "trouble": TROUBLE}
    return built_in[word] if word in built_in else lights(Profile())[word]


def button() -> str:
    """Draw the wearer's three presses over time."""
    short_s, pause_s, hold_s = 0.25, gestures.NEXT_S / 2, gestures.HOLD_S + 0.5
    presses = (
        ("press once", "What now?", ((0.3, short_s),)),
        (
            "press twice, fast",
            "Camera off. Twice again: camera on.",
            ((0.3, short_s), (0.3 + short_s + pause_s, short_s)),
        ),
        (f"hold for {hold_s:g} seconds", "Quiet. Later hold again: lights come again.", ((0.3, hold_s),)),
    )
    rows = []
    for number, (how, what, holds) in enumerate(presses):
        y = _TOP + number * _ROW
        rows += [_text(20, y + 34, how), _text(20, y + 56, what, "small")]
        rows.append(
            f'<rect x="{_STRIP_X}" y="{y + 14}" width="{_STRIP_WIDTH}" height="{_STRIP_HEIGHT}" rx="8" class="night"/>'
        )
        for begin_s, length_s in holds:
            x, width = _STRIP_X + begin_s * _scale(), length_s * _scale()
            rows.append(f'<rect x="{x:.1f}" y="{y + 24}" width="{width:.1f}" height="32" rx="6" class="pale"/>')
    return _drawing("Three ways to press the button", len(presses), rows)


def glasses() -> str:
    """Draw a pair of glasses from the front, with its four parts by number."""
    parts = ("the camera", "your light", "your button", "red light: camera is on")
    rows = [
        '<circle cx="150" cy="130" r="62" class="line"/><circle cx="330" cy="130" r="62" class="line"/>',
        '<path d="M212 118Q240 98 268 118M88 118L52 104M392 118L428 104" class="line"/>',
        '<rect x="226" y="72" width="28" height="22" rx="5" class="ink"/><circle cx="240" cy="83" r="6" class="pale"/>',
        '<circle cx="270" cy="83" r="6" fill="#D55E00" stroke="#073642" stroke-width="2"/>',
        '<circle cx="408" cy="96" r="9" fill="#F0E442" stroke="#073642" stroke-width="2"/>',
        '<rect x="40" y="86" width="26" height="12" rx="4" class="ink"/>',
    ]
    for number, (x, y) in enumerate(((240, 52), (408, 72), (53, 66), (290, 62)), 1):
        rows.append(_text(x, y, str(number), "number"))
    for number, what in enumerate(parts, 1):
        rows.append(_text(480, 24 + 44 * number, f"{number}  {what}"))
    return _drawing("A pair of glasses with camera, light, button and red light", 0, rows, height=220)


def _scale() -> float:
    """Return the pixels of a second."""
    return (_STRIP_WIDTH - 20) / _LONGEST_S


def _strip(cue: LightCue, y: float) -> Iterator[str]:
    """Yield a light as its level over time."""
    pattern = light_pattern(cue, 100)
    seconds = min(flash_limit.lasts_s(pattern), _LONGEST_S)
    steps = round(seconds / _STEP_S)
    floor, tall = y + _STRIP_HEIGHT - 6, _STRIP_HEIGHT - 12
    points = [(step * _STEP_S, moment(pattern, min(step * _STEP_S, seconds - 1e-6)).level) for step in range(steps + 1)]
    line = " ".join(f"{_STRIP_X + 10 + t * _scale():.1f},{floor - level * tall:.1f}" for t, level in points)
    first, last = _STRIP_X + 10, _STRIP_X + 10 + seconds * _scale()
    name = COLOURS[cue.colour]
    fill, opacity = ("#ffffff", 0.6 if name == _SOFT else 1) if "white" in name else (cue.colour, 1)
    yield f'<rect x="{_STRIP_X}" y="{y:.0f}" width="{_STRIP_WIDTH}" height="{_STRIP_HEIGHT}" rx="8" class="night"/>'
    yield (
        f'<polygon points="{first:.1f},{floor:.1f} {line} {last:.1f},{floor:.1f}" fill="{fill}"'
        f' fill-opacity="{opacity}" stroke="#ffffff" stroke-width="1.2"/>'
    )


def _named(cue: LightCue) -> str:
    """Return a light in words: its colour, and how it comes."""
    if cue.pattern == "breath":
        breaths = round(flash_limit.lasts_s(light_pattern(cue, 100)) / BREATH_S)
        how = {1: "one slow breath", 2: "two slow breaths"}[breaths]
    else:
        how = f"{'comes and goes' if cue.pattern == 'fade' else 'stays'}, {'long' if cue.light_s >= 2 else 'short'}"
    return f"{COLOURS[cue.colour]}, {how}"


def _face(word: str, x: float, y: float) -> str:
    strokes, filled = _FACES[word]
    return (
        f'<g transform="translate({x} {y})"><circle r="28" class="skin"/><path d="{strokes}" class="line"/>'
        f'<g class="ink">{filled}</g></g>'
    )


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    known = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{known}>{escape(words)}</text>'


def _drawing(label: str, count: int, rows: list[str], height: int = 0) -> str:
    height = height or 2 * _TOP + count * _ROW
    box = f"0 0 {_WIDTH} {height}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-label="{escape(label)}">',
            f"<style>{_STYLE}</style>",
            f'<rect x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="12" class="panel"/>',
            *rows,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, drawing in pictures().items():
        (FOLDER / name).write_text(drawing, "utf-8")
        print(FOLDER / name)
