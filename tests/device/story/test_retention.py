"""How long a story is kept: thirty days by a credible clock, and the last two hundred sessions."""

import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cuelens import events
from cuelens.story import query, store
from cuelens.story.pruning import prune
from cuelens.story.store import Entry
from cuelens.story.writer import Writer

NOW_S = datetime(2026, 10, 8, 12, 0, tzinfo=UTC).timestamp()
DAY_S = 86400.0
BAD_TEXT = "CAST(x'6869ff' AS TEXT)"


def no_fault(fault: str, detail: str) -> None:
    raise AssertionError(f"{fault}: {detail}")


@pytest.mark.parametrize(
    ("others", "seconds", "entry", "evicted"),
    [
        (150, 0.0, False, 0),
        (300, 2.0, False, 0),
        (300, 59.0, False, 0),
        (300, 60.0, False, 150),
        (300, 2.0, True, 150),
        (60, 2.0, True, 11),
    ],
)
def test_empty_sessions_never_push_out_real_ones(
    tmp_path: Path, others: int, seconds: float, entry: bool, evicted: int
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for number in range(150 + others):
            session = store.begin(db, None, "companion", school=False)
            if number < 150 or entry:
                store.add(db, session, Entry(1.0, "press", "ask"))
            store.end(db, session, 1200.0 if number < 150 else seconds, "camera lost")
            prune(db, path, NOW_S)
        assert db.execute("SELECT count(*) FROM session WHERE id <= 150").fetchone()[0] == 150 - evicted
        assert db.execute("SELECT count(*) FROM session").fetchone()[0] == 199


JUMP_DAYS = 400


@pytest.mark.parametrize(
    ("ages", "now_s", "left"),
    [
        ([40, 31, 29, 0.5], NOW_S, [29, 0.5]),
        ([31, 30.5, 1], NOW_S, [1]),
        ([29], NOW_S, [29]),
        ([30, 0], NOW_S, [30, 0]),
        ([], NOW_S, []),
        # The clock is not set, or jumped back before the latest session.
        ([40, 31], 0.0, [40, 31]),
        ([40, 31, -1], NOW_S, [40, 31, -1]),
        # What is older than thirty days before the latest session stays so, whatever the clock says now.
        ([80, 60, 40], 0.0, [60, 40]),
        # A clock that was not set is as late as the next one that was.
        ([None, 40, None, 31, None, 29, None], NOW_S, [None, 29, None]),
        ([None, None], NOW_S, [None, None]),
        # The clock jumps ahead: it was wrong, or it was right at last.
        ([JUMP_DAYS + 2, JUMP_DAYS + 1, JUMP_DAYS], NOW_S, [JUMP_DAYS + 2, JUMP_DAYS + 1, JUMP_DAYS]),
        ([31], NOW_S, [31]),
        # After a jump ahead, time goes on; whatever jumps were before, they count as none.
        ([JUMP_DAYS, 32, 20, 10], NOW_S, [20, 10]),
        ([JUMP_DAYS, 29, 10], NOW_S, [JUMP_DAYS, 29, 10]),
        # The clock was years ahead for one session.
        ([40, -1500, 35, -1500, 29], NOW_S, [40, -1500, 35, -1500, 29]),
        ([-1500, 29, 9], NOW_S, [-1500, 29, 9]),
        ([-1500, 39, 19], NOW_S, [19]),
        ([40, 29, -1500], NOW_S, [40, 29, -1500]),
        # Every start is in the past, until the clock is right for a while.
        ([20, 5, 20, 4, 20, 3, 20, 2, 20, 1], NOW_S, [20, 5, 20, 4, 20, 3, 20, 2, 20, 1]),
        # A small step back can be a change of time zone.
        ([40, 20, 20.1, 5], NOW_S, [20, 20.1, 5]),
    ],
)
def test_what_is_older_than_thirty_days_is_removed(
    tmp_path: Path, ages: list[float | None], now_s: float, left: list[float | None], bytes_of: Callable[[Path], bytes]
) -> None:
    path = tmp_path / store.FILE

    def date(age: float | None) -> str | None:
        return None if age is None else store.date_of(NOW_S - age * DAY_S)

    with closing(store.open_to_write(path)) as db:
        for age in ages:
            store.add(db, store.begin(db, date(age), "companion", school=False), Entry(1.0, "press", f"old {age}"))
        assert prune(db, path, now_s) == len(ages) - len(left)
    assert [session.began for session in query.sessions(path)] == [date(age) for age in left]
    assert len(query.as_csv(path).splitlines()) == 1 + len(left)
    for age in set(ages) - set(left):
        assert f"old {age}".encode() not in bytes_of(path)


@pytest.mark.parametrize("now_s", [0.0, NOW_S - 400 * DAY_S, NOW_S])
@pytest.mark.parametrize("dated", [False, True])
def test_the_last_two_hundred_sessions_stay_at_most_whatever_the_clock_says(
    tmp_path: Path, now_s: float, dated: bool, bytes_of: Callable[[Path], bytes]
) -> None:
    path = tmp_path / store.FILE
    began = store.date_of(NOW_S - DAY_S) if dated else None
    with closing(store.open_to_write(path)) as db:
        for number in range(205):
            store.add(db, store.begin(db, began, "companion", school=False), Entry(1.0, "press", f"old {number}."))
    writer = Writer(path, no_fault, clock=lambda: now_s)
    writer(events.Session(t=10.0, state="began"))
    writer.see()
    writer.close()
    assert [session.id for session in query.sessions(path)] == list(range(7, 207))
    assert b"old 5." not in bytes_of(path)
    assert b"old 6." in bytes_of(path)


BAD_DATES = [
    *("'soon'", "''", "'2026-13-01T00:00:00+02:00'", "'2026-10-08T09:00:00'", "'2026-10-08'", "x'ff'", "7", "9e999"),
    BAD_TEXT,
]


@pytest.mark.parametrize("began", BAD_DATES)
def test_a_bad_date_is_none(
    tmp_path: Path, began: str, write_session: Callable[..., None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for age in (40, 31, 29, 20):
            store.begin(db, store.date_of(NOW_S - age * DAY_S), "companion", school=False)
        # One duration is not a number either.
        db.execute(f"UPDATE session SET began = {began} WHERE id IN (1, 3)")  # noqa: S608 - ours
        db.execute("UPDATE session SET seconds = 'long' WHERE id = 2")
    write_session(path, "happy")
    bad, _, new = query.sessions(path)
    assert (bad.id, bad.began, new.id) == (3, None, 5)
    text = cuelens(tmp_path, "--day", query.UNDATED)
    assert (text.returncode, "no. 3" in text.stdout) == (0, True), text.stderr


def test_any_date_that_can_be_written_can_be_compared(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for began in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", store.date_of(NOW_S)):
            store.begin(db, began, "companion", school=False)
        assert prune(db, path, NOW_S) == 0
    assert len(query.sessions(path)) == 3


def test_the_offset_of_a_date_is_minded(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        # 30 days and an hour ago, and an hour less, whatever their first characters say.
        for began in ("2026-09-08T13:00:00+02:00", "2026-09-08T11:00:00-02:00", store.date_of(NOW_S)):
            store.begin(db, began, "companion", school=False)
        assert prune(db, path, NOW_S) == 1
    assert query.sessions(path)[0].began == "2026-09-08T11:00:00-02:00"


@pytest.mark.parametrize(
    ("ages", "file_age", "stays"),
    [
        ([31, 20], 32, False),
        ([20], 31, False),
        ([20], 29, True),
        ([20], JUMP_DAYS, True),
        ([], 20, True),
        ([], JUMP_DAYS, True),
    ],
)
def test_a_session_s_beginning_removes_old_ones_and_old_damaged_files(
    tmp_path: Path, ages: list[float], file_age: float, stays: bool, write_session: Callable[..., None]
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for age in ages:
            store.begin(db, store.date_of(NOW_S - age * DAY_S), "companion", school=False)
    file = tmp_path / f"{store.FILE}.damaged-1"
    file.touch()
    os.utime(file, (NOW_S - file_age * DAY_S, NOW_S - file_age * DAY_S))
    write_session(path)
    young = [age for age in ages if age < 30]
    assert len(query.sessions(path)) == len(young) + 1
    assert store.set_aside_of(path) == ([file] if stays else [])
