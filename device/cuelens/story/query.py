"""Queries on a story: list, export and delete. They work while the glasses write the file.

Every function raises BadInput if the file is damaged, and Unwritable if it cannot be read or written. A missing file
counts as an empty story. A damaged row is skipped: `left_out` counts them.
"""

import csv
import io
import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cuelens.story import store
from cuelens.story.store import Entry, Session
from cuelens_models.errors import BadInput, Unwritable

UNDATED: Final = "unknown"
"""The day of sessions without a date."""
_COLUMNS: Final = ("session", "began", "mode", "school", "seconds", "ended", "t", "kind", "word", "detail", "outputs")
_ENTRIES: Final = "SELECT t, kind, word, detail, outputs FROM event WHERE session = ? ORDER BY t, id"
_SESSIONS: Final = "SELECT id, began, mode, school, seconds, ended FROM session ORDER BY id"
_ROWS: Final = "SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM event)"
_NO_ROOM: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""SQLite's error codes on a full disk: the second one where there is no room for the index of its journal."""
_ZEROS: Final = bytes(65_536)
_LONGEST_S: Final = 1e9
"""Over thirty years: a greater time is damage."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """The counts of a deletion.

    Attributes:
        sessions: the deleted sessions.
        entries: the deleted entries.
        unread: the deleted files whose rows could not be counted: they were damaged, or the disk is full.
    """

    sessions: int
    entries: int
    unread: int


def day_of(session: Session) -> str:
    """Return the day on which a session began, as YYYY-MM-DD in local time, or `unknown`."""
    return session.began[:10] if session.began else UNDATED


def sessions(path: Path) -> list[Session]:
    """Return all sessions, oldest first, without their entries."""
    if not path.exists():
        return []
    with _cuelens_errors(path), closing(store.open_to_read(path)) as db:
        return _sessions(db)


def of_day(path: Path, day: str) -> list[Session]:
    """Return the sessions of a day, with their entries."""
    if not path.exists():
        return []
    with _cuelens_errors(path), closing(store.open_to_read(path)) as db:
        return [_with_entries(db, session) for session in _sessions(db) if day_of(session) == day]


def left_out(path: Path) -> int:
    """Return how many rows the other queries skip: damaged ones, and the events of damaged sessions."""
    if not path.exists():
        return 0
    with _cuelens_errors(path), closing(store.open_to_read(path)) as db:
        whole = [_with_entries(db, session) for session in _sessions(db)]
        rows = int(db.execute(_ROWS).fetchone()[0])
    return rows - len(whole) - sum(len(session.entries) for session in whole)


def as_csv(path: Path) -> str:
    """Return the whole story as CSV: a line for each entry, and one for each session without entries."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    if path.exists():
        with _cuelens_errors(path), closing(store.open_to_read(path)) as db:
            for session in _sessions(db):
                of_session = (
                    *(session.id, session.began or "", session.mode, int(session.school)),
                    *(session.seconds, session.ended or ""),
                )
                entries = _with_entries(db, session).entries
                for entry in entries:
                    of_entry = (entry.t, entry.kind, entry.word, entry.detail, " ".join(entry.outputs))
                    lines.writerow(of_session + of_entry)
                if not entries:
                    lines.writerow(of_session + ("",) * 5)
    return text.getvalue()


def delete(path: Path) -> Deletion:
    """Delete the whole story, including damaged files that were set aside; return the counts.

    The rows are overwritten. The file is removed too, unless another process has it open. A running session continues
    as a new one that begins now. On a full disk SQLite can change no row: then the files are overwritten and removed in
    any case, and a process that has them open begins a new one.
    """
    deletion = Deletion(0, 0, 0)
    with _cuelens_errors(path):
        if path.exists():
            try:
                deletion, alone = _wipe(path)
            except store.DamagedStory:
                # No process writes to a damaged file: the writer sets it aside first.
                deletion, alone = Deletion(0, 0, 1), True
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in _NO_ROOM:
                    raise
                _overwrite(path)
                deletion, alone = Deletion(0, 0, 1), True
            if alone:
                for file in store.files_of(path):
                    file.unlink(missing_ok=True)
        set_aside = store.set_aside_of(path)
        for file in set_aside:
            file.unlink()
    unread = deletion.unread + sum(not file.name.endswith(("-wal", "-shm")) for file in set_aside)
    return Deletion(deletion.sessions, deletion.entries, unread)


def _wipe(path: Path) -> tuple[Deletion, bool]:
    """Delete every row for good. Return the counts, and whether no other process has the file open."""
    with closing(store.open_to_write(path)) as db, store.naming_damage(path):
        with store.transaction(db):
            entries = db.execute("DELETE FROM event").rowcount
            sessions = db.execute("DELETE FROM session").rowcount
        db.execute("VACUUM")
        if not store.empty_journal(db):
            raise Unwritable(f"{path} is being read: what was deleted may still stand in its journal, so delete again")
        return Deletion(sessions, entries, 0), _is_alone(db)


def _overwrite(path: Path) -> None:
    """Remove a story and its journal, and overwrite what stood in them. Raises OSError."""
    with ExitStack() as opened:
        # The index of the journal has no text, and a process that has it open maps it into memory.
        journal = path.with_name(f"{path.name}-wal")
        files = [opened.enter_context(file.open("r+b", buffering=0)) for file in (journal, path) if file.exists()]
        # First, so that nobody finds a story of zeros.
        for name in store.files_of(path):
            name.unlink(missing_ok=True)
        for file in files:
            rest = os.fstat(file.fileno()).st_size
            while rest:
                rest -= file.write(_ZEROS[:rest])
            os.fsync(file.fileno())


def _is_alone(db: sqlite3.Connection) -> bool:
    """Whether no other process has the file open: only then does SQLite leave WAL mode."""
    try:
        return bool(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    except sqlite3.OperationalError:
        return False


def _sessions(db: sqlite3.Connection) -> list[Session]:
    return [session for row in db.execute(_SESSIONS) if (session := _session(*row))]


def _session(number: int, began: object, mode: Any, school: Any, seconds: Any, ended: Any) -> Session | None:
    """Return a row as a session; None if it is damaged. A date that is none counts as a clock that was not set."""
    if not (_is_text(mode, "" if ended is None else ended) and isinstance(school, int) and _is_time(seconds)):
        return None
    date = store.read_date(began)
    text = date.isoformat(timespec="seconds") if date else None
    return Session(number, text, mode, bool(school), seconds, ended)


def _with_entries(db: sqlite3.Connection, session: Session) -> Session:
    entries = tuple(
        Entry(t, kind, word, detail, tuple(outputs.split()))
        for t, kind, word, detail, outputs in db.execute(_ENTRIES, (session.id,))
        if _is_time(t) and _is_text(kind, word, detail, outputs) and (kind != "in view" or _is_count(word))
    )
    return replace(session, entries=entries)


def _is_text(*values: object) -> bool:
    """Whether all are texts without control characters, which would command the terminal."""
    return all(isinstance(value, str) and value.isprintable() for value in values)


def _is_count(word: str) -> bool:
    """Whether a text is a number of seconds, no greater than a time."""
    return word.isdecimal() and len(word) <= len(f"{_LONGEST_S:.0f}")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < _LONGEST_S


@contextmanager
def _cuelens_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's errors, and those of a damaged story, into the errors of cuelens."""
    try:
        with store.naming_damage(path):
            yield
    except BadInput as error:
        raise BadInput(f"{error}; the glasses set it aside, and `cuelens story --delete` removes it") from error
    except Unwritable:
        raise
    except sqlite3.Error as error:
        raise Unwritable(f"{path} cannot be used: {error}") from error
    except OSError as error:
        raise Unwritable(f"{error.filename or path} cannot be used: {error.strerror or error}") from error
