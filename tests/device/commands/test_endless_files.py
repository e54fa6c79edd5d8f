"""Whatever file a command of the glasses is given: a pipe is refused in a sentence, and not waited for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--as-fast", "--source"],
        ["run", "--as-fast", "--source", "demo", "--bundle"],
        ["run", "--as-fast", "--source", "demo", "--profile"],
        ["run", "--as-fast", "--source", "demo", "--config"],
        ["replay"],
        ["bench", "--bundle"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("suffix", ["", ".jpg", ".mp4"])
def test_a_pipe_is_refused_in_a_sentence(tmp_path: Path, arguments: list[str], suffix: str) -> None:
    path = tmp_path / f"input{suffix}"
    os.mkfifo(path)
    command = [sys.executable, "-m", "cuelens", *arguments, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3, done
    (line,) = done.stderr.splitlines()
    assert f"{path} is a device or a pipe, no regular file" in line
