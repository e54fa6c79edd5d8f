"""The plots of the documentation: drawn from their figures as they are, readable, and told to those who do not see."""

import importlib
import re
from itertools import combinations
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest

from cuelens_models.bundle import training_record
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.data.faces import VOTES, Faces

ROOT = Path(__file__).resolve().parents[1]
SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("models.svg", "cues.svg", "latency.svg", "beat.svg", "growth.svg", "memory.svg", "smiles.svg")


@pytest.fixture
def plots(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.plots.__main__")


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.plots.canvas")


def picture(name: str) -> ET.Element:
    return ET.fromstring((ROOT / "docs" / name).read_text("utf-8"))  # noqa: S314 - our own file


def test_every_plot_is_looked_at_here(plots: ModuleType) -> None:
    assert tuple(plots.PLOTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_is_what_its_figures_give(plots: ModuleType, name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == plots.drawn(name), "run `make plots`"


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_is_told_to_those_who_do_not_see_it(name: str) -> None:
    root = picture(name)
    title, what = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert what is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {what.get('id')}"
    assert len(title.text or "") > 10
    assert len(what.text or "") > 60


@pytest.mark.parametrize("name", NAMES)
def test_a_plot_is_small_and_knows_no_date(name: str) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    assert len(text) < 30_000
    assert not re.search(r"20\d\d-\d\d|\d\d:\d\d", text)


@pytest.mark.parametrize("name", NAMES)
def test_words_are_large_enough_do_not_meet_and_stay_on_the_panel(canvas: ModuleType, name: str) -> None:
    root = picture(name)
    width, height = map(float, root.get("viewBox", "").split()[2:])
    labels = [
        canvas.Label(
            element.text,
            float(element.get("x", "")),
            float(element.get("y", "")),
            element.get("text-anchor", "start"),
            size=float(element.get("font-size", "")),
        )
        for element in root.iter(f"{SVG}text")
    ]
    assert len(labels) > 8
    assert min(label.size for label in labels) / width > 0.016
    boxes = {label.words + f" at {label.x}": label.box() for label in labels}
    for words, (left, top, right, bottom) in boxes.items():
        assert 0 <= left < right <= width, words
        assert 0 <= top < bottom <= height, words
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], f"{one!r} meets {other!r}"


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", [0, 1])
def test_words_and_marks_stand_out_in_light_and_in_dark(canvas: ModuleType, mode: int) -> None:
    for words in (canvas.INK, canvas.FAINT, *canvas.COLOURS.values()):
        assert contrast(words[mode], canvas.GROUND[mode]) >= 4.5, words


@pytest.mark.parametrize("name", NAMES)
def test_dark_replaces_every_colour_that_light_has(canvas: ModuleType, name: str) -> None:
    style = picture(name).findtext(f"{SVG}style") or ""
    light, dark = style.split("@media(prefers-color-scheme:dark)")
    for pair in (canvas.GROUND, canvas.INK, canvas.FAINT, *canvas.COLOURS.values()):
        assert pair[0] in light
        assert pair[1] in dark
    drawn = (ROOT / "docs" / name).read_text("utf-8").split("</style>")[1]
    assert not re.search(r'(fill|stroke)="', drawn)


@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        # Of each network what its authors reported, and of those that were trained here float and int8 as well.
        (
            "models.svg",
            "models.json",
            lambda found: (
                sum(1 + (one["int8"] is not None) + (one["published"] is not None) for one in found["networks"])
                + len(found["elsewhere"])
            ),
        ),
        ("cues.svg", "cues.json", lambda found: sum(map(len, found["inner"].values())) + len(found["shipped"])),
        ("smiles.svg", "smiles.json", lambda found: len(found["strengths"])),
        ("growth.svg", "growth.json", lambda found: len(found["faces"]) + len(found["widths"])),
    ],
)
def test_every_figure_has_its_mark(name: str, file: str, count: object) -> None:
    found = msgspec.json.decode((ROOT / "docs" / "results" / file).read_bytes())
    marks = [path for path in picture(name).iter(f"{SVG}path") if path.find(f"{SVG}title") is not None]
    assert callable(count)
    assert len(marks) == count(found)


def test_the_anatomy_has_a_box_for_each_part_of_a_beat() -> None:
    found = msgspec.json.decode((ROOT / "docs" / "results" / "beat.json").read_bytes())
    boxes = [box for box in picture("beat.svg").iter(f"{SVG}rect") if box.find(f"{SVG}title") is not None]
    assert len(boxes) == sum(len(kind["typical"]["spans"]) for kind in found["kinds"].values())


def test_the_times_of_the_stages_add_up_to_the_beat() -> None:
    found = msgspec.json.decode((ROOT / "docs" / "results" / "beat.json").read_bytes())
    assert len(found["kinds"]) >= 2
    for kind in found["kinds"].values():
        whole = sum(stage["mean"] for stage in kind["stages"].values())
        assert whole == pytest.approx(kind["whole"]["mean"], rel=0.01)


def test_what_the_zoo_measures_is_what_is_drawn(plots: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("keras", reason="the recipes of the zoo come with the extra train")
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    zoo = importlib.import_module("zoo")
    record = training_record.read(SHIPPED.with_suffix(".keras"))
    assert record
    float_network = {"accuracy": 0.84, "intervals": {"accuracy": [0.83, 0.85]}, "cost": {"multiply_adds": 17_500_000}}
    bundle = float_network | {"accuracy": 0.839}
    votes = np.zeros((4, len(VOTES)), np.uint8)
    votes[:3, VOTES.index("happy")] = votes[3, VOTES.index("sad")] = 10
    faces = Faces(np.zeros((4, 48, 48), np.uint8), np.full(4, -1, np.int8), votes)
    found = zoo.figures({"cuelens": zoo.Measurement(record, float_network, bundle, "nothing")}, faces)
    assert found["majority"] == {"ferplus8": 0.75}
    (network,) = found["networks"]
    assert network == {
        "name": "cuelens",
        "protocol": "ferplus8",
        "accuracy": 0.84,
        "interval": [0.83, 0.85],
        "int8": 0.839,
        "multiply_adds": 17_500_000,
        "published": None,
        "whole_training": True,
    }
    drawn = plots.models.draw(found)
    for hint in ("cuelens, float: 84.0%", "cuelens, int8: 83.9%", "majority 75.0%", "FER+ VGG13, reported: 85.0%"):
        assert hint in drawn
