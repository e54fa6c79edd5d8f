"""docs/settings.md and the files of examples/ against the settings: made of them, whole, and true."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from cuelens import settings
from cuelens.commands import card_file
from cuelens.settings import Settings, SingleLed
from cuelens_models.strict_struct import StrictStruct
from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]


load("docstrings")
reference = load("settings_reference")
STRUCTS = dict(reference.sections())
KEYS = [(section, key) for section, struct in STRUCTS.items() for key in reference.keys(struct)]


@pytest.mark.parametrize("name", ["docs/settings.md", "examples/cuelens.toml"])
def test_the_files_are_those_of_the_settings_as_they_are(name: str) -> None:
    made = reference.page() if name.endswith(".md") else reference.example()
    assert (ROOT / name).read_text("utf-8") == made, "run `make settings`"


def test_every_section_and_key_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert re.findall(r"^## \[(\w+)\]$", page, re.MULTILINE) == list(msgspec.to_builtins(Settings()))
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)
    wanted = [key.name for key in msgspec.structs.fields(SingleLed)]
    for section, values in msgspec.to_builtins(Settings()).items():
        names = [row[0] for row in rows]
        assert set(values) <= set(names), section
    assert len(rows) == sum(len(values) for values in msgspec.to_builtins(Settings()).values()) + len(wanted)
    assert all(len(row.split(" | ")) == 5 for _, row in rows)


@pytest.mark.parametrize(("section", "key"), KEYS, ids=[f"{section}.{key.name}" for section, key in KEYS])
def test_the_example_of_a_key_may_be_written_and_is_not_the_default(tmp_path: Path, section: str, key: object) -> None:
    assert isinstance(key, reference.Key)
    file = tmp_path / "cuelens.toml"
    file.write_text(f"[{section}]\n{key.name} = {key.example}\n")
    changed = settings.read(file)
    assert getattr(getattr(changed, section), key.name) != getattr(getattr(Settings(), section), key.name)
    assert len(key.about) > 10
    assert not re.search(r"such as|\n|  ", key.about)


def test_the_example_file_is_the_defaults() -> None:
    file = ROOT / "examples" / "cuelens.toml"
    assert settings.read(file) == Settings()
    # Each key stands there, none by default.
    assert tomllib.loads(file.read_text("utf-8")) == msgspec.json.decode(msgspec.json.encode(Settings()))


def test_the_file_for_the_memory_card_names_each_key_and_changes_nothing() -> None:
    content = (ROOT / "examples" / "card.toml").read_bytes()
    assert content.decode("ascii") == reference.card(), "run `make settings`"
    assert content.count(b"\n") == content.count(b"\r\n") > 100
    card, mistakes = card_file.review(Path("cuelens.toml"), content)
    assert (card, mistakes) == (card_file.Card(), [])
    # Each key stands there, none by default.
    assert tomllib.loads(content.decode()) == msgspec.json.decode(msgspec.json.encode(card_file.Card()))


@pytest.mark.parametrize(
    ("doc", "error"),
    [
        ("A part.\n\n    Attributes:\n        other: something. (such as 1)\n    ", KeyError),
        ("A part.\n\n    Attributes:\n        width: something.\n    ", ValueError),
        (None, KeyError),
    ],
)
def test_a_key_without_description_or_example_is_refused(doc: str | None, error: type[Exception]) -> None:
    part = type("Part", (StrictStruct,), {"__annotations__": {"width": int}, "__doc__": doc}, frozen=True)
    with pytest.raises(error):
        reference.keys(part)
