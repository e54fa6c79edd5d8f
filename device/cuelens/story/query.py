"""Queries on a story: list, export and delete. They work while the glasses write the file.

Every function raises BadInput if the file is damaged, and Unwritable if it cannot be read or written. A missing file
counts as an empty story.
"""

import csv
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cuelens.story import store
from cuelens.story.store import Entry, Session
from cuelens_models.errors import BadInput, Unwritable

UNDATED: Final = "unknown"
"""The day of sessions without a date."""
_COLUMNS: Final = ("session", "began", "mode", "school", "seconds", "ended", "t", "kind", "word", "detail", "outputs")
_ENTRIES: Final = "SELECT t, kind, word, detail, outputs FROM event WHERE session = ? ORDER BY t, id"
_SESSIONS: Final = "SELECT id, began, mode, school, seconds, ended FROM session ORDER BY id"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The counts of a deletion.

    Attributes:
        sessions: the deleted sessions.
        entries: the deleted entries.
        unread: the deleted files that were too damaged for their rows to be counted.
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
    as a new one that begins now.
    """
    deletion = Deletion(0, 0, 0)
    with _cuelens_errors(path):
        if path.exists():
            try:
                deletion, alone = _wipe(path)
            except store.DamagedStory:
                # No process writes to a damaged file: the writer sets it aside first.
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
    with closing(store.open_to_write(path)) as db:
        with store.transaction(db):
            entries = db.execute("DELETE FROM event").rowcount
            sessions = db.execute("DELETE FROM session").rowcount
        db.execute("VACUUM")
        if not store.empty_journal(db):
            raise Unwritable(f"{path} is being read: what was deleted may still stand in its journal, so delete again")
        return Deletion(sessions, entries, 0), _is_alone(db)


def _is_alone(db: sqlite3.Connection) -> bool:
    """Whether no other process has the file open: only then does SQLite leave WAL mode."""
    try:
        return bool(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
    except sqlite3.OperationalError:
        return False


def _sessions(db: sqlite3.Connection) -> list[Session]:
    return [
        Session(
            id=number,
            began=date.isoformat(timespec="seconds") if (date := store.read_date(began)) else None,
            mode=mode,
            school=bool(school),
            seconds=seconds,
            ended=ended,
        )
        for number, began, mode, school, seconds, ended in db.execute(_SESSIONS)
    ]


def _with_entries(db: sqlite3.Connection, session: Session) -> Session:
    entries = tuple(
        Entry(t, kind, word, detail, tuple(outputs.split()))
        for t, kind, word, detail, outputs in db.execute(_ENTRIES, (session.id,))
    )
    return replace(session, entries=entries)


@contextmanager
def _cuelens_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's errors, and those of a damaged story, into the errors of cuelens."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{error}; the glasses set it aside, and `cuelens story --delete` removes it") from error
    except sqlite3.Error as error:
        raise Unwritable(f"{path} cannot be used: {error}") from error
