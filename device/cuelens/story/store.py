"""The file that a story is kept in: SQLite, one row for a session and one for each entry that matters.

No picture, no reading, no face's number and no name goes in. What is committed is on the disk (`synchronous=FULL`), and
what is deleted is overwritten (`secure_delete`).
"""

import itertools
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cuelens_models.errors import BadInput

FILE: Final = "story.sqlite"
SCHEMA: Final = 1
KEPT_DAYS: Final = 30
KEPT_SESSIONS: Final = 200
"""Over six a day for those 30 days. Where the clock is never set, or stands while the power is off, only this ends a
session's keeping."""
_BUSY_S: Final = 2.0
"""How long to wait for another process: its longest hold is the VACUUM of a deletion."""
_CLOCK_IS_SET_FROM: Final = 2025
_DAY_S: Final = 86400
_BESIDE: Final = ("-wal", "-shm")
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""What SQLite says of a file that is none, of one with holes, and of one without our tables."""

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
_PROBES: Final = (
    "SELECT id, began, mode, school, seconds, ended FROM session LIMIT 0",
    "SELECT id, session, t, kind, word, detail, outputs FROM event LIMIT 0",
)


class DamagedStory(BadInput):
    """A file that is damaged, is no story, or is one of a newer cuelens."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that matters. t: seconds since its session began, never by the wall clock.

    kind: cue, press, mode, mute, pause or unsure. word: what was told, the gesture, the mode, on or off. Of a cue only:
    detail, which is face, expression, answer or prompt, and the outputs that told it.
    """

    t: float
    kind: str
    word: str
    detail: str = ""
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One session. began: local time with its offset, in ISO; None without a date. seconds: how long it was.

    ended: time, stopped or camera lost; None if nothing could be written any more, as in a power cut.
    """

    id: int
    began: str | None
    mode: str
    school: bool
    seconds: float
    ended: str | None
    entries: tuple[Entry, ...] = ()


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a story, or begin one, readable by its owner only. Raises DamagedStory, OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only a new file: closing one that this process has open elsewhere would drop SQLite's locks on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        with _naming_damage(path):
            fresh = _is_fresh(db, path)
            # The journal comes after the look: a file of somebody else's is not to be changed.
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
                db.execute(f"PRAGMA {setting}").fetchall()
            if fresh:
                with whole(db):
                    # Another process may have begun it meanwhile.
                    for statement in _TABLES if _is_fresh(db, path) else ():
                        db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a story that is there, also while another process writes it. Raises DamagedStory, sqlite3.Error."""
    # Not `mode=ro`: after a power cut the first one to come has to tidy up.
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        db.execute("PRAGMA query_only = ON")
        with _naming_damage(path):
            if _is_fresh(db, path):
                db.close()
                return _nothing()
    except BaseException:
        db.close()
        raise
    return db


def _nothing() -> sqlite3.Connection:
    """Return a story without a row, which is what a file is that was created and not yet begun."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in _TABLES:
        db.execute(statement)
    return db


def _is_fresh(db: sqlite3.Connection, path: Path) -> bool:
    """Whether there is nothing in the file yet. Raises DamagedStory if what is there is not ours or not whole."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA:
        raise DamagedStory(f"{path} was written by a newer cuelens, with schema {version}; this one knows {SCHEMA}")
    if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        return True
    for probe in _PROBES:
        db.execute(probe)
    found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise DamagedStory(f"{path} is damaged: {found}")
    return False


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Turn what SQLite says of a damaged file into DamagedStory; a full disk or a busy file is not one."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGE:
            raise DamagedStory(f"{path} is damaged, or no story of cuelens: {error}") from error
        raise


@contextmanager
def whole(db: sqlite3.Connection) -> Iterator[None]:
    """Do what is inside as one transaction: all of it or nothing."""
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
    inserted = db.execute("INSERT INTO session (began, mode, school, seconds) VALUES (?, ?, ?, 0)", row)
    return int(inserted.lastrowid or 0)


def add(db: sqlite3.Connection, session: int, entry: Entry) -> None:
    """Add an entry to a session."""
    db.execute(
        "INSERT INTO event (session, t, kind, word, detail, outputs) VALUES (?, ?, ?, ?, ?, ?)",
        (session, round(entry.t, 3), entry.kind, entry.word, entry.detail, " ".join(entry.outputs)),
    )


def go_on(db: sqlite3.Connection, session: int, seconds: float) -> bool:
    """Note how long a session has lasted. Returns False if it was deleted meanwhile."""
    changed = db.execute("UPDATE session SET seconds = ? WHERE id = ?", (round(seconds, 3), session))
    return changed.rowcount > 0


def end(db: sqlite3.Connection, session: int, seconds: float, why: str) -> None:
    """End a session."""
    db.execute("UPDATE session SET seconds = ?, ended = ? WHERE id = ?", (round(seconds, 3), why, session))


def date_of(now_s: float) -> str | None:
    """Return a wall-clock time (seconds since 1970) as local ISO text with its offset; None if the clock is not set."""
    local = datetime.fromtimestamp(now_s, tz=UTC).astimezone()
    return local.isoformat(timespec="seconds") if local.year >= _CLOCK_IS_SET_FROM else None


def read_date(began: object) -> datetime | None:
    """Return when a session began; None for what is no date with its offset, which counts as none at all."""
    try:
        date = datetime.fromisoformat(began) if isinstance(began, str) else None
    except ValueError:
        return None
    return date if date and date.tzinfo else None


def prune(db: sqlite3.Connection, path: Path, now_s: float) -> int:
    """Make room for a session that begins; return how many sessions went.

    Whatever the clock says, 199 stay at most. By the clock, those over 30 days old go, and files that were set aside
    so long ago: unless it is not set, or stands before the latest session that has a date, for then it jumped back.
    """
    rows = db.execute("SELECT id, began, CAST(seconds AS REAL) FROM session ORDER BY id").fetchall()
    gone = {number for number, _, _ in rows[: 1 - KEPT_SESSIONS]}
    dated = [(number, date.timestamp(), seconds) for number, began, seconds in rows if (date := read_date(began))]
    believed = date_of(now_s) is not None and all(began_s + seconds <= now_s for _, began_s, seconds in dated[-1:])
    if believed:
        gone |= _old([number for number, _, _ in rows], {number: began_s for number, began_s, _ in dated}, now_s)
    if gone:
        with whole(db):
            db.executemany("DELETE FROM session WHERE id = ?", [(number,) for number in gone])
        empty_journal(db)
    for file in set_aside_of(path) if believed else ():
        if file.stat().st_mtime < now_s - KEPT_DAYS * _DAY_S:
            file.unlink()
    return len(gone)


def _old(numbers: Sequence[int], began_s: Mapping[int, float], now_s: float) -> set[int]:
    """Return the sessions over 30 days old. began_s: when each began, of those that have a date.

    One without a date goes with the next old one, which is at most as old; so does one that is dated over a day ahead:
    its clock was wrong.
    """
    old = {number for number, at_s in began_s.items() if at_s < now_s - KEPT_DAYS * _DAY_S}
    last = max(old, default=0)
    return old | {number for number in numbers if number < last and began_s.get(number, math.inf) > now_s + _DAY_S}


def empty_journal(db: sqlite3.Connection) -> bool:
    """Leave nothing of what was deleted in the journal. Returns False if somebody is reading what stands there."""
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def files_of(path: Path) -> list[Path]:
    """Return every file that a story can consist of: itself, and SQLite's two beside it."""
    return [path, *(path.with_name(path.name + ending) for ending in _BESIDE)]


def set_aside_of(path: Path) -> list[Path]:
    """Return the damaged files that were set aside, and what lay beside them."""
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


def set_aside(path: Path) -> Path:
    """Rename a damaged file to `NAME.damaged-N`, and return that. Raises OSError."""
    numbered = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    target = next(place for place in numbered if not place.exists())
    # The journal goes first: left behind, it would be taken for that of the file that comes next.
    for file, place in reversed(list(zip(files_of(path), files_of(target), strict=True))):
        if file.exists():
            file.replace(place)
    return target
