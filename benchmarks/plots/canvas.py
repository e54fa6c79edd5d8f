"""A picture in SVG: a panel of its own ground, axes, marks and words.

The same figures give the same bytes, whatever is installed. Panel, words and colours follow the reader's choice of
light or dark together, so they are readable on any page. The colours are Okabe and Ito's, darkened for the light panel
and lightened for the dark one. Each series has a shape of its own too.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

GROUND: Final = ("#fdf6e3", "#161b22")
"""Of the panel, in light and in dark."""
INK: Final = ("#073642", "#e6edf3")
FAINT: Final = ("#586e75", "#9da7b1")
"""Of ticks, notes and axes."""
COLOURS: Final = {
    "blue": ("#0072b2", "#56b4e9"),
    "vermilion": ("#b84b00", "#ff8c42"),
    "green": ("#00795a", "#2fc79a"),
    "violet": ("#a3557f", "#e3a0c6"),
    "orange": ("#8a5f00", "#e6b84a"),
    "grey": ("#6b6b6b", "#a5adb5"),
}
"""Of series, in light and in dark."""
WORDS: Final = 13.0
NOTES: Final = 12.0
TITLE: Final = 16.0
"""Sizes of letters, in pixels of a picture 720 wide."""
GLYPH: Final = 0.56
"""Mean width of a letter as a share of its height, of a wide sans-serif such as DejaVu."""
_MARGIN: Final = 18.0
_MARK: Final = 5.0


@dataclass(frozen=True, slots=True)
class Label:
    """Some words. x, y: where they are anchored, at their base line. anchor: start, middle or end."""

    words: str
    x: float
    y: float
    anchor: str = "start"
    size: float = WORDS
    tone: str = "ink"

    def box(self) -> tuple[float, float, float, float]:
        """Return about where they lie: left, top, right, bottom."""
        width = len(self.words) * self.size * GLYPH
        left = self.x - {"start": 0.0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.75 * self.size, left + width, self.y + 0.2 * self.size


class Canvas:
    """A panel that is drawn on. Lengths are in pixels, y goes down."""

    def __init__(self, width: float, height: float, title: str, what: str) -> None:
        """Begin a panel.

        Args:
            width: of the panel.
            height: of the panel.
            title: told above, and to those who do not see.
            what: a sentence or two for those who do not see: what is drawn, and what it shows.
        """
        self.width = width
        self.height = height
        self.labels: list[Label] = []
        self._title = title
        self._what = what
        self._parts: list[str] = []
        self.say(title, _MARGIN, _MARGIN + TITLE, size=TITLE)

    def say(
        self, words: str, x: float, y: float, anchor: str = "start", *, size: float = WORDS, tone: str = "ink"
    ) -> None:
        """Write some words. tone: ink, faint, or a colour of `COLOURS`."""
        self.labels.append(Label(words, x, y, anchor, size, tone))

    def line(self, points: Sequence[tuple[float, float]], style: str, hint: str = "") -> None:
        """Draw a line through some points. style: classes. hint: told when it is pointed at."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._add(f'<polyline points="{places}" class="{style}"', "polyline", hint)

    def box(self, x: float, y: float, width: float, height: float, style: str, hint: str = "") -> None:
        """Draw a box."""
        size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{height:.1f}"'
        self._add(f'<rect {size} class="{style}"', "rect", hint)

    def mark(self, x: float, y: float, shape: str, colour: str, hint: str = "", *, hollow: bool = False) -> None:
        """Draw a mark. shape: round, square, diamond, triangle or cross."""
        style = f"l-{colour} mark hollow" if hollow or shape == "cross" else f"f-{colour} l-{colour} mark"
        self._add(f'<path d="{_outline(shape, x, y)}" class="{style}"', "path", hint)

    def svg(self) -> str:
        """Return the picture."""
        size = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        whole = f'x="0.5" y="0.5" width="{self.width - 1:g}" height="{self.height - 1:g}" rx="10"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title what">',
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="what">{escape(self._what)}</desc>',
                f"<style>{_style()}</style>",
                f'<rect {whole} class="panel"/>',
                *self._parts,
                *map(_written, self.labels),
                "</svg>\n",
            )
        )

    def _add(self, opened: str, element: str, hint: str) -> None:
        self._parts.append(f"{opened}><title>{escape(hint)}</title></{element}>" if hint else f"{opened}/>")


def legend(canvas: Canvas, x: float, y: float, entries: Iterable[tuple[str, str, str, bool]]) -> float:
    """Write what shapes mean, side by side. Returns the right end.

    Args:
        canvas: is drawn on.
        x: left end.
        y: base line.
        entries: of each series its words, shape, colour, and whether it is hollow.
    """
    for words, shape, colour, hollow in entries:
        canvas.mark(x + _MARK, y - 4.5, shape, colour, hollow=hollow)
        canvas.say(words, x + 3 * _MARK, y, size=NOTES)
        x += 3 * _MARK + len(words) * NOTES * GLYPH + 16
    return x


def _outline(shape: str, x: float, y: float) -> str:
    """Return the path of a mark."""
    r = _MARK
    if shape == "round":
        return f"M{x - r:.1f} {y:.1f}a{r:g} {r:g} 0 1 0 {2 * r:g} 0a{r:g} {r:g} 0 1 0 {-2 * r:g} 0z"
    if shape == "square":
        return f"M{x - r + 0.5:.1f} {y - r + 0.5:.1f}h{2 * r - 1:g}v{2 * r - 1:g}h{1 - 2 * r:g}z"
    if shape == "diamond":
        return f"M{x:.1f} {y - r - 1:.1f}l{r + 1:g} {r + 1:g}l{-r - 1:g} {r + 1:g}l{-r - 1:g} {-r - 1:g}z"
    if shape == "triangle":
        return f"M{x:.1f} {y - r - 0.5:.1f}l{r + 0.5:g} {2 * r:g}h{-2 * r - 1:g}z"
    if shape == "cross":
        return f"M{x - r:.1f} {y - r:.1f}l{2 * r:g} {2 * r:g}M{x - r:.1f} {y + r:.1f}l{2 * r:g} {-2 * r:g}"
    raise ValueError(f"no mark is called {shape}")


def _written(label: Label) -> str:
    place = f'x="{label.x:.1f}" y="{label.y:.1f}"'
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    tone = label.tone if label.tone in ("ink", "faint") else f"f-{label.tone}"
    weight = ' font-weight="600"' if label.size == TITLE else ""
    return f'<text {place} class="{tone}" font-size="{label.size:g}"{anchor}{weight}>{escape(label.words)}</text>'


def _style() -> str:
    """Return the colours of light, and those that replace them in dark."""
    dark = "".join(_rules(1))
    plain = (
        "text{font-family:system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;paint-order:stroke;stroke-width:4;"
        "stroke-linejoin:round}"
        "polyline{fill:none;stroke-width:2;stroke-linejoin:round}.grid{stroke-width:1;stroke-opacity:.22}"
        ".thin{stroke-width:1.2}.dashed{stroke-dasharray:5 4}.mark{stroke-width:1.8}.hollow{fill:none}"
        ".pale{fill-opacity:.22;stroke:none}.solid{stroke:none}"
    )
    return f"{''.join(_rules(0))}{plain}@media(prefers-color-scheme:dark){{{dark}}}"


def _rules(mode: int) -> Iterable[str]:
    # Words stand on a rim of the panel's ground, so that no line of the grid runs through them.
    yield f"text{{stroke:{GROUND[mode]}}}"
    yield f".panel{{fill:{GROUND[mode]};stroke:{FAINT[mode]}}}.ink{{fill:{INK[mode]}}}.faint{{fill:{FAINT[mode]}}}"
    yield f".l-ink{{stroke:{INK[mode]}}}.l-faint{{stroke:{FAINT[mode]}}}"
    for name, pair in COLOURS.items():
        yield f".f-{name}{{fill:{pair[mode]}}}.l-{name}{{stroke:{pair[mode]}}}"


def nice(value: float) -> str:
    """Return a number for a tick."""
    return f"{value:g}" if abs(value) < 1e4 and math.isfinite(value) else f"{value:,.0f}"
