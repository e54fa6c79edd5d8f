"""The anatomy of a beat: what a typical beat of each kind does, in the order and length in which it does it."""

import math
from collections.abc import Sequence
from typing import Any, Final

from benchmarks.plots.axes import Axes, Scale
from benchmarks.plots.canvas import GLYPH, NOTES, Canvas, Label, legend

_LEFT, _RIGHT = 40.0, 690.0
_BLOCK, _BAR = 148.0, 22.0
_TITLES: Final = {
    "nobody followed": "nobody is followed: parts of the frame are searched",
    "a face followed and read": "a face is followed and read",
    "a face followed only": "a face is followed, and not read in this beat",
}
_COLOURS: Final = {"look": "blue", "read": "vermilion", "decide": "green", "cascade": "blue", "invoke": "vermilion"}
_WORDS: Final = {"look": "look for faces", "read": "read the face", "decide": "settle and decide"}
_UNIT: Final = "milliseconds of processor time on one x86-64 core"
_APART: Final = 14.0
"""Least room between two labels."""
_WHAT: Final = (
    "For each kind of beat a bar over milliseconds of processor time, split into looking for faces, reading the face, "
    "and settling and deciding. A second bar shows which of that time is spent in OpenCV's cascade and in the model's "
    "runtime."
)


def draw(figures: dict[str, Any]) -> str:
    """Return the picture of docs/results/beat.json."""
    kinds = [kind for kind in _TITLES if kind in figures["kinds"]]
    bottom = 92 + _BLOCK * len(kinds)
    canvas = Canvas(720, bottom + 78, "The anatomy of a beat", _WHAT)
    longest = max(figures["kinds"][kind]["typical"]["whole"] for kind in kinds)
    step = next(step for step in (0.25, 0.5, 1, 2, 5) if longest <= 8 * step)
    last = step * math.ceil(longest / step)
    axes = Axes(canvas, Scale(0, last, _LEFT, _RIGHT), Scale(0, 1, bottom, 84))
    axes.ticks_x([step * number for number in range(round(last / step) + 1)], _UNIT)
    entries = [("OpenCV's cascade", "square", "blue", False), ("the model's runtime", "square", "vermilion", False)]
    end = legend(canvas, 18, 62, entries)
    canvas.say("hollow: all that is done around them", end + 4, 62, size=NOTES, tone="faint")
    for number, kind in enumerate(kinds):
        _beat(axes, 92 + _BLOCK * number, kind, figures["kinds"][kind])
    rest = f"A beat may begin every {figures['period']:g} ms: most of the time the glasses wait for the next frame."
    canvas.say(rest, 18, bottom + 66, size=NOTES, tone="faint")
    return canvas.svg()


def _beat(axes: Axes, top: float, kind: str, of: dict[str, Any]) -> None:
    """Draw a typical beat of one kind."""
    typical = of["typical"]
    words = f"{_TITLES[kind]}: {typical['whole']:.1f} ms, the median of {of['beats']} beats"
    axes.canvas.say(words, 18, top + 14)
    bar = top + 58
    parts = [span for span in typical["spans"] if span[1] == 0]
    labels = _beside(axes, parts, bar - 12)
    for (part, _, begin, end), label in zip(parts, labels, strict=True):
        left, right = axes.x(begin), axes.x(end)
        axes.canvas.box(
            left, bar, right - left, 2 * _BAR, f"hollow thin l-{_COLOURS[part]}", f"{part}: {_ms(begin, end)}"
        )
        axes.canvas.line((((left + right) / 2, bar), (label.x, bar - 8)), f"thin l-{_COLOURS[part]}")
        axes.canvas.labels.append(label)
    for part, depth, begin, end in typical["spans"]:
        if depth:
            left, right = axes.x(begin), axes.x(end)
            axes.canvas.box(
                left, bar + 8, right - left, 2 * _BAR - 16, f"f-{_COLOURS[part]}", f"{part}: {_ms(begin, end)}"
            )


def _beside(axes: Axes, parts: Sequence[Sequence[Any]], y: float) -> list[Label]:
    """Return a label for each part, above its middle, moved aside where two would meet or one would leave the plot."""
    words = [f"{_WORDS[part]} {_ms(begin, end)}" for part, _, begin, end in parts]
    halves = [len(text) * NOTES * GLYPH / 2 for text in words]
    middles = [(axes.x(begin) + axes.x(end)) / 2 for _, _, begin, end in parts]
    right = _RIGHT
    for place in reversed(range(len(parts))):
        middles[place] = min(middles[place], right - halves[place])
        right = middles[place] - halves[place] - _APART
    left = _LEFT
    for place in range(len(parts)):
        middles[place] = max(middles[place], left + halves[place])
        left = middles[place] + halves[place] + _APART
    tones = [_COLOURS[part] for part, *_ in parts]
    return [Label(text, x, y, "middle", NOTES, tone) for text, x, tone in zip(words, middles, tones, strict=True)]


def _ms(begin: float, end: float) -> str:
    return f"{end - begin:.2f} ms"
