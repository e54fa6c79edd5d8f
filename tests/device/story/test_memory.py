"""How much memory SQLite takes for the longest of stories, by its own count."""

import _sqlite3
import ctypes
from contextlib import closing
from pathlib import Path

import pytest

from cuelens.story import query, store
from cuelens.story.store import Entry


def taken_kb() -> float:
    """Return what SQLite holds in this process. https://sqlite.org/c3ref/memory_highwater.html"""
    try:
        # What a library was linked with is found through it.
        count = ctypes.CDLL(getattr(_sqlite3, "__file__", None)).sqlite3_memory_used
    except AttributeError:
        pytest.skip("this Python keeps SQLite to itself")
    count.restype = ctypes.c_int64
    return float(count()) / 1024


def test_a_long_story_is_written_and_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    before_kb = taken_kb()
    with closing(store.open_to_write(path)) as db:
        with store.transaction(db):
            for _ in range(store.MAX_SESSIONS):
                session = store.begin(db, "2026-10-08T12:00:00+00:00", "companion", school=False)
                for t in range(150):
                    store.add(db, session, Entry(float(t), "cue", "happy", "expression", ("light",)))
        written_kb = taken_kb() - before_kb
        with closing(store.open_to_read(path)) as reader:
            assert len(reader.execute("SELECT * FROM event").fetchall()) == 150 * store.MAX_SESSIONS
            read_kb = taken_kb() - before_kb - written_kb
    assert path.stat().st_size > 1_500_000
    assert len(query.sessions(path)) == store.MAX_SESSIONS
    assert written_kb < 700
    assert read_kb < 700
