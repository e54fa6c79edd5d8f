"""CONTRIBUTING.md, followed to the letter in a copy of the tree: what it adds works, and what it leaves out is told."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FOLDERS = ("benchmarks", "convert", "device", "docs", "examples", "models", "tests", "tools")
SECTIONS = dict(re.findall(r"^### (a \w+)$(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))


def blocks(section: str) -> list[str]:
    """The blocks of code of a section, without their indent."""
    found = re.findall(r"(?:^(?: {4}.*)?\n)+", section, re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip("\n") + "\n" for block in found if block.strip()]


def put(tree: Path, block: str) -> bool:
    """Write a block that begins with the name of a file. False if it begins otherwise: those are commands."""
    first, _, text = block.partition("\n")
    if whole := re.fullmatch(r"# (\S+\.py)", first):
        (tree / whole[1]).write_text(text)
    elif piece := re.fullmatch(r"# in (\S+), before: (.+)", first):
        file = tree / piece[1]
        lines = file.read_text("utf-8").splitlines(keepends=True)
        (place,) = [number for number, line in enumerate(lines) if line.strip().startswith(piece[2])]
        file.write_text("".join([*lines[:place], text, *lines[place:]]), "utf-8")
    else:
        return False
    return True


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The working tree as it is, with a `.venv` whose programs run what stands there."""
    tree = tmp_path / "tree"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "Makefile", "README.md"):
        shutil.copy(ROOT / name, tree / name)
    programs = tree / ".venv" / "bin"
    programs.mkdir(parents=True)
    paths = os.pathsep.join(str(tree / name) for name in ("device", "models", "convert"))
    for name, place in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"].items():
        module, _, function = place.partition(":")
        start = f"import sys; sys.argv[0] = {name!r}; from {module} import {function}; {function}()"
        (programs / name).write_text(f'#!/bin/sh\nexec "$(dirname "$0")/python" -c {shlex.quote(start)} "$@"\n')
    (programs / "python").write_text(f'#!/bin/sh\nPYTHONPATH={paths} exec {sys.executable} "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    # For make the environment is there.
    (tree / ".venv" / ".made").touch()
    (tree / ".venv" / ".dev").touch()
    return tree


def follow(tree: Path, name: str, told: dict[int, str], data: Path | None = None) -> str:
    """Do what a section says, in its order, and return what the last command printed.

    told: what a command must complain about, by its number. Each other command must succeed.
    """
    printed, number = "", 0
    for block in blocks(SECTIONS[name]):
        if put(tree, block):
            continue
        for command in block.splitlines():
            line = ["bash", "-c", command.replace("DATA", str(data)).replace("NAME", "some-board")]
            environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
            done = subprocess.run(
                line, cwd=tree, env=environment, capture_output=True, text=True, timeout=500, check=False
            )
            printed = done.stdout + done.stderr
            if number in told:
                assert done.returncode != 0, command
                assert told[number] in printed, (command, printed)
            else:
                assert done.returncode == 0, (command, printed)
            number += 1
    assert number > max(told, default=0)
    return printed


def needs(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


def test_each_recipe_of_the_page_is_followed_here() -> None:
    assert set(SECTIONS) == {"a mode", "a language", "a camera", "a recipe", "a board"}
    source = Path(__file__).read_text("utf-8")
    assert all(f'follow(tree, "{name}"' in source for name in SECTIONS)


@pytest.mark.slow
def test_a_mode_is_added(tree: Path) -> None:
    needs("skimage", "matplotlib", "starlette")
    assert "looks happy" in follow(tree, "a mode", {0: "'eager'"})


@pytest.mark.slow
def test_a_language_is_added(tree: Path) -> None:
    needs("skimage", "matplotlib", "starlette")
    told = {2: "test_who_has_not_read_a_language_is_said[eo]", 3: "test_a_page_names_each_language"}
    assert "looks happy" in follow(tree, "a language", told)
    assert '"eo" Esperanto' in (tree / "examples" / "card.toml").read_text("utf-8")


@pytest.mark.slow
def test_a_camera_is_added(tree: Path) -> None:
    assert "stripes" in follow(tree, "a camera", {0: "Stripes"})


@pytest.mark.slow
def test_a_recipe_is_added(tree: Path, synthetic_npz: Path) -> None:
    needs("tensorflow", "skimage", "matplotlib")
    follow(tree, "a recipe", {0: "test_every_file_with_recipes_is_among_the_published_ones"}, synthetic_npz)


@pytest.mark.slow
def test_a_board_is_added(tree: Path) -> None:
    needs("skimage", "matplotlib")
    follow(tree, "a board", {})
    assert "No board has been measured yet" not in (tree / "docs" / "boards.md").read_text("utf-8")
