"""Commands and paths that pages name: targets of make, scripts, options, files; each is there."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# A changelog names what was there once.
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"} - {ROOT / "CHANGELOG.md"}
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SCRIPTS = PROJECT["scripts"]
TOOLS = {"activate", "python", "pip", "ruff", "mypy", "vulture", "pytest", "pre-commit"}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {"build", "dist"}
ELSEWHERE = {"systemd/journald.conf.d"}
"""Paths on a board, below a folder that the page names before."""
ADDED = {
    "device/cuelens/adapters/stripes.py",
    "device/cuelens/cues/modes/eager.py",
    "device/cuelens/page/texts/eo.toml",
    "device/cuelens/profile/languages/eo.toml",
    "models/cuelens_models/zoo/tiny.py",
}
"""What CONTRIBUTING.md adds, and tests/test_contributing.py with it."""


def shell_lines(page: Path) -> Iterator[str]:
    """The lines of a page's blocks of code, with continued lines in one and without what is said about them."""
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    for line in re.findall(r"^(?: {4}|\t) *(\S.*)$", text, re.MULTILINE):
        yield re.sub(r"\s+#\s.*$", "", line)


def code(page: Path) -> list[str]:
    """All code of a page: lines of blocks, and what stands between backticks."""
    return [*shell_lines(page), *re.findall(r"`([^`\n]+)`", page.read_text("utf-8"))]


@cache
def targets() -> set[str]:
    rules = re.findall(r"^([a-z][a-z0-9 -]*):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return {target for rule in rules for target in rule.split()}


def there(path: str) -> bool:
    """Whether a path of the repository is there. NAME stands for a name that the reader chooses."""
    return path in ELSEWHERE | ADDED or (ROOT / path.partition("NAME")[0]).exists()


def missing(text: str) -> list[str]:
    """What one piece of code names that is not there."""
    asked = re.findall(r"(?:^|&& |sudo )make ([a-z][a-z0-9-]*)", text)
    tools = re.findall(r"\.venv/bin/([\w-]+)", text)
    paths = re.findall(rf"(?<![\w./$~-])((?:{'|'.join(sorted(FOLDERS))})/[\w./-]*[\w/])", text)
    modules = [name.replace(".", "/") for name in re.findall(r"python3? -m (benchmarks(?:\.\w+)*)", text)]
    return [
        *(f"make has no target {target}" for target in asked if target not in targets()),
        *(f".venv/bin has no {tool}" for tool in tools if tool not in TOOLS | set(SCRIPTS)),
        *(f"there is no {path}" for path in paths if not there(path)),
        *(f"there is no module {name}" for name in modules if not there(name) and not there(f"{name}.py")),
    ]


@cache
def help_of(program: str, command: str) -> str:
    """What `--help` says. Networks are not loaded for it."""
    module, _, function = SCRIPTS[program].partition(":")
    call = f"import sys; sys.argv[0] = {program!r}; from {module} import {function}; {function}()"
    asked = [sys.executable, "-c", call, *([command] if command else []), "--help"]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout


def options(line: str) -> Iterator[tuple[str, str, str]]:
    """(program, its command, option) of each long option that a line of shell gives to a program of ours."""
    try:
        words = shlex.split(line)
    except ValueError:
        return
    program = command = ""
    for place, word in enumerate(words):
        if word in ("&&", "|", ";", ">"):
            program = ""
        elif (name := word.rpartition("/")[2]) in SCRIPTS and not program:
            program = name
            after = words[place + 1] if place + 1 < len(words) else ""
            command = after if name == "cuelens" and re.fullmatch(r"[a-z]+", after) else ""
        elif program and word.startswith("--"):
            yield program, command, word.partition("=")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    assert [fault for piece in code(page) for fault in missing(piece)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_that_a_page_gives_are_known(page: Path) -> None:
    given = {option for line in shell_lines(page) for option in options(line)}
    unknown = [
        f"{program} {command} {option}"
        for program, command, option in sorted(given)
        if not re.search(rf"{option}(?![\w-])", help_of(program, command))
    ]
    assert unknown == []


def test_what_contributing_adds_is_not_there_yet() -> None:
    assert [path for path in ADDED if (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make quick", []),
        ("sudo make uninstall-units && make nonsense", ["make has no target nonsense"]),
        (".venv/bin/python benchmarks/beat.py", []),
        (".venv/bin/pythom benchmarks/beats.py", [".venv/bin has no pythom", "there is no benchmarks/beats.py"]),
        ("examples/NAME.py, nonsense/NAME.py, docs/nonsense/NAME.md", ["there is no docs/nonsense/NAME.md"]),
        ("see docs/design.md, or build/docs/design.txt", []),
        (".venv/bin/python -m benchmarks.soak", []),
        (".venv/bin/python -m benchmarks.soap", ["there is no module benchmarks/soap"]),
    ],
)
def test_what_is_missing_is_found(text: str, expected: list[str]) -> None:
    assert missing(text) == expected


def test_options_are_found_where_they_are() -> None:
    line = ".venv/bin/cuelens run --as-fast --events - | sort --unique && train-model cuelens --data=DATA"
    assert list(options(line)) == [
        ("cuelens", "run", "--as-fast"),
        ("cuelens", "run", "--events"),
        ("train-model", "", "--data"),
    ]


EXTRAS = {
    r"cuelens (run|demo) .*--cues \S*light": "pi",
    r"cuelens calibrate(?! --terminal)": "web",
    r"cuelens (demo|story) .*-o ": "demo",
    "train-model|tune-model|audit-data": "train",
    "convert-model": "convert",
}
"""The extra that a command needs."""
SET_UP = {r"^make demo": ["demo"], r"^make (test|quick)": list(EXTRAS.values())}
"""The extras that a target of make brings."""


@pytest.mark.parametrize("page", ["docs/try.md", "README.md"])
def test_a_stranger_has_what_each_command_of_a_page_needs(page: str) -> None:
    there: set[str] = set()
    lines = list(shell_lines(ROOT / page))
    assert any("cuelens" in line or "make" in line for line in lines)
    for line in lines:
        there.update(*(brought for target, brought in SET_UP.items() if re.search(target, line)))
        there.update(*(found.split(",") for found in re.findall(r"pip install .*\[([a-z,]+)\]", line)))
        for command, extra in EXTRAS.items():
            assert extra in there or not re.search(command, line), f"{page}: {line} needs the extra {extra}"
