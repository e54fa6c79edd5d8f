"""What the console prints, and the levels of its lines in systemd's journal."""

import os
from pathlib import Path

import pytest

from cuelens import events
from cuelens.commands.console import Console

HAPPENED = [
    events.FaceSeen(t=1.0, track=1, box=(0, 0, 50, 50)),
    events.Fault(t=2.0, fault="no sound", detail="aplay is not installed"),
    events.Fault(t=2.5, fault="not kept", detail="the disk is full"),
    events.FaceLost(t=3.0, track=1),
]
LINES = [
    "  1.00 s  face 1 found",
    "  2.00 s  ! no sound: aplay is not installed",
    "  2.50 s  ! not kept: the disk is full",
    "  3.00 s  face 1 lost",
]


def printed(path: Path, monkeypatch: pytest.MonkeyPatch, *, is_journal: bool) -> list[str]:
    with path.open("w") as output:
        stream = os.fstat(output.fileno())
        inode = stream.st_ino if is_journal else stream.st_ino + 1
        monkeypatch.setenv("JOURNAL_STREAM", f"{stream.st_dev}:{inode}")
        console = Console(output, cues=True)
        for event in HAPPENED:
            console(event)
    return path.read_text().splitlines()


def test_in_the_journal_a_fault_is_a_warning_or_an_error_if_the_wearer_loses_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = ("<6>", "<3>", "<4>", "<6>")
    expected = [level + line for level, line in zip(levels, LINES, strict=True)]
    assert printed(tmp_path / "journal", monkeypatch, is_journal=True) == expected


def test_elsewhere_lines_have_no_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(tmp_path / "file", monkeypatch, is_journal=False) == LINES
