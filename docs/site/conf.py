"""The documentation as a site (`make site`): the rules that Sphinx does not bring (docs/decisions/0015-site.md).

The source is the repository's root, so that a relative link leads to the same file here and on a code host. No page has
a directive of Sphinx: the lists of contents are read from the links of the pages that list others.
"""

import re
from operator import itemgetter
from pathlib import Path
from typing import Final

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT: Final = Path(__file__).resolve().parents[2]
FIRST: Final = "docs/index"
"""The page that lists all others, under a heading for each kind of reader."""

project = "cuelens"
copyright = "the authors of cuelens, Apache-2.0"  # noqa: A001 - Sphinx's name
release = re.findall(r'"(.+)"', (ROOT / "models/cuelens_models/version.py").read_text("utf-8"))[-1]
extensions = ["myst_parser"]
root_doc = FIRST
include_patterns = ["*.md", "docs/**.md", "examples/README.md", "findings/README.md"]
exclude_patterns = [".*", "build", "dist", "runs", "**/node_modules"]
myst_heading_anchors = 6
highlight_language = "none"  # most blocks are commands
html_theme = "furo"
html_title = f"cuelens {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False

_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
_LISTED: Final = re.compile(r"^- \[([^\]]+)\]\(([^)\s#]+\.md)\)", re.MULTILINE)
_outside: dict[str, set[str]] = {}


def listed(name: str, text: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what a page lists, as (heading, [(title, page)]).

    The first page lists by its headings; a folder's README lists each page of its folder where it links to it last.
    Other pages list nothing. A page is a path from the root without its `.md`.
    """
    folder = (ROOT / name).parent
    if name == FIRST:
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
        found = zip(parts[::2], (_LISTED.findall(part) for part in parts[1::2]), strict=True)
    elif name.startswith("docs/") and name.endswith("/README"):
        links = [link.partition("#")[0] for _, link in _LINK.findall(text)]
        own = [link for place, link in enumerate(links) if "/" not in link and link not in links[place + 1 :]]
        found = iter([("", [("", link) for link in own if link.endswith(".md")])])
    else:
        return []
    return [(heading, [(title, _page(folder / link)) for title, link in links]) for heading, links in found]


def _page(file: Path) -> str:
    return file.resolve().relative_to(ROOT).with_suffix("").as_posix()


def prepare(app: Sphinx, name: str, source: list[str]) -> None:
    """Give a page its list of contents; lead a link to a folder to its README, or make plain text of it."""
    text = source[0]
    folder = (ROOT / name).parent

    def led(link: re.Match[str]) -> str:
        words, target = link.groups()
        if ":" in target or not (folder / target.rstrip("/")).is_dir():
            return link[0]
        readme = f"{target.rstrip('/')}/README.md"
        return f"[{words}]({readme})" if (folder / readme).is_file() else words

    source[0] = _LINK.sub(led, text)
    for heading, pages in filter(itemgetter(1), listed(name, text)):
        lines = [f"{title} </{page}>" if title else f"/{page}" for title, page in pages]
        caption = [f":caption: {heading}"] if heading else []
        source[0] += "\n".join(["", "", "```{toctree}", ":hidden:", *caption, "", *lines, "```", ""])


def note_outside(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Note the links of a page to other hosts. A picture of another host is refused."""
    for link in tree.findall(nodes.reference):
        if re.match(r"https?://", target := link.get("refuri", "")):
            _outside.setdefault(target, set()).add(name)
    for picture in tree.findall(nodes.image):
        if "://" in picture["uri"]:
            logging.getLogger(__name__).warning("a picture of another host: %s", picture["uri"], location=name)


def finish(app: Sphinx, fault: Exception | None) -> None:
    """Write the list of outside links, and lead the root of the site to the first page."""
    if fault:
        return
    lines = [f"{target}  {' '.join(sorted(pages))}\n" for target, pages in sorted(_outside.items())]
    (app.outdir / "outside-links.txt").write_text("".join(lines), "utf-8")
    (app.outdir / "index.html").write_text(
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{project}</title>\n'
        f'<meta http-equiv="refresh" content="0; url={FIRST}.html"><a href="{FIRST}.html">{project}</a></html>\n',
        "utf-8",
    )


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", prepare)
    app.connect("doctree-resolved", note_outside)
    app.connect("build-finished", finish)
