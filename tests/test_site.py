"""The documentation as a site: it builds without a warning, takes nothing from other hosts, and misses no mistake."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow
if any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")):
    pytest.skip("the site needs the extra docs", allow_module_level=True)


def build(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """What `make site` runs, on any tree that has docs/site."""
    options = ["-q", "-E", "-W", "--keep-going", "-n", "-c", source / "docs" / "site", "-d", output / "pages"]
    command = [sys.executable, "-m", "sphinx", *options, source, output / "site"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("built")
    done = build(ROOT, output)
    assert (done.returncode, done.stderr) == (0, "")
    return output / "site"


def test_every_page_is_there_and_the_root_leads_to_the_first(site: Path) -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "examples/README.md",
        ROOT / "findings/README.md",
    ]
    absent = [page for page in pages if not (site / page.relative_to(ROOT)).with_suffix(".html").is_file()]
    assert absent == []
    (first,) = re.findall(r"url=(.+?)\"", (site / "index.html").read_text())
    assert "<h1>cuelens" in (site / first).read_text()


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    loads = re.compile(r"""(?:src=|srcset=|<link[^>]* href=|url\(|@import )["']?(?:[a-z]+:)?//[^"')\s>]+""")
    found = {}
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        # An address of a licence or a name space loads nothing.
        if hits := [hit for hit in loads.findall(file.read_text("utf-8")) if "//www.w3.org/" not in hit]:
            found[str(file.relative_to(site))] = hits
    assert found == {}
    assert loads.findall(
        '<script src="https://example.org/a.js"> @import "//example.org/a.css" url(http://example.org/f)'
    )


def test_links_to_other_hosts_are_listed_with_their_pages(site: Path) -> None:
    listed = dict(line.split("  ") for line in (site / "outside-links.txt").read_text().splitlines())
    written: dict[str, set[str]] = {}
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = re.sub(r"^(?: {4}|\t).*$|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.MULTILINE)
        for target in re.findall(r"(?:\]\(|<)(https?://[^)>\s]+)[)>]", text):
            written.setdefault(target, set()).add(str(page.relative_to(ROOT).with_suffix("")))
    assert len(written) > 3
    assert {target: set(listed[target].split()) for target in written} == written


def tree(folder: Path, **pages: str) -> Path:
    """A repository with the rules of ours, a first page, README, and a page of the text that is asked for."""
    shutil.copytree(ROOT / "docs" / "site", folder / "docs" / "site")
    (folder / "models" / "cuelens_models").mkdir(parents=True)
    (folder / "models" / "cuelens_models" / "version.py").write_text('__version__ = "1.0"\n')
    (folder / "README.md").write_text("# Readme\n\n## A heading: of `links`\n")
    (folder / "docs" / "index.md").write_text("# First\n\n## All\n\n- [it](../README.md)\n- [page](page.md)\n")
    for name, text in pages.items():
        (folder / "docs" / f"{name}.md").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[a](nothing.md)", "'nothing.md'"),
        ("[a](../README.md#nothing)", "'nothing'"),
        ("[a](#nothing)", "'nothing'"),
        ("[a](../models/nothing.py)", "'../models/nothing.py'"),
        ("![a](nothing.png)", "image file not readable: docs/nothing.png"),
        ("![a](https://example.org/a.png)", "a picture of another host: https://example.org/a.png"),
    ],
)
def test_a_link_to_nothing_ends_the_build(tmp_path: Path, text: str, warning: str) -> None:
    done = build(tree(tmp_path / "tree", page=f"# Page\n\n{text}\n"), tmp_path)
    assert done.returncode != 0
    assert re.search(rf"docs/page\.md.*{re.escape(warning)}", done.stderr)


def test_a_page_in_no_list_ends_the_build(tmp_path: Path) -> None:
    done = build(tree(tmp_path / "tree", page="# Page\n", other="# Other\n"), tmp_path)
    assert done.returncode != 0
    assert re.search(r"docs/other\.md: WARNING: document isn't included in any toctree", done.stderr)


def test_links_lead_to_headings_files_and_folders(tmp_path: Path) -> None:
    text = (
        "# Page\n\n[one](../README.md#a-heading-of-links) [two](../models/cuelens_models/version.py)\n"
        "[three](parts/) [four](../models) [five](https://example.org/five)\n"
    )
    source = tree(tmp_path / "tree", page=text)
    (source / "docs" / "parts").mkdir()
    (source / "docs" / "parts" / "README.md").write_text(
        "# Parts\n\n[other](other.md), [last](last.md), [other](other.md#x)\n"
    )
    (source / "docs" / "parts" / "other.md").write_text("# Other\n\n## x\n")
    (source / "docs" / "parts" / "last.md").write_text("# Last\n")
    index = source / "docs" / "index.md"
    index.write_text(index.read_text() + "- [parts](parts/README.md): three\n")
    done = build(source, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site" / "docs" / "page.html").read_text()
    for link in ("../README.html#a-heading-of-links", "_downloads/", "parts/README.html", "https://example.org/five"):
        assert re.search(rf'href="[^"]*{re.escape(link)}', page), link
    assert re.search(r"</a>\s+four\s+<a", page)
    assert (tmp_path / "site" / "outside-links.txt").read_text() == "https://example.org/five  docs/page\n"
    # The list of a folder has its pages in the order of its README, the last mention of each.
    (list_of_parts,) = re.findall(r'href="parts/README.html">parts</a>(.*?)</ul>', page, re.DOTALL)
    assert re.findall(r'href="parts/(\w+)\.html"', list_of_parts) == ["last", "other"]
