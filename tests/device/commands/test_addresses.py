"""No source, and no picture: what is an address, and what would be drawn to standard output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def refused(folder: Path, *words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STATE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "cuelens", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env=environment | {"HOME": str(folder)},
    )
    assert (done.returncode, done.stdout) == (3, ""), done
    (line,) = done.stderr.splitlines()
    assert list(folder.iterdir()) == []
    return line


@pytest.mark.parametrize("source", ["http://x", "HTTPS://x.org/a.mp4", "rtsp://u:p@cam:554//s", "file:///tmp/a.mp4"])
def test_an_address_is_no_source_and_is_printed_as_it_was_typed(tmp_path: Path, source: str) -> None:
    line = refused(tmp_path, "run", "--source", source)
    assert f"source {source} is an address, and nothing is read over a network: a source is picamera2, v4l2:N" in line


@pytest.mark.parametrize("words", [("story", "-o", "-"), ("demo", "-o", "-")], ids=" ".join)
def test_a_picture_does_not_go_to_standard_output(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert refused(tmp_path, *words).endswith("give the name of a file, such as -o day.png")
