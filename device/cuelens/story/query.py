"""What can be asked of a story, by a command or a page, also while the glasses go on writing it.

Every function raises BadInput if the file is damaged, and Unwritable if it may not be touched, each with a sentence. A
story that was not begun yet is an empty one.
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
class Deleted:
    """What a deletion took away. unread: files whose rows could not be counted, because they were damaged."""

    sessions: int
    entries: int
    unread: int


def day_of(session: Session) -> str:
    """Return the day on which a session began, as YYYY-MM-DD in the time of that place, or `unknown`."""
    return session.began[:10] if session.began else UNDATED


def sessions(path: Path) -> list[Session]:
    """Return all sessions in the order in which they were begun, without their entries."""
    if not path.exists():
        return []
    with _in_a_sentence(path), closing(store.open_to_read(path)) as db:
        return _sessions(db)


def of_day(path: Path, day: str) -> list[Session]:
    """Return the sessions of a day, with their entries."""
    if not path.exists():
        return []
    with _in_a_sentence(path), closing(store.open_to_read(path)) as db:
        return [_with_entries(db, session) for session in _sessions(db) if day_of(session) == day]


def as_csv(path: Path) -> str:
    """Return everything that is kept as CSV: a line for each entry, and one for a session without any."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    if path.exists():
        with _in_a_sentence(path), closing(store.open_to_read(path)) as db:
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


def delete(path: Path) -> Deleted:
    """Delete everything that was ever kept, damaged files that were set aside included; say how much it was.

    While another process has the file open, its rows are overwritten and the file stays; else the file goes as well.
    The session that is being written goes on as one that begins now.
    """
    gone = Deleted(0, 0, 0)
    with _in_a_sentence(path):
        if path.exists():
            try:
                gone, alone = _wipe(path)
            except store.DamagedStory:
                # Nobody writes into it: the glasses set it aside before they do.
                gone, alone = Deleted(0, 0, 1), True
            if alone:
                for file in store.files_of(path):
                    file.unlink(missing_ok=True)
        set_aside = store.set_aside_of(path)
        for file in set_aside:
            file.unlink()
    unread = gone.unread + sum(not file.name.endswith(("-wal", "-shm")) for file in set_aside)
    return Deleted(gone.sessions, gone.entries, unread)


def _wipe(path: Path) -> tuple[Deleted, bool]:
    """Delete every row for good. Returns how many, and whether nobody else has the file open."""
    with closing(store.open_to_write(path)) as db:
        with store.whole(db):
            entries = db.execute("DELETE FROM event").rowcount
            sessions = db.execute("DELETE FROM session").rowcount
        db.execute("VACUUM")
        if not store.empty_journal(db):
            raise Unwritable(f"{path} is being read: what was deleted may still stand in its journal, so delete again")
        return Deleted(sessions, entries, 0), _is_alone(db)


def _is_alone(db: sqlite3.Connection) -> bool:
    """Whether nobody else has the file open: only then SQLite gives up its shared journal."""
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
def _in_a_sentence(path: Path) -> Iterator[None]:
    """Say what is wrong with a story in the errors of cuelens."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{error}; the glasses set it aside, and `cuelens story --delete` removes it") from error
    except sqlite3.Error as error:
        raise Unwritable(f"{path} cannot be used: {error}") from error
