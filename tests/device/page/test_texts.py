"""The words of the page: every text in every language, with the same places to fill in."""

import re
from pathlib import Path

import pytest

from cuelens.cues import modes
from cuelens.page import texts
from cuelens.page.more import Labels
from cuelens.page.view import ROOT
from cuelens.profile import language

ENGLISH = texts.read("en")


def test_the_page_speaks_the_languages_of_the_cues() -> None:
    assert texts.available() == language.available()


@pytest.mark.parametrize("code", texts.available())
def test_every_text_is_there(code: str) -> None:
    found = texts.read(code)
    assert set(found) == set(ENGLISH)
    for key, text in found.items():
        assert text.strip() == text != "", key
        assert sorted(re.findall(r"{(\w+)}", text)) == sorted(re.findall(r"{(\w+)}", ENGLISH[key])), key


@pytest.mark.parametrize("code", [code for code in texts.available() if code != "en"])
def test_who_has_not_read_a_language_is_said(code: str) -> None:
    assert (texts.FOLDER / f"{code}.toml").read_text("utf-8").startswith("# Not read by a native speaker yet.")


def test_every_mode_has_a_name() -> None:
    assert {key.removeprefix("mode.") for key in ENGLISH if key.startswith("mode.")} == set(modes.modes())


def test_every_key_of_a_template_is_a_text() -> None:
    used = set()
    for file in [*Path(ROOT / "templates").glob("*.html"), *ROOT.rglob("*.py")]:
        used |= set(re.findall(r"\bt\(\s*f?[\"']([a-z]+\.\w+)[\"']\s*[,)]", file.read_text("utf-8")))
    assert len(used) > 120
    assert used - set(ENGLISH) == set()


@pytest.mark.parametrize("code", texts.available())
def test_every_field_has_a_name(code: str) -> None:
    from cuelens.page import forms

    label = Labels(texts.Texts(code))
    for top in forms.groups(forms.schema(), {}):
        for one in (top, *forms.leaves(top.fields)):
            key = f"field.{one.label.replace('.', '_')}"
            word = f"word.{one.label.rpartition('.')[2]}"
            assert key in ENGLISH or word in ENGLISH, one.label
            assert label(one)


def test_all_pages_together_are_small() -> None:
    files = [*(ROOT / "templates").glob("*.html"), *(ROOT / "static").iterdir()]
    assert sum(file.stat().st_size for file in files) < 150_000
