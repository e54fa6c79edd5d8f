"""docs/reference against the code: made of it, whole, and with words for each key and each option."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from tests.tools import load

pytest.importorskip("keras", reason="the commands that are described need the extras train and convert")

from cuelens import events
from cuelens.profile.profile import Profile
from cuelens_models.strict_struct import StrictStruct

ROOT = Path(__file__).resolve().parents[1]


load("docstrings")
reference = load("reference")


def text(name: str) -> str:
    return (reference.FOLDER / name).read_text("utf-8")


def headings(name: str) -> list[str]:
    return re.findall(r"^#{2,4} (.+)$", text(name), re.MULTILINE)


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_that_of_the_code_as_it_is(name: str) -> None:
    assert text(name) == reference.PAGES[name](), "run `make reference`"


def test_no_page_is_left_of_what_is_gone() -> None:
    assert {file.name for file in reference.FOLDER.iterdir()} == {"README.md", *reference.PAGES}


def test_every_key_of_a_profile_has_a_row() -> None:
    def keys(value: Any) -> set[str]:
        if not isinstance(value, dict):
            return set()
        return set(value).union(*map(keys, value.values()))

    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", text("profile.md"), re.MULTILINE)
    assert keys(msgspec.to_builtins(Profile())) <= {row[0] for row in rows}
    assert [row for row in rows if not all(cell.strip() for cell in row)] == []


def test_every_kind_of_event_has_a_section() -> None:
    kinds = [kind.__struct_config__.tag for kind in get_args(events.AnyEvent)]
    assert headings("events.md") == [*kinds, "States", "Faults"]


def test_every_command_and_each_below_it_has_a_section() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    found = headings("commands.md")
    assert [name for name in found if " " not in name] == list(scripts)
    assert {"cuelens run", "cuelens profile check", "cuelens card take"} <= set(found)


def test_every_option_says_what_it_is() -> None:
    rows = re.findall(r"^\| `(.+)` \| (.*) \|$", text("commands.md"), re.MULTILINE)
    assert len(rows) > 80
    # A default alone says nothing.
    assert [name for name, words in rows if not re.match(r"[a-zA-Z0-9`@][^()]", words)] == []


@pytest.mark.parametrize("doc", [None, "A part.\n\n    Attributes:\n        other: something.\n    "])
def test_a_key_without_description_is_refused(doc: str | None) -> None:
    part = type("Part", (StrictStruct,), {"__annotations__": {"width": int}, "__doc__": doc}, frozen=True)
    with pytest.raises(KeyError, match="width"):
        list(reference._table(part, {}))  # noqa: SLF001 - a page of it would need a struct of the product
