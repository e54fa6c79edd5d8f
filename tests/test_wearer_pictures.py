"""The pictures of the child's page, and what the page says, against the lights and the presses of the glasses."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cuelens.light.cue_lights import lights
from cuelens.profile import language
from cuelens.profile.profile import Profile
from cuelens.runtime import gestures
from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "wearer.md").read_text("utf-8")


tool = load("wearer_pictures")
PICTURES = tool.pictures()


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_that_of_the_lights_as_they_are_and_stands_on_the_page(name: str) -> None:
    assert (tool.FOLDER / name).read_text("utf-8") == PICTURES[name], "run `make wearer`"
    assert f"](wearer/{name})" in PAGE


def test_every_light_of_the_glasses_is_drawn_once() -> None:
    shown = {word for word in lights(Profile()) if not word.startswith("find ")}
    drawn = [*tool.EXPRESSIONS, *tool.OTHERS]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) - {"pressed", "trouble"} == shown - tool.FOR_ADULTS


def test_no_two_expressions_are_drawn_alike_without_their_colour() -> None:
    shapes = [re.sub(r' fill="[^"]*"', "", line) for line in PICTURES["looks.svg"].splitlines() if "<polygon" in line]
    assert len(shapes) == len(set(shapes)) == len(tool.EXPRESSIONS)


def test_the_words_are_those_that_the_glasses_say() -> None:
    says = language.read("en").says()
    texts = [node.text for node in ET.fromstring(PICTURES["looks.svg"]).iter() if node.tag.endswith("}text")]  # noqa: S314
    assert texts[::2] == [says[word] for word in tool.EXPRESSIONS]


def test_the_page_says_the_times_of_the_button_and_of_a_session() -> None:
    words = {10: "ten", 20: "twenty"}
    assert f"wait for {words[int(gestures.KEEP_S)]} seconds" in PAGE
    assert f"After {words[Profile().session.minutes]} minutes" in PAGE
    # Two seconds are longer than a hold has to be, and shorter than what begins the set-up.
    assert gestures.HOLD_S < 2 < gestures.CALIBRATE_S
    assert "**hold for two seconds.**" in PAGE


def test_the_sentences_for_a_child_are_short() -> None:
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|\[([^\]]*)\]\([^)]*\)", r"\1", PAGE)
    sentences = re.split(r"[.!?:]\s|\n\n|\|", text)
    longest = max(sentences, key=lambda sentence: len(sentence.split()))
    assert len(longest.split()) <= 20, longest


NO_COLOURS = {"a", "and", "even", "gives", "light", "one", "or", "slow", "soft", "then", "three", "two", "whole"}
"""What else stands before a breath or a glimmer."""


def test_every_page_calls_a_colour_as_the_child_does() -> None:
    said: dict[str, set[str]] = {}
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for word in re.findall(r"\b(\w+)\s+(?:breath|glimmer)s?\b", page.read_text("utf-8").lower()):
            said.setdefault(word, set()).add(page.name)
    assert "orange" in said
    known = {word for name in tool.COLOURS.values() for word in name.split()}
    strange = {word: pages for word, pages in said.items() if word not in known | NO_COLOURS}
    assert strange == {}
