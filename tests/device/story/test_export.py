"""`cuelens story`: what it exports and deletes, while the glasses write too, and what it overwrites never."""

import csv
import io
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cuelens import events
from cuelens.story import query, store
from cuelens.story.store import Entry, Session

POWER_CUT = Path(__file__).resolve().parents[3] / "benchmarks" / "power_cuts" / "story.py"


def test_what_is_deleted_is_not_in_the_file_any_more(tmp_path: Path, bytes_of: Callable[[Path], bytes]) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        session = store.begin(db, None, "companion", school=False)
        for n in range(500):
            store.add(db, session, Entry(n, "cue", "unmistakable"))
        # This connection keeps the file from being removed.
        assert b"unmistakable" in bytes_of(path)
        assert query.delete(path) == query.Deletion(1, 500, 0)
        assert path.exists()
        assert b"unmistakable" not in bytes_of(path)
        assert b"companion" not in bytes_of(path)
    assert query.delete(path) == query.Deletion(0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_deleting_while_the_glasses_write_leaves_them_writing(
    tmp_path: Path,
    everything: Callable[[Path], list[Session]],
    entries: Callable[[Path], list[Entry]],
    cuelens: Callable[..., CompletedProcess[str]],
    soon: Callable[..., bool],
) -> None:
    path = tmp_path / store.FILE
    command = [sys.executable, str(POWER_CUT), "--write", str(path), "--day", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as glasses:
        assert soon(lambda: any(entry.word == "9" for entry in entries(path)))
        result = cuelens(tmp_path, "--delete")
        assert "Deleted for good: 1 session with" in result.stdout
        assert soon(lambda: len(entries(path)) > 9)
        glasses.kill()
    (session,) = everything(path)
    numbers = [int(entry.word) for entry in session.entries]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] > 9
    assert session.entries[0].t == 0.0
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_the_story_can_be_read_while_it_is_written(tmp_path: Path, soon: Callable[..., bool]) -> None:
    path = tmp_path / store.FILE
    command = [sys.executable, str(POWER_CUT), "--write", str(path), "--day", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as glasses:
        for lines in (1, 20, 60):
            assert soon(lambda: len(query.as_csv(path).splitlines()) > lines)  # noqa: B023 - called at once
        assert glasses.poll() is None
        glasses.kill()


def test_the_table_holds_everything(
    tmp_path: Path, written: Callable[..., None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    outputs = ("light", "voice")
    written(
        path,
        [
            events.Session(t=10.0, state="began"),
            events.CueGiven(t=12.0, kind="answer", track=7, word="sad", outputs=outputs, latency_ms=31.2),
            events.Session(t=70.0, state="ended", why="time"),
            events.Session(t=80.0, state="began"),
        ],
    )
    table = tmp_path / "all.csv"
    result = cuelens(tmp_path, "--csv", str(table))
    assert result.returncode == 0
    assert "told" not in result.stdout
    first, second = csv.DictReader(io.StringIO(table.read_text()))
    assert first.pop("began") == query.sessions(path)[0].began
    assert ",".join(first.values()) == "1,companion,0,60.0,time,2.0,cue,sad,answer,light voice"
    assert (second["session"], second["ended"], second["kind"]) == ("2", "", "")


@pytest.mark.parametrize(
    ("options", "sentences"),
    [((), []), (("--day", "2026-10-08"), ["8 October 2026"]), (("--delete",), ["Deleted for good: 1 session"])],
)
def test_a_table_on_standard_output_stands_alone(
    tmp_path: Path, options: tuple[str, ...], sentences: list[str], write_session: Callable[..., None]
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy")
    table = query.as_csv(path)
    result = subprocess.run(
        [sys.executable, "-m", "cuelens", "story", "--csv", "-", *options],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "STATE_DIRECTORY": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "none")},
    )
    assert result.stdout.decode() == table
    assert all(sentence in result.stderr.decode() for sentence in sentences)
    assert bool(result.stderr) == bool(sentences)
    assert not (tmp_path / "-").exists()


def test_what_standard_output_did_not_take_is_not_deleted(
    tmp_path: Path, write_session: Callable[..., None], everything: Callable[[Path], list[Session]]
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy")
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "cuelens", "story", "--csv", "-", "--delete"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "STATE_DIRECTORY": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "none")},
        )
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert len(everything(path)) == 1


@pytest.mark.parametrize("option", ["-o", "--csv"])
@pytest.mark.parametrize("name", [store.FILE, "link"])
def test_no_output_goes_over_the_story(
    tmp_path: Path,
    option: str,
    name: str,
    write_session: Callable[..., None],
    entries: Callable[[Path], list[Entry]],
    cuelens: Callable[..., CompletedProcess[str]],
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy")
    (tmp_path / "link").symlink_to(path)
    result = cuelens(tmp_path, option, str(tmp_path / name))
    assert result.returncode == 3
    assert "would overwrite" in result.stderr
    assert len(entries(path)) == 1


@pytest.mark.parametrize("option", ["-o", "--csv"])
def test_no_output_goes_over_what_else_lies_in_the_state_folder(
    tmp_path: Path, option: str, write_session: Callable[..., None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    write_session(tmp_path / store.FILE, "happy")
    recording = tmp_path / "profiles" / "mum" / "happy.wav"
    recording.parent.mkdir(parents=True)
    recording.write_bytes(b"precious")
    result = cuelens(tmp_path, option, str(recording))
    assert result.returncode == 3
    assert "would overwrite" in result.stderr
    assert recording.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ((), 0, "There is no story yet"),
        (("--day", "2026-10-08"), 0, "There is no story yet"),
        (("--delete",), 0, "There was nothing to delete."),
        (("--day", "2026-13-01"), 2, "is no day such as"),
        (("--day", "yesterday"), 2, "is no day such as"),
        (("--day", "2026-10-08", "--delete"), 2, "not allowed with"),
        (("-o", "day.png"), 3, "there is no session to draw"),
        (("-o", "same", "--csv", "same"), 3, "cannot be both"),
    ],
)
def test_what_is_said_before_there_is_a_story(
    tmp_path: Path, options: tuple[str, ...], status: int, sentence: str, cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    result = cuelens(tmp_path, *options)
    assert (result.returncode, sentence in result.stdout + result.stderr) == (status, True)
    assert status == 2 or len(result.stdout.splitlines() + result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
