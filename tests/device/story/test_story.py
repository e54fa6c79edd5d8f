"""The story: the stored events, retention, the description of a day, and deletion."""

import csv
import importlib.util
import io
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from cuelens import events
from cuelens.cues.fading import FadingRule
from cuelens.story import prose, query, store
from cuelens.story.pruning import prune
from cuelens.story.store import DamagedStory, Entry, Session
from cuelens.story.writer import QUEUE_EVENTS, Writer
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.errors import BadInput, MissingExtra, Unwritable

FADING = FadingRule()
POWER_CUT = Path(__file__).resolve().parents[3] / "benchmarks" / "power_cut.py"
NOW_S = datetime(2026, 10, 8, 12, 0, tzinfo=UTC).timestamp()
DAY_S = 86400.0
BAD_TEXT = "CAST(x'6869ff' AS TEXT)"
"""A text of SQLite that is not UTF-8."""

BEGAN = events.Session(t=10.0, state="began")
ENDED = events.Session(t=70.0, state="ended", why="time")


def cue(t: float, word: str = "happy", kind: str = "expression", outputs: tuple[str, ...] = ("light",)) -> events.Event:
    return events.CueGiven(t=t, kind=kind, track=7, word=word, outputs=outputs, latency_ms=31.2)


def settled(t: float, expression: str, track: int = 1) -> events.Event:
    return events.Expression(t=t, track=track, expression=expression, confidence=0.9)


def no_fault(fault: str, detail: str) -> None:
    raise AssertionError(f"{fault}: {detail}")


def written(path: Path, stream: Sequence[events.Event], mode: str = "companion", *, school: bool = False) -> None:
    """Write events as the glasses do, at noon, with a frame after each."""
    faults: list[str] = []
    writer = Writer(path, lambda *fault: faults.extend(fault), mode=mode, school=school, clock=lambda: NOW_S)
    for event in stream:
        writer(event)
        writer.see()
    writer.close()
    assert (faults, writer.lost) == ([], 0)


def everything(path: Path) -> list[Session]:
    days = dict.fromkeys(query.day_of(session) for session in query.sessions(path))
    return [session for day in days for session in query.of_day(path, day)]


def entries(path: Path) -> list[Entry]:
    return [entry for session in everything(path) for entry in session.entries]


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def cuelens(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cuelens", "story", *options]
    env = {**os.environ, "STATE_DIRECTORY": str(state), "XDG_CONFIG_HOME": str(state / "none")}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def bytes_of(path: Path) -> bytes:
    """Read a story's files in another process: closing them in this one would drop SQLite's locks."""
    there = [str(file) for file in store.files_of(path) if file.exists()]
    return subprocess.run(["cat", *there], capture_output=True, check=True).stdout if there else b""


@pytest.mark.parametrize(
    ("event", "entry"),
    [
        (cue(12.5), Entry(2.5, "cue", "happy", "expression", ("light",))),
        (cue(12.5, "unsure", "answer", ("light", "voice")), Entry(2.5, "cue", "unsure", "answer", ("light", "voice"))),
        (cue(12.5, "find happy", "prompt", ()), Entry(2.5, "cue", "find happy", "prompt")),
        (events.Press(t=11.0, gesture="ask"), Entry(1.0, "press", "ask")),
        (events.Mute(t=11.0, on=True), Entry(1.0, "mute", "on")),
        (events.Mute(t=11.0, on=False), Entry(1.0, "mute", "off")),
        (events.Pause(t=11.0, on=True), Entry(1.0, "pause", "on")),
        (events.Mode(t=11.0, mode="smile"), Entry(1.0, "mode", "smile")),
        (events.Start(bundle="b", source="s"), None),
        (events.FaceSeen(t=11.0, track=7, box=(1, 2, 3, 4)), None),
        (events.FaceLost(t=11.0, track=7), None),
        (events.Reading(t=11.0, track=7, scores={"happy": 0.9}), None),
        (settled(11.0, "happy"), None),
        (events.Fault(t=11.0, fault="no sound", detail="a sentence"), None),
        (
            events.State(t=11.0, state="running", camera_fps=15, beat_fps=15, dropped=0, frame_age_ms_p95=None),
            None,
        ),
        (events.Shown(t=11.0, track=7, expression="happy"), None),
    ],
)
def test_what_is_kept_of_each_event(tmp_path: Path, event: events.Event, entry: Entry | None) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, event, ENDED])
    assert entries(path) == ([entry] if entry else [])


@pytest.mark.parametrize(
    ("expressions", "unsure"),
    [
        ([(1, "unsure")], 0),
        ([(1, "unsure"), (1, "happy")], 0),
        ([(1, "unsure"), (1, "happy"), (1, "unsure")], 1),
        ([(1, "neutral"), (1, "unsure"), (1, "unsure")], 1),
        ([(1, "happy"), (2, "unsure")], 0),
        ([(1, "happy"), (2, "sad"), (2, "unsure"), (1, "unsure"), (1, "sad"), (1, "unsure")], 3),
    ],
)
def test_being_unsure_is_kept_of_a_face_that_was_settled_before(
    tmp_path: Path, expressions: list[tuple[int, str]], unsure: int
) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, *(settled(20.0, expression, track) for track, expression in expressions), ENDED])
    assert entries(path) == [Entry(10.0, "unsure", "unsure")] * unsure


def test_a_session_is_a_row_with_its_date_mode_length_and_end(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    stream = [BEGAN, cue(12.0), ENDED, cue(75.0), events.Mode(t=76.0, mode="smile")]
    stream += [events.Session(t=80.0, state="began"), cue(81.5, "sad")]
    stream += [events.Session(t=85.0, state="ended", why="camera lost")]
    written(path, stream, school=True)
    first, second = everything(path)
    assert (first.mode, first.school, first.seconds, first.ended) == ("companion", True, 60.0, "time")
    assert (second.mode, second.school, second.seconds, second.ended) == ("smile", True, 5.0, "camera lost")
    assert first.entries == (Entry(2.0, "cue", "happy", "expression", ("light",)),)
    assert second.entries == (Entry(1.5, "cue", "sad", "expression", ("light",)),)
    assert first.began
    assert abs(datetime.fromisoformat(first.began).timestamp() - NOW_S) < 3600
    assert datetime.fromisoformat(first.began).utcoffset() is not None


def test_a_session_that_nobody_ended_has_its_length_and_no_end(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, events.FaceLost(t=130.0, track=1)])
    (session,) = everything(path)
    assert session.ended is None
    assert 120.0 <= session.seconds < 180.0


def test_a_session_that_begins_in_the_last_batch_has_its_length(tmp_path: Path) -> None:
    path, entered, free = tmp_path / store.FILE, threading.Event(), threading.Event()

    def clock() -> float:
        entered.set()
        assert free.wait(30)
        return NOW_S

    writer = Writer(path, lambda *_: None, clock=clock)
    # The first session holds the writer up; everything after it is one batch, the last.
    writer(events.Session(t=1.0, state="began"))
    writer.see()
    assert entered.wait(30)
    for event in (events.Session(t=5.0, state="ended", why="time"), BEGAN, events.FaceLost(t=130.0, track=1)):
        writer(event)
        writer.see()
    closer = threading.Thread(target=writer.close)
    closer.start()
    free.set()
    closer.join(30)
    assert [session.seconds >= 120.0 for session in everything(path)] == [False, True]


@pytest.mark.parametrize(
    ("stream", "sessions"),
    [
        ([BEGAN, ENDED], []),
        ([BEGAN, events.Session(t=10.0, state="ended", why="camera lost")], []),
        ([events.Pause(t=1.0, on=True), BEGAN, ENDED], []),
        ([BEGAN, "frame", ENDED], [()]),
        ([BEGAN, "frame", "frame", ENDED, "frame"], [()]),
        # A press needs a wearer, a cue a frame.
        ([BEGAN, events.Press(t=12.0, gesture="ask"), ENDED], [("ask",)]),
        ([BEGAN, cue(12.0), "frame", ENDED], [("happy",)]),
        ([events.Mute(t=1.0, on=True), BEGAN, "frame", ENDED, BEGAN, ENDED], [("on",)]),
        ([BEGAN, ENDED, BEGAN, "frame", ENDED], [()]),
        ([BEGAN, "frame", ENDED, BEGAN, ENDED], [()]),
    ],
)
def test_a_session_without_a_frame_is_none(
    tmp_path: Path, stream: list[events.Event | str], sessions: list[tuple[str, ...]]
) -> None:
    path = tmp_path / store.FILE
    writer = Writer(path, no_fault, clock=lambda: NOW_S)
    for event in stream:
        writer.see() if isinstance(event, str) else writer(event)
    writer.close()
    assert [tuple(entry.word for entry in session.entries) for session in everything(path)] == sessions
    assert all((session.seconds, session.ended) == (60.0, "time") for session in everything(path))


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


def test_a_fault_without_a_frame_does_not_turn_the_time_back(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    late = events.Fault(t=10.0, fault="no camera", detail="a sentence")
    written(path, [BEGAN, events.FaceLost(t=130.0, track=1), late])
    assert everything(path)[0].seconds >= 120.0


def test_what_is_on_when_a_session_begins_is_on_in_it(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    written(path, [events.Mute(t=1.0, on=True), BEGAN, events.Mute(t=15.0, on=False), ENDED, BEGAN])
    first, second = everything(path)
    assert first.entries == (Entry(0.0, "mute", "on"), Entry(5.0, "mute", "off"))
    assert second.entries == ()


@pytest.mark.parametrize(
    ("now_s", "set_"),
    [(0.0, False), (DAY_S * 365 * 54, False), (datetime(2025, 1, 3, tzinfo=UTC).timestamp(), True), (NOW_S, True)],
)
def test_a_clock_that_is_not_set_gives_no_date(now_s: float, set_: bool) -> None:
    assert (store.date_of(now_s) is not None) == set_


def test_the_file_is_synced_and_overwritten_and_its_owner_s(tmp_path: Path) -> None:
    path = tmp_path / "state" / store.FILE
    names = ("journal_mode", "synchronous", "secure_delete")
    with closing(store.open_to_write(path)) as db:
        settings = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert settings == ["wal", 2, 1]
    assert path.stat().st_mode & 0o777 == 0o600


def foreign(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def with_a_hole(path: Path) -> None:
    written(path, [BEGAN, *(cue(11.0 + n / 100) for n in range(2000)), ENDED])
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\x55" * 4096 + whole[12288:])


DAMAGED: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: path.write_bytes(b"not a database at all" * 100), "not a database"),
    (lambda path: foreign(path, "CREATE TABLE note (text TEXT)"), "no story of cuelens"),
    (lambda path: foreign(path, "CREATE TABLE session (id)", "PRAGMA user_version = 1"), "no story of cuelens"),
    (lambda path: foreign(path, "CREATE TABLE session (id)", "PRAGMA user_version = 2"), "a newer cuelens"),
    (with_a_hole, "damaged"),
]


@pytest.mark.parametrize(("damage", "sentence"), DAMAGED)
def test_a_damaged_file_is_set_aside_told_of_and_kept(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / store.FILE
    damage(path)
    before = path.read_bytes()
    faults: list[tuple[str, str]] = []
    writer = Writer(path, lambda *fault: faults.append(fault), clock=lambda: NOW_S)
    for event in (BEGAN, cue(11.0), ENDED):
        writer(event)
    writer.close()
    assert len(entries(path)) == 1
    assert (tmp_path / f"{store.FILE}.damaged-1").read_bytes() == before
    ((fault, detail),) = faults
    assert fault == "story damaged"
    assert sentence in detail
    assert f"{store.FILE}.damaged-1" in detail


@pytest.mark.parametrize(("damage", "sentence"), DAMAGED)
def test_the_commands_refuse_a_damaged_file_in_a_sentence_and_leave_it_alone(
    tmp_path: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    path = tmp_path / store.FILE
    damage(path)
    before = path.read_bytes()
    for ask in (query.sessions, query.as_csv, lambda path: query.of_day(path, "2026-10-08")):
        with pytest.raises(BadInput, match=sentence):
            ask(path)
    assert path.read_bytes() == before
    result = cuelens(tmp_path)
    assert (result.returncode, len(result.stderr.strip().splitlines())) == (3, 1)
    assert query.delete(path) == query.Deletion(0, 0, 1)
    assert list(tmp_path.iterdir()) == []


def damaged(path: Path, *statements: str) -> None:
    """Change rows of a story against the rules of its tables, as a failing card does."""
    rules: list[tuple[str, str]] = []
    for step in ("without rules", "changed", "with rules"):
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA writable_schema = ON")
            if step == "without rules":
                rules = db.execute("SELECT sql, name FROM sqlite_master WHERE type = 'table'").fetchall()
                db.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '')")
            elif step == "changed":
                for statement in statements:
                    db.execute(statement)
            else:
                db.executemany("UPDATE sqlite_master SET sql = ? WHERE name = ?", rules)


NO_TEXTS = ["NULL", "x'00ff'", BAD_TEXT, "'a' || char(10) || 'b'", "char(27) || '[2J'"]
NO_NUMBERS = ["NULL", "x'00ff'", BAD_TEXT, "'long'", "9e999", "-1e300"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *itertools.product(["mode"], NO_TEXTS),
        # A session that was cut off has no end.
        *itertools.product(["ended"], NO_TEXTS[1:]),
        *itertools.product(["school", "seconds"], NO_NUMBERS),
    ],
)
def test_a_damaged_session_is_skipped_and_counted(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, cue(11.0), ENDED, BEGAN, cue(12.0), cue(13.0), ENDED])
    damaged(path, f"UPDATE session SET {column} = {value} WHERE id = 1")  # noqa: S608 - ours
    assert [session.id for session in everything(path)] == [2]
    assert query.left_out(path) == 2
    result = cuelens(tmp_path, "--csv", str(tmp_path / "all.csv"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 rows were left out, as damaged." in result.stdout
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 3
    # The glasses go on writing it.
    written(path, [BEGAN, cue(14.0), ENDED])
    assert [session.id for session in everything(path)] == [2, 3]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *itertools.product(["kind", "word", "detail", "outputs"], NO_TEXTS),
        *itertools.product(["session", "t"], NO_NUMBERS),
    ],
)
def test_a_damaged_event_is_skipped_and_counted(tmp_path: Path, column: str, value: str) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, cue(11.0), cue(12.0), cue(13.0), ENDED])
    damaged(path, f"UPDATE event SET {column} = {value} WHERE id = 2")  # noqa: S608 - ours
    assert [entry.t for entry in entries(path)] == [1.0, 3.0]
    assert query.left_out(path) == 1
    result = cuelens(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 row was left out, as damaged." in result.stdout


def test_a_story_of_damaged_rows_only_says_so(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, cue(11.0), ENDED])
    damaged(path, "UPDATE session SET mode = x'ff'")
    result = cuelens(tmp_path)
    assert result.returncode == 0
    assert "no story yet" not in result.stdout
    assert "2 rows were left out" in result.stdout
    assert query.delete(path) == query.Deletion(1, 1, 0)


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def from_read_only(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that sees a folder read-only; skip where this user may not mount."""
    namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*namespace, READ_ONLY, folder, "true"], check=False).returncode
    ):
        pytest.skip("this user may mount nothing")
    environment = {**os.environ, "STATE_DIRECTORY": str(folder), "XDG_CONFIG_HOME": str(folder / "none")}
    return subprocess.run(
        [*namespace, READ_ONLY, folder, *command], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.parametrize("left", [["-wal", "-shm"], ["-wal"], []])
def test_a_story_on_a_read_only_card_can_be_read(tmp_path: Path, left: list[str]) -> None:
    here, card = tmp_path / "here", tmp_path / "card"
    written(here / store.FILE, [BEGAN, cue(11.0), ENDED])
    card.mkdir()
    # Copied from under an open connection, as a power cut leaves it: the second session stands in the journal only.
    with closing(store.open_to_write(here / store.FILE)) as db:
        store.add(db, store.begin(db, None, "quiet", school=False), Entry(1.0, "press", "ask"))
        if not left:
            store.empty_journal(db)
        for ending in ["", *left]:
            shutil.copy(here / f"{store.FILE}{ending}", card)
    names = sorted(file.name for file in card.iterdir())
    result = from_read_only(card, sys.executable, "-m", "cuelens", "story", "--csv", str(tmp_path / "all.csv"))
    assert (result.returncode, result.stderr) == (0, "")
    assert [row["session"] for row in csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text()))] == ["1", "2"]
    assert "quiet" in from_read_only(card, sys.executable, "-m", "cuelens", "story", "--day", "unknown").stdout
    refused = from_read_only(card, sys.executable, "-m", "cuelens", "story", "--delete")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (3, 1)
    assert "cannot be used" in refused.stderr
    assert sorted(file.name for file in card.iterdir()) == names


def test_a_damaged_story_on_a_read_only_card_is_one_sentence(tmp_path: Path) -> None:
    with_a_hole(tmp_path / store.FILE)
    result = from_read_only(tmp_path, sys.executable, "-m", "cuelens", "story")
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert "is damaged" in result.stderr


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_one_sentence(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / store.FILE)
    result = cuelens(tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)


def test_damaged_files_get_numbers_and_take_their_journal_along(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    for number in (1, 2):
        for file in store.files_of(path):
            file.write_text(f"{file.name} {number}")
        aside = store.set_aside(path)
        assert aside.name == f"{store.FILE}.damaged-{number}"
        assert aside.with_name(aside.name + "-wal").read_text() == f"{store.FILE}-wal {number}"
    assert len(store.set_aside_of(path)) == 6
    assert query.delete(path) == query.Deletion(0, 0, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_begun_yet_is_an_empty_story(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    assert (query.sessions(path), query.of_day(path, query.UNDATED), query.delete(path)) == (
        [],
        [],
        query.Deletion(0, 0, 0),
    )
    path.touch()
    assert (query.sessions(path), query.of_day(path, query.UNDATED)) == ([], [])
    written(path, [BEGAN, ENDED])
    assert len(query.sessions(path)) == 1


def test_a_disk_that_fails_is_told_of_once_and_tried_again(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text("a file where the folder should be")
    faults: list[str] = []
    writer = Writer(state / store.FILE, lambda fault, detail: faults.append(f"{fault}: {detail}"), clock=lambda: NOW_S)
    writer(BEGAN)
    until(lambda: bool(faults))
    for n in range(QUEUE_EVENTS + 9):
        writer(cue(11.0 + n))
    assert writer.lost == 10
    state.unlink()
    writer.close()
    assert len(faults) == 1
    assert "cannot be written" in faults[0]
    assert len(entries(state / store.FILE)) == QUEUE_EVENTS - 1


def test_whatever_fails_is_told_of_once_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    faults: list[str] = []
    broken = True

    def clock() -> float:
        if broken:
            raise ValueError("no time")
        return NOW_S

    writer = Writer(path, lambda fault, detail: faults.append(f"{fault}: {detail}"), clock=clock)
    writer(BEGAN)
    writer.see()
    until(lambda: bool(faults))
    writer(cue(11.0))
    broken = False
    writer.close()
    assert faults == [f"no story: {path} cannot be written: no time; it is tried again"]
    assert (writer.lost, len(entries(path))) == (0, 1)


def test_closing_has_an_end_while_the_file_is_locked(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, ENDED])
    with closing(store.open_to_write(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        faults: list[str] = []
        writer = Writer(path, lambda fault, _: faults.append(fault), clock=lambda: NOW_S)
        writer(BEGAN)
        writer.see()
        writer.close()
        assert writer.lost == 1
        db.execute("ROLLBACK")
    for thread in threading.enumerate():
        if thread.name == "story":
            thread.join()


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
    tmp_path: Path, ages: list[float | None], now_s: float, left: list[float | None]
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
    tmp_path: Path, now_s: float, dated: bool
) -> None:
    path = tmp_path / store.FILE
    began = store.date_of(NOW_S - DAY_S) if dated else None
    with closing(store.open_to_write(path)) as db:
        for number in range(205):
            store.add(db, store.begin(db, began, "companion", school=False), Entry(1.0, "press", f"old {number}."))
    writer = Writer(path, no_fault, clock=lambda: now_s)
    writer(BEGAN)
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
def test_a_bad_date_is_none(tmp_path: Path, began: str) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for age in (40, 31, 29, 20):
            store.begin(db, store.date_of(NOW_S - age * DAY_S), "companion", school=False)
        # One duration is not a number either.
        db.execute(f"UPDATE session SET began = {began} WHERE id IN (1, 3)")  # noqa: S608 - ours
        db.execute("UPDATE session SET seconds = 'long' WHERE id = 2")
    written(path, [BEGAN, cue(11.0), ENDED])
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
    tmp_path: Path, ages: list[float], file_age: float, stays: bool
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for age in ages:
            store.begin(db, store.date_of(NOW_S - age * DAY_S), "companion", school=False)
    file = tmp_path / f"{store.FILE}.damaged-1"
    file.touch()
    os.utime(file, (NOW_S - file_age * DAY_S, NOW_S - file_age * DAY_S))
    written(path, [BEGAN, ENDED])
    young = [age for age in ages if age < 30]
    assert len(query.sessions(path)) == len(young) + 1
    assert store.set_aside_of(path) == ([file] if stays else [])


def test_what_is_deleted_is_not_in_the_file_any_more(tmp_path: Path) -> None:
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


def test_deleting_while_the_glasses_write_leaves_them_writing(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    command = [sys.executable, str(POWER_CUT), "--write", str(path), "--day", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as glasses:
        until(lambda: any(entry.word == "9" for entry in entries(path)))
        result = cuelens(tmp_path, "--delete")
        assert "Deleted for good: 1 session with" in result.stdout
        until(lambda: len(entries(path)) > 9)
        glasses.kill()
    (session,) = everything(path)
    numbers = [int(entry.word) for entry in session.entries]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] > 9
    assert session.entries[0].t == 0.0
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_file_that_is_taken_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    writer = Writer(path, no_fault, clock=lambda: NOW_S)
    writer(BEGAN)
    writer(cue(11.0, "happy"))
    until(lambda: path.exists() and len(entries(path)) == 1)
    for file in store.files_of(path):
        file.unlink(missing_ok=True)
    writer(cue(12.0, "sad"))
    writer.close()
    assert [entry.word for entry in entries(path)] == ["sad"]


def test_the_story_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    command = [sys.executable, str(POWER_CUT), "--write", str(path), "--day", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as glasses:
        for lines in (1, 20, 60):
            until(lambda: len(query.as_csv(path).splitlines()) > lines)  # noqa: B023 - called at once
        assert glasses.poll() is None
        glasses.kill()


def test_the_table_holds_everything(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, cue(12.0, "sad", "answer", ("light", "voice")), ENDED, replace_t(BEGAN, 80.0)])
    table = tmp_path / "all.csv"
    result = cuelens(tmp_path, "--csv", str(table))
    assert result.returncode == 0
    assert "told" not in result.stdout
    first, second = csv.DictReader(io.StringIO(table.read_text()))
    assert first.pop("began") == query.sessions(path)[0].began
    assert ",".join(first.values()) == "1,companion,0,60.0,time,2.0,cue,sad,answer,light voice"
    assert (second["session"], second["ended"], second["kind"]) == ("2", "", "")


def replace_t(event: events.Session, t: float) -> events.Session:
    return events.Session(t=t, state=event.state, why=event.why)


@pytest.mark.parametrize("option", ["-o", "--csv"])
@pytest.mark.parametrize("name", [store.FILE, "link"])
def test_no_output_goes_over_the_story(tmp_path: Path, option: str, name: str) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, cue(11.0), ENDED])
    (tmp_path / "link").symlink_to(path)
    result = cuelens(tmp_path, option, str(tmp_path / name))
    assert result.returncode == 3
    assert "would overwrite" in result.stderr
    assert len(entries(path)) == 1


@pytest.mark.parametrize("option", ["-o", "--csv"])
def test_no_output_goes_over_what_else_lies_in_the_state_folder(tmp_path: Path, option: str) -> None:
    written(tmp_path / store.FILE, [BEGAN, cue(11.0), ENDED])
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
    tmp_path: Path, options: tuple[str, ...], status: int, sentence: str
) -> None:
    result = cuelens(tmp_path, *options)
    assert (result.returncode, sentence in result.stdout + result.stderr) == (status, True)
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_story_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / store.FILE).mkdir()
    with pytest.raises(Unwritable, match="cannot be used"):
        query.sessions(tmp_path / store.FILE)


DAY = [
    Session(
        3,
        "2026-10-08T08:32:10+02:00",
        "companion",
        True,
        1260.0,
        "time",
        entries=(
            Entry(3.0, "cue", "face", "face", ("light",)),
            Entry(5.0, "cue", "happy", "expression", ("light", "voice")),
            Entry(60.0, "cue", "happy", "expression", ("light",)),
            Entry(61.0, "unsure", "unsure"),
            Entry(100.0, "press", "ask"),
            Entry(100.2, "cue", "unsure", "answer", ("light", "voice")),
            Entry(200.0, "press", "ask"),
            Entry(200.2, "cue", "nobody", "answer", ("voice",)),
            Entry(300.0, "press", "mute"),
            Entry(300.0, "mute", "on"),
            Entry(420.0, "mute", "off"),
            Entry(500.0, "mode", "smile"),
            Entry(510.0, "cue", "find happy", "prompt", ("voice",)),
        ),
    ),
    Session(4, "2026-10-08T16:40:00+02:00", "quiet", False, 42.0, None, (Entry(40.0, "pause", "on"),)),
]


TOLD = """\
Thursday 8 October 2026: 2 sessions, 22 min in all

  began  length  mode                            how it ended
  08:32  21 min  companion (school), then smile  its time was over
  16:40    42 s  quiet                           cut off, or still on

  told unasked          times  by light  by voice
  looks happy               2         2         1
  face found                1         1         0
  find happy                1         0         1

  answered, when asked  times  by light  by voice
  not sure                  1         1         1
  nobody there              1         0         1

The button was pressed 3 times: 2 to ask, 1 to mute.
Cues were muted once, 2 min in all.
The camera was paused once, 2 s in all.
Not sure of an expression: 2 of 4 times (50%).
"""


def test_a_day_is_told_in_words() -> None:
    assert "\n".join(prose.lines("2026-10-08", DAY)) + "\n" == TOLD


def test_a_day_on_which_nothing_happened_is_told_too() -> None:
    text = "\n".join(prose.lines(query.UNDATED, [Session(9, None, "companion", False, 5.0, "stopped")]))
    for words in (
        "unknown day",
        "1 session, 5 s",
        "no. 9",
        "No cue was given.",
        "never pressed",
        "never muted",
        "never paused",
    ):
        assert words in text
    assert "Not sure" not in text


def test_the_last_day_is_told_and_the_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db:
        for began in ("2026-10-07T09:00:00+02:00", None, "2026-10-08T09:00:00+02:00"):
            store.begin(db, began, "companion", school=False)
    text = cuelens(tmp_path).stdout.splitlines()
    assert text[0].startswith("Thursday 8 October 2026: 1 session")
    assert text[-1] == "Other days (--day): 2026-10-07, unknown"
    assert "no. 2" in cuelens(tmp_path, "--day", "unknown").stdout
    assert "no session is kept" in cuelens(tmp_path, "--day", "2026-10-06").stdout


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (1085, "18 min"), (3595, "1 h 00 min"), (3900, "1 h 05 min")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert prose.length(seconds) == words


@pytest.mark.parametrize(
    ("entries", "spans"),
    [
        ([], []),
        ([(5, "on"), (9, "off")], [(5, 9)]),
        ([(5, "on")], [(5, 60)]),
        ([(5, "on"), (6, "on"), (9, "off"), (10, "off")], [(5, 9)]),
        ([(9, "off")], []),
        ([(61, "on")], [(61, 61)]),
    ],
)
def test_from_when_to_when_it_was_muted(entries: list[tuple[float, str]], spans: list[tuple[float, float]]) -> None:
    muted = (*(Entry(t, "mute", word) for t, word in entries), Entry(30, "pause", "on"))
    assert prose.spans(Session(1, None, "companion", False, 60.0, None, muted), "mute") == spans


def test_every_word_is_told_as_looks_never_as_is() -> None:
    assert all(prose.phrase(label).startswith("looks ") for label in LABELS)
    others = [prose.phrase(word) for word in ("unsure", "face", "nobody", "find happy", "something new")]
    assert others == ["not sure", "face found", "nobody there", "find happy", "something new"]


def test_a_day_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import draw

    whole = draw("2026-10-08", DAY, FADING, (True, False))
    assert whole.startswith(b"\x89PNG")
    assert draw("2026-10-08", [DAY[0], replace(DAY[1], entries=())], FADING, (True, False)) != whole
    written(tmp_path / store.FILE, [BEGAN, cue(11.0, "unknown word"), ENDED])
    picture = tmp_path / "day.png"
    result = cuelens(tmp_path, "-o", str(picture))
    assert result.returncode == 0, result.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_curve_of_fading_is_drawn_and_where_the_wearer_stands_on_it() -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    from cuelens.story.chart import draw

    pictures = {
        draw("2026-10-08", DAY, rule, first) for rule in (FADING, FadingRule(on=False)) for first in ((), (True,) * 12)
    }
    # With fading off, the answers change nothing.
    assert len(pictures) == 3


@pytest.mark.parametrize(
    ("rule", "first", "sentence"),
    [
        (FADING, (), "Nothing was guessed yet: cues come at once."),
        (FADING, (False,), "Of the last 1 guess, 0 were answered first: cues come at once, and always."),
        (FADING, (True,) * 3, "Of the last 3 guesses, 3 were answered first: cues come 0.5 s later, and always."),
        (FADING, (True,) * 6, "cues come 1.0 s later, and for one expression in 2."),
        (FadingRule(on=False), (True,) * 6, "Fading is off: cues come at once, and always."),
    ],
)
def test_fading_is_told_in_words(rule: FadingRule, first: tuple[bool, ...], sentence: str) -> None:
    assert prose.fading(rule, first).endswith(sentence)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cuelens.story.chart import draw

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"\[demo\]"):
        draw("2026-10-08", DAY, FADING, (True, False))


def test_keeping_a_story_needs_none_of_the_heavy_packages() -> None:
    code = "import sys, cuelens.story.writer; print({'numpy', 'cv2', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def power_cut(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(POWER_CUT), *options], capture_output=True, text=True, check=False)


def test_a_power_cut_takes_the_last_second_at_most() -> None:
    result = power_cut("--kills", "12", "--jobs", "4")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("12 kills: 0 damaged files, 0 rows older than a second lost")
    assert result.stderr == ""


def test_a_writer_that_commits_too_seldom_is_found_out() -> None:
    result = power_cut("--kills", "8", "--commit-every", "30")
    assert result.returncode == 1
    assert "0 damaged files" in result.stdout
    assert " 0 rows older" not in result.stdout


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("power_cut", POWER_CUT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["power_cut"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("rows", "lost", "recent_s"),
    [
        ([0, 1, 2, 3], 0, 0.0),
        ([0, 1, 2], 0, 0.5),
        ([0, 1], 1, 1.5),
        ([], 3, 3.5),
        ([0, 2, 3], 2, 2.5),
        ([1, 0, 2, 3], 3, 3.5),
    ],
)
def test_the_judge_finds_what_is_missing_or_out_of_order(
    benchmark: ModuleType, rows: list[int], lost: int, recent_s: float
) -> None:
    queue = [(0, 100.0), (1, 101.0), (2, 102.0), (3, 103.0)]
    assert benchmark.judge(queue, rows, 103.5) == (lost, recent_s)


def test_the_judge_finds_a_damaged_file(benchmark: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / store.FILE
    assert benchmark.look(path, []) == (True, {}, [])
    with_a_hole(path)
    assert benchmark.look(path, [])[0] is False
    path.write_bytes(b"not a database at all" * 100)
    assert benchmark.look(path, []) == (False, {}, [])
    with pytest.raises(DamagedStory):
        store.open_to_write(path)
