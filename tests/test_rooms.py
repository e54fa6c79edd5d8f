"""No import points up: the tables of rooms in docs/design.md against the imports of the code."""

import re
from pathlib import Path

import pytest

from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]


house = load("house")


@pytest.mark.parametrize("package", house.PACKAGES)
def test_every_room_stands_in_the_table_and_every_row_is_a_room(package: str) -> None:
    rooms = {house.room_of(name) for name in house.modules(house.PACKAGES[package]) if name != package}
    assert set(house.table(package)) == rooms


@pytest.mark.parametrize("package", house.PACKAGES)
def test_a_row_names_lower_rows_only(package: str) -> None:
    rooms = house.table(package)
    order = list(rooms)
    up = [(room, other) for room in rooms for other in rooms[room] if order.index(other) <= order.index(room)]
    assert up == []


@pytest.mark.parametrize("package", house.PACKAGES)
def test_no_import_leaves_the_table(package: str) -> None:
    rooms = house.table(package)
    wrong = [
        f"{found.file} imports {found.module}: {above} may import {', '.join(rooms[above]) or 'no other room'}"
        for (above, under), imports in house.arrows(house.PACKAGES[package]).items()
        if under not in rooms[above]
        for found in imports
    ]
    assert wrong == []


@pytest.mark.parametrize("package", house.PACKAGES)
def test_a_row_names_nothing_that_is_not_imported(package: str) -> None:
    listed = {(room, other) for room, others in house.table(package).items() for other in others}
    assert listed - set(house.arrows(house.PACKAGES[package])) == set()


def test_the_drawing_shows_the_imports_as_they_are() -> None:
    svg = house.DRAWING.read_text("utf-8")
    assert house.drawn(svg) == set(house.arrows(house.PACKAGES["cuelens"])), "run `make house`"


def test_the_map_names_each_room_once_and_only_files_that_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(house.table("cuelens"))
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", text))
    assert len(named) > 20
    places = (house.PACKAGES["cuelens"], ROOT)
    assert {name for name in named if not any((place / name).is_file() for place in places)} == set()


def test_an_import_that_points_up_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "cuelens"
    for room, text in (("cues", "def step():\n    from cuelens.runtime import loop\n"), ("runtime", "")):
        (package / room).mkdir(parents=True)
        (package / room / "loop.py").write_text(text)
        (package / room / "__init__.py").touch()
    (package / "__init__.py").touch()
    assert house.arrows(package) == {
        ("cues", "runtime"): [house.Import("cues/loop.py", "cuelens.runtime.loop")],
    }


def test_rooms_in_a_circle_have_no_floor() -> None:
    with pytest.raises(ValueError, match="in a circle: a -> b -> a"):
        house.floors({("a", "b"): [], ("b", "a"): []})
