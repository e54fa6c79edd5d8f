"""docs/tutorials, followed to the letter in an empty folder: each command succeeds, and prints what the page shows."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "tutorials"
PAGES = sorted(FOLDER.glob("[!R]*.md"))


def blocks(text: str) -> list[str]:
    """The blocks of code of a page, without their indent."""
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in found if block.strip()]


def steps(text: str) -> Iterator[tuple[str, str, int]]:
    """(a file's name, its text, 0), or ("", what is typed and shown, the exit status that is told)."""
    for block in blocks(text):
        if whole := re.match(r"# (\w+\.py)\n", block):
            yield whole[1], block, 0
        else:
            for typed in re.split(r"^(?=\$ )", block, flags=re.MULTILINE)[1:]:
                yield "", typed, 3 if re.search(r"^[a-z-]+: ", typed.partition("\n")[2]) else 0


def fits(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed: `...` stands for anything, and spaces in a row for one."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in shown.split("...")]
    return re.fullmatch(r"\s*" + r".*?".join(rf"\s*{part}\s*" for part in parts), printed, re.DOTALL) is not None


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of an activated `.venv`, whose programs run what stands in the working tree."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, place in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"].items():
        module, _, function = place.partition(":")
        start = f"import sys; sys.argv[0] = {name!r}; from {module} import {function}; {function}()"
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(start)} "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return kept | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("device", "models", "convert")),
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_shows(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    if missing := [name for name in ("tensorflow", "skimage", "matplotlib") if not importlib.util.find_spec(name)]:
        pytest.skip(f"the tutorials need {' and '.join(missing)}")
    here = tmp_path / "tutorial"
    here.mkdir()
    for name, text, status in steps(page.read_text("utf-8")):
        if name:
            (here / name).write_text(text)
            continue
        command, _, shown = re.sub(r"\\\n\s*", " ", text.removeprefix("$ ")).partition("\n")
        done = subprocess.run(
            ["bash", "-c", command], cwd=here, env=environment, capture_output=True, text=True, timeout=500, check=False
        )
        assert done.returncode == status, (command, done.stderr)
        # A refusal is told on standard error, and so is progress.
        assert fits(shown, done.stderr if status else done.stdout), (command, done.stdout, done.stderr)


def test_both_tutorials_begin_with_the_same_faces() -> None:
    """The script is shown in one page, and the other has it too, so that each can be followed alone."""
    scripts = [{name: text for name, text, _ in steps(page.read_text("utf-8")) if name} for page in PAGES]
    assert len(scripts) == 2
    assert scripts[0]["make_faces.py"] == scripts[1]["make_faces.py"]


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("70% right\n", "70% right\n", True),
        ("70% right\n", "71% right\n", False),
        ("...% right\n", "71% right\n", True),
        ("one ... two\n...\nend\n", "one 3 two\nmany\nlines\nend\n", True),
        ("one\n...\nend\n", "one\nmany\n", False),
        ("a  b\n", "a b\n", True),
        ("", "something\n", False),
    ],
)
def test_what_a_page_shows_is_compared(shown: str, printed: str, expected: bool) -> None:
    assert fits(shown, printed) is expected


def test_files_and_commands_are_found_in_a_page() -> None:
    text = "# T\n\n    # a.py\n    print(1)\n\nText\n\n    $ python a.py\n    1\n    $ cuelens x\n    cuelens: no\n"
    assert list(steps(text)) == [
        ("a.py", "# a.py\nprint(1)\n", 0),
        ("", "$ python a.py\n1\n", 0),
        ("", "$ cuelens x\ncuelens: no\n", 3),
    ]
