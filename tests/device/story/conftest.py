"""Stories as the glasses write them, and what a caregiver sees of them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cuelens import events
from cuelens.story import query, store
from cuelens.story.store import Entry, Session
from cuelens.story.writer import Writer

NOON_S = datetime(2026, 10, 8, 12, 0, tzinfo=UTC).timestamp()


def _write(path: Path, stream: Sequence[events.Event], mode: str = "companion", *, school: bool = False) -> None:
    faults: list[str] = []
    writer = Writer(path, lambda *fault: faults.extend(fault), mode=mode, school=school, clock=lambda: NOON_S)
    for event in stream:
        writer(event)
        writer.see()
    writer.close()
    assert (faults, writer.lost) == ([], 0)


def _session(path: Path, *words: str) -> None:
    cues = [
        events.CueGiven(t=11.0 + n, kind="expression", track=7, word=word, outputs=("light",), latency_ms=31.2)
        for n, word in enumerate(words)
    ]
    ended = events.Session(t=70.0, state="ended", why="time")
    _write(path, [events.Session(t=10.0, state="began"), *cues, ended])


def _everything(path: Path) -> list[Session]:
    days = dict.fromkeys(query.day_of(session) for session in query.sessions(path))
    return [session for day in days for session in query.of_day(path, day)]


@pytest.fixture(autouse=True)
def patient_closing() -> Iterator[pytest.MonkeyPatch]:
    """Gives a writer a minute to close: a busy machine may need more than its two seconds."""
    # A patch of its own: a test that undoes `monkeypatch` does not undo it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cuelens.story.writer._CLOSE_S", 60.0)
        yield patch


@pytest.fixture
def written() -> Callable[..., None]:
    """Writes events to a path as the glasses do, at noon of 8 October 2026, with a frame after each."""
    return _write


@pytest.fixture
def write_session() -> Callable[..., None]:
    """Writes a session of a minute to a path, with a cue for each word after 1 s, 2 s, ..."""
    return _session


@pytest.fixture
def everything() -> Callable[[Path], list[Session]]:
    """Returns the sessions of a story with their entries."""
    return _everything


@pytest.fixture
def entries() -> Callable[[Path], list[Entry]]:
    """Returns the entries of a story."""
    return lambda path: [entry for session in _everything(path) for entry in session.entries]


@pytest.fixture
def with_a_hole() -> Callable[[Path], None]:
    """Writes a story and overwrites a page of it."""

    def write(path: Path) -> None:
        with closing(store.open_to_write(path)) as db, store.transaction(db):
            session = store.begin(db, None, "companion", school=False)
            for n in range(2000):
                store.add(db, session, Entry(n / 100, "cue", "happy", "expression", ("light",)))
        whole = path.read_bytes()
        path.write_bytes(whole[:8192] + b"\x55" * 4096 + whole[12288:])

    return write


@pytest.fixture
def cuelens() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `cuelens story` with a state folder and options."""

    def run(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cuelens", "story", *options]
        env = {**os.environ, "STATE_DIRECTORY": str(state), "XDG_CONFIG_HOME": str(state / "none")}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    return run


@pytest.fixture
def bytes_of() -> Callable[[Path], bytes]:
    """Reads a story's files in another process: closing them in this one would drop SQLite's locks."""

    def read(path: Path) -> bytes:
        there = [str(file) for file in store.files_of(path) if file.exists()]
        return subprocess.run(["cat", *there], capture_output=True, check=True).stdout if there else b""

    return read
