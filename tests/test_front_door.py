"""README as the front door: short, with figures that stand elsewhere too, and readable where no file is beside it."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MOST_LINES = 90


def rows(text: str) -> list[str]:
    """Rows of tables with three cells, from `docs/` or from beside it alike."""
    return re.findall(r"^\| (?!what )[^|]+ \| [^|]+ \| [^|]+ \|$", text.replace("](docs/", "]("), re.MULTILINE)


def test_readme_is_a_page_that_leads_each_reader_on() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    after = README[README.index("## Where to read on") :]
    places = {
        "Wearer": "docs/wearer.md",
        "Caregivers": "docs/caregivers/README.md",
        "Makers": "docs/makers/README.md",
        "Model builders": "docs/training.md",
        "Contributors": "CONTRIBUTING.md",
    }
    for reader, page in places.items():
        assert re.search(rf"^- \*\*{reader}\*\*: .*\({page}\)", after, re.MULTILINE), reader


def test_readme_tells_the_two_commands_and_what_it_is_not() -> None:
    assert re.findall(r"^    (.+)$", README, re.MULTILINE) == ["make demo", "make test"]
    for words in ("no medical device", 'never "is happy"', "No board has run this yet"):
        assert re.search(words, README), words


def test_the_ten_figures_of_readme_are_those_of_the_page_of_figures() -> None:
    figures = rows((ROOT / "docs" / "figures.md").read_text("utf-8"))
    assert len(rows(README)) == 10
    assert [row for row in rows(README) if row not in figures] == []
    # Each has a command, or the page that tells one.
    assert all(re.search(r"`[^`]+` [^|]*\|$|\[\S+\]\(\S+\) \|$", row) for row in figures)


def test_the_picture_of_readme_is_small() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    content = (ROOT / picture).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) <= 150_000


def test_the_long_description_of_the_package_has_no_link_to_a_file() -> None:
    pytest.importorskip("hatchling", reason="the metadata of the package are made by hatchling")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "readme" in project["project"]["dynamic"]
    file = ROOT / project["tool"]["hatch"]["metadata"]["hooks"]["custom"]["path"]
    spec = importlib.util.spec_from_file_location("long_description", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    metadata: dict[str, dict[str, str]] = {}
    module.LongDescription(str(ROOT), {}).update(metadata)
    text = metadata["readme"]["text"]
    assert re.findall(r"\]\((?!https?:)", text) == []
    assert "# cuelens\n" in text
    assert "Read what may hurt [`docs/safety.md`] before" in text
    cases = {
        "[docs/a.md](docs/a.md)": "docs/a.md",
        "[more](#below)": "more",
        "[more](docs/a.md#b)": "more [`docs/a.md`]",
        "![a picture](docs/a.png)\n\ntext": "text",
        "[out](https://example.org/a)": "[out](https://example.org/a)",
    }
    for written, expected in cases.items():
        assert module.described(written).partition("\n\nThe pages")[0] == expected
