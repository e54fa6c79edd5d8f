"""The drawing of the wires and the table beside it against the settings, and against the header of the boards."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cuelens.settings import Pins, SingleLed
from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]


load("safety")
wiring = load("wiring")
DRAWING = (ROOT / "docs" / "makers" / "wiring.svg").read_text("utf-8")
PAGE = (ROOT / "docs" / "makers" / "wiring.md").read_text("utf-8")


def _wires(pins: Pins) -> list[tuple[str, object]]:
    return [(part.name, wire) for part in wiring.parts(pins) for wire in part.wires]


def test_the_drawing_and_the_table_are_those_of_the_settings_as_they_are() -> None:
    found = wiring.parts(Pins())
    assert wiring.drawing(found) == DRAWING, "run `make wiring`"
    match = wiring.TABLE.search(PAGE)
    assert match
    assert match[2] == wiring.table(found), "run `make wiring`"


def test_every_default_pin_is_drawn_once_and_no_header_pin_has_two_wires() -> None:
    pins = Pins()
    wires = [wire for _, wire in _wires(pins)]
    gpios = [wire.gpio for wire in wires if wire.gpio is not None]
    wanted = {pins.red, pins.green, pins.blue, pins.button, pins.capture, 18, 19, 21}
    assert len(gpios) == len(wanted)
    assert set(gpios) == wanted
    assert len({wire.header for wire in wires}) == len(wires)
    drawn = re.findall(r"<title>pin (\d+) -&gt; ", DRAWING)
    assert sorted(map(int, drawn)) == sorted(wire.header for wire in wires)


@pytest.mark.parametrize(
    ("gpio", "header"),
    # From pinout.xyz and the boards' schematics: the corners of the header, and what cuelens uses.
    [(2, 3), (14, 8), (17, 11), (18, 12), (27, 13), (22, 15), (23, 16), (24, 18), (0, 27), (1, 28), (19, 35), (21, 40)],
)
def test_a_gpio_is_where_the_boards_have_it(gpio: int, header: int) -> None:
    assert wiring.HEADER[gpio] == header


def test_the_header_is_whole() -> None:
    assert sorted(wiring.HEADER) == list(range(28))
    assert wiring.GROUNDS == (6, 9, 14, 20, 25, 30, 34, 39)
    others = {1, 2, 4, 17, *wiring.GROUNDS}
    assert sorted(others | set(wiring.HEADER.values())) == list(range(1, 41))


def test_other_settings_give_another_drawing() -> None:
    other = Pins(red=5, green=6, blue=13, button=26, capture=16)
    headers = {wire.gpio: wire.header for _, wire in _wires(other)}
    assert [headers[gpio] for gpio in (5, 6, 13, 26, 16)] == [29, 31, 33, 37, 36]
    drawn = wiring.drawing(wiring.parts(other))
    assert drawn != DRAWING
    ET.fromstring(drawn)  # noqa: S314 - it is ours


@pytest.mark.parametrize(
    "pins", [Pins(single=(SingleLed(5, "#F0E442"),)), Pins(button="none"), Pins(capture="none")], ids=repr
)
def test_what_the_drawing_does_not_show_is_refused(pins: Pins) -> None:
    with pytest.raises(ValueError, match="shows an RGB LED, a button and a capture light"):
        wiring.parts(pins)


def test_no_wire_is_known_by_its_colour_alone() -> None:
    words = [text.text or "" for text in ET.fromstring(DRAWING).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    for _, wire in _wires(Pins()):
        assert any(f"{wire.colour}, pin {wire.header}" in word for word in words)
        assert str(wire.header) in words


def test_signals_of_one_part_have_different_colours() -> None:
    for part in wiring.parts(Pins()):
        colours = [wire.colour for wire in part.wires]
        assert len(set(colours)) == len(colours)
        assert set(colours) <= set(wiring.COLOURS)
