"""Completion in real shells, which find no command to start: what is typed, and what a tab makes of it."""

import os
import pty
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cuelens.commands.completion import completion
from tests.tools import load

ROOT = Path(__file__).resolve().parents[1]
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit && compinit -u -D"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_are_those_of_the_arguments_as_they_are(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    pytest.importorskip("shtab", reason="shtab comes with the extra dev")
    tool = load("completion")
    assert completion(shell) == 0
    assert capsys.readouterr().out == tool.script(shell), "run `make completion`"
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {parser.prog for parser in tool.parsers()} == set(installed)


def typed(shell: str, keys: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Type lines in a shell, a tab after each, and return what then stands there."""
    words, begin = SHELLS[shell]
    completion(shell)
    (folder / "script").write_text(capsys.readouterr().out)
    ours, theirs = pty.openpty()
    environment = {"HOME": str(folder), "PATH": "/nowhere", "TERM": "dumb", "PS1": "", "LC_ALL": "C.UTF-8"}
    program = shutil.which(words[0])
    assert program
    child = subprocess.Popen(
        [program, *words[1:]], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    # In front of the line and behind it, so that the line is printed and not run.
    lines = [f'{begin}; eval "$(<script)"\n', *(f"{line}\t\x01echo '<\x05>'\n" for line in keys), "exit\n"]
    shown = b""
    try:
        os.write(ours, "".join(lines).encode())
        while chunk := _read(ours):
            shown += chunk
        assert child.wait(30) is not None
    finally:
        child.kill()
        child.wait()
        os.close(ours)
    return re.findall(r"^<(.*)>\s*$", shown.decode().replace("\r", ""), re.MULTILINE)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody is at the other end
        return b""


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tab_completes_commands_options_words_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    for name in ("settings.toml", "mine.keras", "happy.txt"):
        (tmp_path / name).touch()
    (tmp_path / "faces").mkdir()
    cases = {
        "cuelens pro": "cuelens profile",
        "cuelens profile ch": "cuelens profile check",
        "cuelens run --as": "cuelens run --as-fast",
        "cuelens run --config set": "cuelens run --config settings.toml",
        "cuelens run --mode exp": "cuelens run --mode explore",
        "cuelens try hap": "cuelens try happy",
        "train-model ferplus-bn-th": "train-model ferplus-bn-three",
        "train-model cuelens --data fac": "train-model cuelens --data faces",
        "tune-model four-class --sear": "tune-model four-class --search",
        "audit-data fac": "audit-data faces",
        "evaluate-model mine.keras --protocol fer7 --cr": "evaluate-model mine.keras --protocol fer7 --crop",
        "convert-model mi": "convert-model mine.keras",
        "convert-model mine.keras --pixels sym": "convert-model mine.keras --pixels symmetric",
    }
    # zsh takes a space or a slash back before what is typed next.
    completed = [line.rstrip(" /") for line in typed(shell, [*cases], tmp_path, capsys)]
    assert completed == [*cases.values()]
