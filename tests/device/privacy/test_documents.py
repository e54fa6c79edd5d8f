"""What the page for families says is kept, against the contract that the traced session is held to."""

import re
from pathlib import Path

from cuelens.profile.profile import Fading
from cuelens.story import store

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "privacy.md").read_text("utf-8")
DESIGN = (DOCS / "design.md").read_text("utf-8")


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of the table that begins with a head."""
    lines = text.partition(head)[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_and_the_design_name_the_same_files_with_the_same_content() -> None:
    kept = rows(PAGE, "| file | what it holds | for how long |")
    assert [row[:2] for row in kept] == rows(DESIGN, "| file | what it holds |")
    assert len(kept) > 20
    assert all(how_long for _, _, how_long in kept)


def test_the_page_says_the_limits_of_the_story_and_of_the_games() -> None:
    holds = {name: how_long for name, _, how_long in rows(PAGE, "| file | what it holds | for how long |")}
    assert holds["`STATE/story.sqlite`"] == f"{store.RETENTION_DAYS} days, {store.MAX_SESSIONS} sessions at most"
    assert f"({Fading().answers})" in holds["`STATE/wearer.json`"]


def test_the_assessment_leaves_to_its_reader_what_only_the_reader_knows() -> None:
    template = (DOCS / "privacy-assessment.md").read_text("utf-8")
    for section in ("(Article 35(7)(a))", "(Article 35(7)(b))", "(Article 35(7)(c))", "(Article 35(7)(d))", "Result"):
        assert section in template
    assert len(re.findall(r"\[[^\]]*\](?!\()", template)) > 30
