"""Links between the pages of the repository: each leads to a file that is there, and to a heading that it has."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "examples" / "README.md",
        ROOT / "findings" / "README.md",
    ]
)
_LINK = re.compile(r"!?\[[^\]]*\]\(\s*([^)\s]+)\s*\)")
_OUTWARD = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def links(page: Path) -> list[str]:
    """The targets of links within the repository, in text and tables, but not in blocks of code."""
    text = re.sub(r"^(?: {4}|\t).*$", "", page.read_text("utf-8"), flags=re.MULTILINE)
    return [target for target in _LINK.findall(re.sub(r"`[^`\n]*`", "", text)) if not _OUTWARD.match(target)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: set[str] = set()
    count: Counter[str] = Counter()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", page.read_text("utf-8"), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{count[slug]}" if count[slug] else slug)
        count[slug] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or not target.is_relative_to(ROOT):
            lost.append(f"{link}: there is no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            lost.append(f"{link}: there is no such heading")
    assert lost == []


def test_links_are_found_where_they_are(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page: of `links`, and more\n\n## Twice\n\n## Twice\n\nText [one](one.md), ![two](two.png)\n\n"
        "| cell | [three](#twice-1) |\n\n    code [four](four.md)\n\n`[five](five.md)` and [six](https://example.org)\n"
    )
    assert links(page) == ["one.md", "two.png", "#twice-1"]
    assert anchors(page) == {"a-page-of-links-and-more", "twice", "twice-1"}


def test_every_page_for_makers_is_led_to_from_their_first_page() -> None:
    folder = ROOT / "docs" / "makers"
    first = set(links(folder / "README.md"))
    assert {page.name for page in folder.glob("*.md")} - {"README.md"} <= first
