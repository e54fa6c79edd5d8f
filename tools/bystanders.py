"""The cards for bystanders in docs/bystanders: what `make bystanders` draws of the texts there, one a language.

A card is as large as a postcard (A6). It has the text, and a QR code of that very text: a phone shows it without a
network, and no server learns who has read it.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import segno

from cuelens.profile import language

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "bystanders"
PAGE: Final = ROOT / "docs" / "bystanders.md"
CARDS: Final = re.compile(r"(<!-- cards, by `make bystanders` -->\n)(.*?)(<!-- end of the cards -->)", re.DOTALL)
TITLES: Final = {
    "en": "Glasses with a camera",
    "de": "Eine Brille mit Kamera",
    "es": "Gafas con cámara",
    "fr": "Des lunettes avec caméra",
    "ar": "نظارة فيها كاميرا",
}
_RIGHT_TO_LEFT: Final = frozenset({"ar"})
_WIDTH_MM, _HEIGHT_MM, _EDGE_MM = 148.0, 105.0, 6.0
_QR_MM: Final = 57.0
_LETTERS: Final = 39
"""Of a line."""
_LINE_MM: Final = 4.7


def text(code: str) -> str:
    """Return the text of a language, in one line."""
    return (FOLDER / f"{code}.txt").read_text("utf-8").strip()


def card(code: str) -> str:
    """Return the card of a language as an SVG."""
    lines = textwrap.wrap(text(code), _LETTERS, break_on_hyphens=False)
    is_right = code in _RIGHT_TO_LEFT
    x = _WIDTH_MM - _EDGE_MM if is_right else _EDGE_MM
    flow = ' direction="rtl"' if is_right else ""
    words = [f'<text x="{x}" y="14" class="title"{flow}>{escape(TITLES[code])}</text>']
    words += [
        f'<text x="{x}" y="{23 + number * _LINE_MM:.1f}"{flow}>{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    label = escape(text(code), {'"': "&quot;"})
    size = f'width="{_WIDTH_MM:g}mm" height="{_HEIGHT_MM:g}mm" viewBox="0 0 {_WIDTH_MM:g} {_HEIGHT_MM:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} lang="{code}" role="img" aria-label="{label}">',
            "<style>text{font:3.4px sans-serif;fill:#000}.title{font-size:6px;font-weight:bold}</style>",
            f'<rect width="{_WIDTH_MM:g}" height="{_HEIGHT_MM:g}" rx="3" fill="#fff"/>',
            *words,
            _code(text(code), _EDGE_MM if is_right else _WIDTH_MM - _EDGE_MM - _QR_MM),
            "</svg>\n",
        ]
    )


def _code(content: str, x_mm: float) -> str:
    """Return the QR code of a text, as one path of runs of dark squares."""
    # Level L: a larger square is worth more on paper than a better correction of errors.
    matrix = segno.make_qr(content, error="l", boost_error=False, encoding="utf-8").matrix
    scale = _QR_MM / len(matrix)
    runs = "".join(
        f"M{column} {row}h{length}v1h-{length}z" for row, line in enumerate(matrix) for column, length in _runs(line)
    )
    y_mm = (_HEIGHT_MM - _QR_MM) / 2
    return f'<path class="code" d="{runs}" transform="translate({x_mm:g} {y_mm:g}) scale({scale:.5f})"/>'


def _runs(line: bytearray) -> Iterator[tuple[int, int]]:
    """Yield begin and length of each run of dark squares."""
    for match in re.finditer(rb"\x01+", bytes(line)):
        yield match.start(), len(match[0])


def cards() -> str:
    """Return the part of the page that shows all cards."""
    parts = []
    for code in language.available():
        parts += [f"## {language.read(code).name}", "", f"![{TITLES[code]}](bystanders/{code}.svg)", ""]
        parts += [f"> {line}" for line in textwrap.wrap(text(code), 116)]
        parts.append("")
    return "\n".join(parts)


def filled(page: str) -> str:
    """Return the page with the cards as they are."""
    return CARDS.sub(lambda match: f"{match[1]}{cards()}{match[3]}", page)


if __name__ == "__main__":
    for name in language.available():
        (FOLDER / f"{name}.svg").write_text(card(name), "utf-8")
        print(FOLDER / f"{name}.svg")
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
