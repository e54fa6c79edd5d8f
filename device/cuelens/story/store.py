"""The story's file: an SQLite database with one row for each session and one for each entry.

It never holds a picture, a reading, a face's number or a name. Commits are synced to disk (`synchronous=FULL`), and
deleted rows are overwritten (`secure_delete`).
"""

import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cuelens import ownership
from cuelens.story import files
from cuelens_models import regular_file
from cuelens_models.errors import BadInput, Unwritable

FILE: Final = files.FILE
SCHEMA: Final = 1
RETENTION_DAYS: Final = 30
MAX_SESSIONS: Final = 200
"""Over six a day for 30 days. Where no clock is credible, only this limit removes sessions."""
_BUSY_S: Final = 2.0
"""Timeout for another process's lock; the longest lock is the VACUUM of a deletion."""
_CLOCK_IS_SET_FROM: Final = 2025
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLite's error codes for a damaged database, a file of another format, and missing tables."""
_READ_ONLY: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""SQLite's error codes for a folder in which it cannot create the files of its journal."""

_TABLES: Final = (
    """CREATE TABLE session (
        id INTEGER PRIMARY KEY AUTOINCREMENT, began TEXT, mode TEXT NOT NULL, school INTEGER NOT NULL,
        seconds REAL NOT NULL, ended TEXT)""",
    """CREATE TABLE event (
        id INTEGER PRIMARY KEY, session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE, t REAL NOT NULL,
        kind TEXT NOT NULL, word TEXT NOT NULL, detail TEXT NOT NULL, outputs TEXT NOT NULL)""",
    "CREATE INDEX event_session ON event (session)",
    f"PRAGMA user_version = {SCHEMA}",
)
_MOST_HEAP_BYTES: Final = 64_000_000
"""Most memory that SQLite takes: a damaged file may make it ask for all of a board's. The longest story is 2 MB."""
_LITTLE_CACHE: Final = "PRAGMA cache_size = -256"
"""The pages that a connection keeps, in kB. By itself it keeps 2 MB, which fill as the days go by. Reads the file."""


files_of: Final = files.files_of


class DamagedStory(BadInput):
    """A file that is damaged, is not a story, or was written by a newer cuelens."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a session.

    Attributes:
        t: seconds since the session began, on the monotonic clock.
        kind: cue, press, mode, mute, pause, unsure or, at the end, "in view".
        word: the cue's word, the gesture, the mode, on or off, or for how many seconds any face was in view.
        detail: for a cue, its kind: face, expression, answer or prompt.
        outputs: for a cue, the outputs that gave it.
    """

    t: float
    kind: str
    word: str
    detail: str = ""
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        id: its row number.
        began: ISO local time with its offset; None if the clock was not set.
        mode: the mode at its beginning.
        school: whether the school option was on.
        seconds: its duration.
        ended: time, stopped or camera lost; None if its end was not written, as after a power cut.
        entries: its events, in order of time; empty if only the session was queried.
    """

    id: int
    began: str | None
    mode: str
    school: bool
    seconds: float
    ended: str | None
    entries: tuple[Entry, ...] = ()


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a story, or create one that only the owner of its folder can read.

    Raises DamagedStory, OSError, sqlite3.Error.
    """
    made = ownership.missing(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Create only: closing a file that this process has open elsewhere would drop SQLite's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # SQLite gives its journals the owner of the file.
        ownership.hand_over(*made, path)
    db = _connect(path)
    try:
        with naming_damage(path):
            db.execute(_LITTLE_CACHE)
            fresh = _is_fresh(db, path)
            # Set WAL mode after the check: it would change a foreign file.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
                db.execute(f"PRAGMA {setting}").fetchall()
            if fresh:
                with transaction(db):
                    # Another process may have created the tables meanwhile.
                    for statement in _TABLES if _is_fresh(db, path) else ():
                        db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing story for reading, also while another process writes it, and from a read-only card.

    Raises DamagedStory, OSError, sqlite3.Error.
    """
    try:
        return _checked(_connect(path), path)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in _READ_ONLY:
            raise
    return _checked(_copied(path), path)


def _connect(path: Path) -> sqlite3.Connection:
    if path.is_dir():
        # It is not set aside: `--delete` would delete what lies in it.
        raise Unwritable(f"{path} is a folder, and the story is a file of this name: move the folder away")
    if fault := regular_file.fault(path):
        raise DamagedStory(f"{path} {fault}")
    # Not `mode=ro`: after a power cut, the first connection must recover the journal.
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None)
    db.text_factory = _text
    db.execute(f"PRAGMA hard_heap_limit = {_MOST_HEAP_BYTES}")
    return db


def _text(raw: bytes) -> str | bytes:
    """Return a stored text; the bytes of a damaged one, so that it spoils its own row only."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _checked(db: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Return the connection, made safe for reading; an empty story in place of a file without tables."""
    try:
        db.execute("PRAGMA query_only = ON")
        with naming_damage(path):
            db.execute(_LITTLE_CACHE)
            if not _is_fresh(db, path):
                return db
    except BaseException:
        db.close()
        raise
    db.close()
    return _empty()


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory of a story whose folder cannot be written to, with what its journal holds.

    SQLite reads no journal without the file of its index, and cannot create one there (https://sqlite.org/wal.html,
    section 5). No process writes such a story: a writer would have created that file.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as failing:
        copy = Path(folder) / path.name
        for file, place in zip(files_of(path), files_of(copy), strict=True):
            if file.exists():
                shutil.copyfile(file, place)
        memory = sqlite3.connect(":memory:", isolation_level=None)
        failing.callback(memory.close)
        memory.text_factory = _text
        with naming_damage(path), closing(_connect(copy)) as db:
            db.backup(memory)
        failing.pop_all()
    return memory


def _empty() -> sqlite3.Connection:
    """Return an empty story in memory, in place of a file without tables."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in _TABLES:
        db.execute(statement)
    return db


def _is_fresh(db: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has no tables yet. Raises DamagedStory if its contents are foreign or damaged."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA:
        raise DamagedStory(f"{path} was written by a newer cuelens, with schema {version}; this one knows {SCHEMA}")
    if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        return True
    made = {sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")}
    if made != set(_TABLES[:-1]):
        # Besides damage, a view in place of a table may never come to an end.
        raise DamagedStory(f"{path} is damaged, or no story of cuelens: its tables are others")
    for (check,) in db.execute("PRAGMA quick_check").fetchall():
        # A missing value is a damaged row, which is skipped.
        if check != "ok" and not check.startswith("NULL value"):
            raise DamagedStory(f"{path} is damaged: {check}")
    return False


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Translate SQLite's errors for a damaged file into DamagedStory; a full disk or a lock stays sqlite3.Error."""
    try:
        yield
    except (MemoryError, UnicodeDecodeError) as error:
        # A damaged length asks for any memory, and a damaged name makes a message that Python cannot read.
        raise DamagedStory(f"{path} is damaged, or no story of cuelens: SQLite cannot read it") from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGE:
            raise DamagedStory(f"{path} is damaged, or no story of cuelens: {error}") from error
        raise


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run this block as one transaction: all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def begin(db: sqlite3.Connection, began: str | None, mode: str, *, school: bool) -> int:
    """Begin a session; return its number."""
    row = (began, mode, school)
    cursor = db.execute("INSERT INTO session (began, mode, school, seconds) VALUES (?, ?, ?, 0)", row)
    return int(cursor.lastrowid or 0)


def add(db: sqlite3.Connection, session: int, entry: Entry) -> None:
    """Add an entry to a session."""
    db.execute(
        "INSERT INTO event (session, t, kind, word, detail, outputs) VALUES (?, ?, ?, ?, ?, ?)",
        (session, round(entry.t, 3), entry.kind, entry.word, entry.detail, " ".join(entry.outputs)),
    )


def go_on(db: sqlite3.Connection, session: int, seconds: float) -> bool:
    """Update a running session's duration. Return False if the session was deleted meanwhile."""
    cursor = db.execute("UPDATE session SET seconds = ? WHERE id = ?", (round(seconds, 3), session))
    return cursor.rowcount > 0


def end(db: sqlite3.Connection, session: int, seconds: float, why: str) -> None:
    """Store a session's duration and the reason for its end."""
    db.execute("UPDATE session SET seconds = ?, ended = ? WHERE id = ?", (round(seconds, 3), why, session))


def date_of(now_s: float) -> str | None:
    """Return a wall-clock time (seconds since 1970) as local ISO text with its offset; None if the clock is not set."""
    local = datetime.fromtimestamp(now_s, tz=UTC).astimezone()
    return local.isoformat(timespec="seconds") if local.year >= _CLOCK_IS_SET_FROM else None


def read_date(began: object) -> datetime | None:
    """Return a stored date; None if it is no ISO date with an offset."""
    try:
        date = datetime.fromisoformat(began) if isinstance(began, str) else None
    except ValueError:
        return None
    return date if date and date.tzinfo else None


def empty_journal(db: sqlite3.Connection) -> bool:
    """Truncate the journal, so that it holds no deleted rows. Return False if another process is reading it."""
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def set_aside_of(path: Path) -> list[Path]:
    """Return the damaged files that were set aside, and their journal files."""
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `NAME.damaged-N`; return the new path. Raises OSError."""
    numbered = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    target = next(place for place in numbered if not place.exists())
    # Move the journals first: SQLite would apply a leftover journal to the next database.
    for file, place in reversed(list(zip(files_of(path), files_of(target), strict=True))):
        if file.exists():
            file.replace(place)
    return target
