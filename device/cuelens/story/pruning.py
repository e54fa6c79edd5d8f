"""What of a story is deleted when a session begins: old sessions by a credible clock, and by their number."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cuelens.story import store

_RETENTION_S: Final = store.RETENTION_DAYS * 86400
_EMPTY_S: Final = 60
"""A shorter session without an entry is empty, such as one whose camera failed at once."""
_AGEING: Final = """SELECT id, began, seconds < ? AND NOT EXISTS (SELECT 1 FROM event WHERE session = session.id)
    FROM session ORDER BY id"""


def prune(db: sqlite3.Connection, path: Path, now_s: float) -> int:
    """Delete old sessions before a new one begins; return the number of deleted sessions.

    At most 199 sessions stay: of more, empty ones are deleted first, then the oldest. Sessions over 30 days old are
    deleted, and so are damaged files that were set aside over 30 days ago, by the credible clock of `_ages_s`.
    """
    rows = db.execute(_AGEING, (_EMPTY_S,)).fetchall()
    clocks = [date.timestamp() if (date := store.read_date(began)) else None for _, began, _ in rows]
    clocks.append(now_s if store.date_of(now_s) else None)
    by_worth = sorted(rows, key=lambda row: not row[2])
    outdated = {number for number, _, _ in by_worth[: max(0, len(rows) + 1 - store.MAX_SESSIONS)]}
    outdated |= {row[0] for row, age_s in zip(rows, _ages_s(clocks), strict=False) if age_s > _RETENTION_S}
    if outdated:
        with store.transaction(db):
            db.executemany("DELETE FROM session WHERE id = ?", [(number,) for number in outdated])
        store.empty_journal(db)
    for file in store.set_aside_of(path):
        # It was set aside before the first of these sessions began.
        if _ages_s([file.stat().st_mtime, *clocks])[0] > _RETENTION_S:
            file.unlink()
    return len(outdated)


def _ages_s(clocks: Sequence[float | None]) -> list[float]:
    """Return how old each of these times is at the last of them, at least, in seconds.

    A board without a clock of its own starts in the past, or at the time of its last shutdown, and jumps once it learns
    the time. A clock is therefore credible from one session to the next only if it is set and went on by 30 days at
    most. A greater step, forwards or back, is a jump that counts as no time; so is any longer pause of the wearer.
    After a smaller step back, time counts again from where the clock stood before.

    clocks: seconds since 1970, in the order in which they were read; None if the clock was not set.
    """
    passed: list[float | None] = []
    total_s, latest_s = 0.0, None
    for clock_s in clocks:
        if clock_s is not None:
            step_s = 0.0 if latest_s is None else clock_s - latest_s
            if 0 < step_s <= _RETENTION_S:
                total_s += step_s
            if latest_s is None or step_s > 0 or step_s < -_RETENTION_S:
                latest_s = clock_s
        passed.append(None if clock_s is None else total_s)
    ages, age_s = [], 0.0
    for passed_s in reversed(passed):
        age_s = age_s if passed_s is None else total_s - passed_s
        ages.append(age_s)
    return ages[::-1]
