"""What the console prints, and the levels of its lines in systemd's journal."""

import os
from pathlib import Path

import pytest

from cuelens import events
from cuelens.commands.console import Console

HAPPENED: list[events.Event] = [
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


PEOPLE: list[events.Event] = [
    events.FaceSeen(t=1.0, track=1, box=(0, 0, 50, 50)),
    events.Expression(t=1.5, track=1, expression="sad", confidence=0.9),
    events.CueGiven(t=1.5, kind="expression", track=1, word="sad", outputs=("light",), latency_ms=2.0),
    events.Press(t=2.0, gesture="ask"),
    events.Mute(t=2.5, on=True),
    events.Pause(t=3.0, on=True),
    events.Calibration(t=4.0, on=True),
    events.Session(t=5.0, state="ended", why="time"),
    events.FaceLost(t=6.0, track=1),
]
GLASSES: list[events.Event] = [
    events.Start(bundle="a network", source="a camera", school=False),
    events.Mode(t=0.0, mode="companion"),
    events.State(t=5.0, state="running", camera_fps=15.0, beat_fps=15.0, dropped=0, frame_age_ms_p95=40.0),
]


def printed(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, is_journal: bool, happened: list[events.Event] = HAPPENED
) -> list[str]:
    with path.open("w") as output:
        stream = os.fstat(output.fileno())
        inode = stream.st_ino if is_journal else stream.st_ino + 1
        monkeypatch.setenv("JOURNAL_STREAM", f"{stream.st_dev}:{inode}")
        console = Console(output, cues=True)
        for event in happened:
            console(event)
    return path.read_text().splitlines()


def test_in_the_journal_a_fault_is_a_warning_or_an_error_if_the_wearer_loses_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [level + line for level, line in zip(("<3>", "<4>"), LINES[1:3], strict=True)]
    assert printed(tmp_path / "journal", monkeypatch, is_journal=True) == expected


def test_elsewhere_lines_have_no_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(tmp_path / "file", monkeypatch, is_journal=False) == LINES


def test_the_journal_holds_nothing_of_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It stays on the card, and no deletion of the story ends it.
    assert printed(tmp_path / "journal", monkeypatch, is_journal=True, happened=PEOPLE) == []
    assert len(printed(tmp_path / "file", monkeypatch, is_journal=False, happened=PEOPLE)) == len(PEOPLE)


def test_the_journal_holds_how_the_glasses_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(tmp_path / "journal", monkeypatch, is_journal=True, happened=GLASSES)
    assert [line[:3] for line in lines] == ["<6>"] * 3
    assert "running" in lines[2]


def test_every_event_is_of_people_or_of_the_glasses() -> None:
    sorted_here = {type(event) for event in (*PEOPLE, *GLASSES, *HAPPENED)}
    # A reading and the truth of a synthetic stream have no line anywhere.
    every = {kind for kind in events.Event.__subclasses__() if kind.__module__ == events.__name__}
    assert every - sorted_here == {events.Reading, events.Shown}
