"""How the glasses are wired: docs/makers/wiring.svg and the table beside it, which `make wiring` makes of the settings.

Pins are those of the settings' defaults; resistors are those of tools/safety.py. Each wire is named by pin, colour and
end, so that no wire is known by its colour alone. The colours are Okabe and Ito's, on a panel of its own ground.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import safety

from cuelens.profile.profile import Profile
from cuelens.settings import Pins

ROOT: Final = Path(__file__).resolve().parents[1]
DRAWING: Final = ROOT / "docs" / "makers" / "wiring.svg"
PAGE: Final = ROOT / "docs" / "makers" / "wiring.md"
TABLE: Final = re.compile(r"(<!-- table: pins, by `make wiring` -->\n)(.*?)(<!-- end of the table -->)", re.DOTALL)

_ON_THE_HEADER: Final = re.findall(
    r"\S+", "3V3 5V 2 5V 3 G 4 14 G 15 17 18 27 G 22 23 3V3 24 10 G 9 25 11 8 G 7 0 1 5 G 6 12 13 G 19 16 26 20 G 21"
)
HEADER: Final = {int(what): pin for pin, what in enumerate(_ON_THE_HEADER, 1) if what.isdigit()}
"""The place of each GPIO on the header of 40 pins (Raspberry Pi documentation, GPIO); all boards with it are alike."""
GROUNDS: Final = tuple(pin for pin, what in enumerate(_ON_THE_HEADER, 1) if what == "G")
_SUPPLY, _SUPPLY_OF_THE_AMPLIFIER, _GROUND_OF_THE_SUPPLY = 2, 4, 6
BIT_CLOCK, WORD_CLOCK, SOUND_DATA = 18, 19, 21
"""The GPIO numbers of I2S: the boards have them in no other place."""
CAPTURE_OHM: Final = 470
GAIN_DB, GAIN_OHM = 3, 100_000
"""The least gain of the amplifier, and the resistor from GAIN to VIN that chooses it (MAX98357A data sheet)."""

COLOURS: Final = {
    "red": "#D55E00",
    "black": "#000000",
    "orange": "#E69F00",
    "green": "#009E73",
    "blue": "#0072B2",
    "yellow": "#F0E442",
    "violet": "#CC79A7",
    "sky blue": "#56B4E9",
    "grey": "#999999",
    "white": "#FFFFFF",
}
_DARK: Final = {"black", "blue", "green"}
"""Grounds on which a number is pale."""
_ROW, _TOP, _PIN_GAP = 26, 64, 26
_WIDTH, _BOX = 960, 320
_CENTRE: Final = _WIDTH / 2


@dataclass(frozen=True, slots=True)
class Wire:
    """One wire. header: its pin. gpio: 0 to 27, None for a supply or ground. end: where it goes, what is between."""

    header: int
    gpio: int | None
    colour: str
    end: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part and its wires, ground last."""

    name: str
    wires: tuple[Wire, ...]


def parts(pins: Pins) -> list[Part]:
    """Return the parts. Raises ValueError without an RGB LED, a button or a capture light."""
    if pins.single or pins.button == "none" or pins.capture == "none":
        raise ValueError("the drawing shows an RGB LED, a button and a capture light")
    red, green, blue = (_ohm(ohm) for ohm in safety.resistors(safety.Led()))
    supply = (Wire(_SUPPLY, None, "red", "5 V"), Wire(_GROUND_OF_THE_SUPPLY, None, "black", "ground"))
    light = (
        _signal(pins.red, "orange", f"red, {red}"),
        _signal(pins.green, "green", f"green, {green}"),
        _signal(pins.blue, "blue", f"blue, {blue}"),
    )
    button = (_signal(pins.button, "yellow", "one contact"),)
    capture = (_signal(pins.capture, "violet", f"anode, {_ohm(CAPTURE_OHM)}"),)
    amplifier = (
        Wire(_SUPPLY_OF_THE_AMPLIFIER, None, "red", "VIN"),
        _signal(BIT_CLOCK, "sky blue", "BCLK"),
        _signal(WORD_CLOCK, "grey", "LRC"),
        _signal(SOUND_DATA, "white", "DIN"),
    )
    free = [pin for pin in GROUNDS if pin != _GROUND_OF_THE_SUPPLY]
    return [
        Part("supply: cell, charger, converter to 5 V", supply),
        _grounded("the wearer's light: RGB LED", light, "common cathode", free),
        _grounded("the wearer's button", button, "the other contact", free),
        _grounded("the capture light: red LED", capture, "cathode", free),
        _grounded("amplifier MAX98357A", amplifier, "GND", free),
    ]


def table(found: Sequence[Part]) -> str:
    """Return the wires as a table, in the order of the header."""
    rows = sorted((wire.header, wire, part.name) for part in found for wire in part.wires)
    lines = ["| header pin | GPIO | wire | part | its end |", "|---|---|---|---|---|"]
    for header, wire, name in rows:
        lines.append(f"| {header} | {_what(wire)} | {wire.colour} | {name} | {wire.end} |")
    return "".join(f"{line}\n" for line in lines)


def drawing(found: Sequence[Part]) -> str:
    """Return the header, the parts and the wires as an SVG that can be read on light and dark."""
    left = [part for part in found if _side(part) < 0]
    right = [part for part in found if _side(part) > 0]
    height = _TOP + 20 * _PIN_GAP + 40
    lines: list[str] = []
    boxes: list[str] = []
    for side, column in ((-1, left), (1, right)):
        y = _TOP - 34
        for part in column:
            tall = _ROW * (len(part.wires) + 1) + 8
            x = 20 if side < 0 else _WIDTH - 20 - _BOX
            boxes.append(f'<rect x="{x}" y="{y}" width="{_BOX}" height="{tall}" rx="6" class="part"/>')
            boxes.append(f'<text x="{x + 12}" y="{y + 21}" class="name">{escape(part.name)}</text>')
            for number, wire in enumerate(part.wires):
                at = y + 34 + number * _ROW + 8
                edge = x + _BOX if side < 0 else x
                lines += _wire(wire, side, edge, at)
                boxes.append(f'<text x="{x + 12}" y="{at + 5}">{escape(_label(wire))}</text>')
            y += tall + 12
        if side < 0:
            boxes += _notes(y)
    style = (
        ".panel{fill:#fdf6e3;stroke:#586e75}.part{fill:#fffdf6;stroke:#586e75}.board{fill:#eee8d5;stroke:#586e75}"
        "text{font:12.5px sans-serif;fill:#073642}.name{font-weight:bold}"
        ".number{font-size:11px;text-anchor:middle}.pale{fill:#fff}"
        ".case{fill:none;stroke:#073642;stroke-width:5}.wire{fill:none;stroke-width:3}.free{fill:#93a1a1}"
        ".used{stroke:#073642;stroke-width:1.5}"
    )
    what = "How light, button, capture light, amplifier and supply are wired to the header"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{what}">',
            f"<style>{style}</style>",
            f'<rect x="1" y="1" width="{_WIDTH - 2}" height="{height - 2}" rx="10" class="panel"/>',
            f'<rect x="{_CENTRE - 48}" y="{_TOP - 34}" width="96" height="{20 * _PIN_GAP + 30}" rx="6" class="board"/>',
            f'<text x="{_CENTRE}" y="{_TOP - 14}" class="number">pins 1, 2</text>',
            *lines,
            *_pins(found),
            *boxes,
            "</svg>\n",
        ]
    )


def _notes(y: float) -> Iterator[str]:
    """Yield what is wired behind the amplifier, where no pin of the header is."""
    ohm = safety.series_ohm(safety.Speaker(), GAIN_DB, Profile().sound.ceiling_percent)
    lines = (
        f"GAIN: {_ohm(GAIN_OHM)} to VIN, for a gain of {GAIN_DB} dB",
        f"OUT+: {_ohm(ohm)}, then a speaker at the ear",
        "OUT-: the speaker's other end",
        "pins 1 and 2 are those next to the card",
    )
    yield f'<rect x="20" y="{y}" width="{_BOX}" height="{_ROW * (len(lines) + 1) + 8}" rx="6" class="part"/>'
    yield f'<text x="32" y="{y + 21}" class="name">behind the amplifier</text>'
    for number, line in enumerate(lines):
        yield f'<text x="32" y="{y + 47 + number * _ROW}">{escape(line)}</text>'


def _pins(found: Sequence[Part]) -> Iterator[str]:
    used = {wire.header: wire for part in found for wire in part.wires}
    for pin in range(1, 41):
        x, y = _place(pin)
        if pin in used:
            colour = used[pin].colour
            tone = "number pale" if colour in _DARK else "number"
            yield f'<circle cx="{x:.0f}" cy="{y}" r="11" fill="{COLOURS[colour]}" class="used"/>'
            yield f'<text x="{x:.0f}" y="{y + 4}" class="{tone}">{pin}</text>'
        else:
            yield f'<circle cx="{x:.0f}" cy="{y}" r="3" class="free"/>'


def _wire(wire: Wire, side: int, edge: float, at: float) -> Iterator[str]:
    """Yield a wire from its pin to the edge of a part; one of the far row passes between two pins of the near one."""
    x, y = _place(wire.header)
    far = (wire.header % 2 == 1) == (side > 0)
    way = f"M{x:.0f} {y}" + (f"v{_PIN_GAP // 2}" if far else "")
    bend_x, bend_y = _CENTRE + side * 48, y + (_PIN_GAP // 2 if far else 0)
    middle = (bend_x + edge) / 2
    way += f"H{bend_x:.0f}C{middle:.0f} {bend_y} {middle:.0f} {at:.0f} {edge:.0f} {at:.0f}"
    yield f'<path d="{way}" class="case"/>'
    title = f"<title>{escape(f'pin {wire.header} -> {wire.end}')}</title>"
    yield f'<path d="{way}" class="wire" stroke="{COLOURS[wire.colour]}">{title}</path>'


def _place(pin: int) -> tuple[float, int]:
    return _CENTRE + (-13 if pin % 2 else 13), _TOP + (pin - 1) // 2 * _PIN_GAP + 8


def _grounded(name: str, signals: tuple[Wire, ...], end: str, free: list[int]) -> Part:
    """Return a part with the nearest of the `free` grounds, which is taken from them; one of its own side if it can."""
    last = signals[-1].header
    ground = min(free, key=lambda pin: ((pin - last) % 2, abs(pin - last)))
    free.remove(ground)
    return Part(name, (*signals, Wire(ground, None, "black", end)))


def _side(part: Part) -> int:
    """Return -1 for a part whose signals leave the header mostly on the left, where the odd pins are, else 1."""
    odd = sum(wire.header % 2 for wire in part.wires[:-1])
    return -1 if 2 * odd > len(part.wires) - 1 else 1


def _signal(gpio: int, colour: str, end: str) -> Wire:
    return Wire(HEADER[gpio], gpio, colour, end)


def _label(wire: Wire) -> str:
    return f"{wire.end}: {wire.colour}, pin {wire.header}" + ("" if wire.gpio is None else f" (GPIO {wire.gpio})")


def _what(wire: Wire) -> str:
    if wire.gpio is not None:
        return str(wire.gpio)
    return "ground" if wire.header in GROUNDS else "5 V"


def _ohm(ohm: int) -> str:
    return f"{ohm / 1000:g} kOhm" if ohm >= 1000 else f"{ohm} Ohm"


def main() -> None:
    found = parts(Pins())
    DRAWING.write_text(drawing(found), "utf-8")
    PAGE.write_text(TABLE.sub(lambda match: match[1] + table(found) + match[3], PAGE.read_text("utf-8")), "utf-8")
    print(DRAWING, PAGE, sep="\n")


if __name__ == "__main__":
    main()
