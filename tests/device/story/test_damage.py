"""Damaged files and rows, read-only cards, and what is no file: told of in a sentence, and nothing else is lost."""

import csv
import io
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from cuelens import events
from cuelens.story import query, store
from cuelens.story.store import Entry, Session
from cuelens.story.writer import Writer
from cuelens_models.errors import BadInput, Unwritable

BAD_TEXT = "CAST(x'6869ff' AS TEXT)"


def foreign(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


SESSION_VIEW = """CREATE VIEW session AS WITH RECURSIVE more (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM more)
    SELECT id, NULL AS began, '' AS mode, 0 AS school, 1.0 AS seconds, '' AS ended FROM more"""
EVENT_VIEW = """CREATE VIEW event AS
    SELECT 1 AS id, 1 AS session, 1.0 AS t, '' AS kind, '' AS word, '' AS detail, '' AS outputs"""
TRIGGER = "CREATE TRIGGER more AFTER DELETE ON event BEGIN INSERT INTO event SELECT * FROM event; END"


def renamed(path: Path, before: bytes, after: bytes) -> None:
    """Change bytes of a story's schema, which SQLite alone would not."""
    with closing(store.open_to_write(path)) as db:
        store.begin(db, None, "companion", school=False)
        store.empty_journal(db)
    whole = path.read_bytes()
    assert before in whole
    path.write_bytes(whole.replace(before, after))


@pytest.fixture(
    params=[
        *("no database", "foreign", "half", "newer", "a hole"),
        *("endless", "a trigger", "another table", "no text"),
    ]
)
def broken(request: pytest.FixtureRequest, tmp_path: Path, with_a_hole: Callable[[Path], None]) -> tuple[Path, str]:
    """A damaged story, and words of the sentence about it."""
    path = tmp_path / store.FILE
    match request.param:
        case "no database":
            path.write_bytes(b"not a database at all" * 100)
            return path, "not a database"
        case "foreign":
            foreign(path, "CREATE TABLE note (text TEXT)")
            return path, "no story of cuelens"
        case "half":
            foreign(path, "CREATE TABLE session (id)", "PRAGMA user_version = 1")
            return path, "no story of cuelens"
        case "newer":
            foreign(path, "CREATE TABLE session (id)", "PRAGMA user_version = 2")
            return path, "a newer cuelens"
        case "endless":
            foreign(path, SESSION_VIEW, EVENT_VIEW, "PRAGMA user_version = 1")
            return path, "no story of cuelens"
        case "a trigger":
            store.open_to_write(path).close()
            foreign(path, TRIGGER)
            return path, "no story of cuelens"
        case "another table":
            renamed(path, b"REFERENCES session", b"REFERENCES sessio\xaf")
            return path, "no story of cuelens"
        case "no text":
            # SQLite's sentence about it has this name, and Python cannot read the sentence.
            renamed(path, b"indexevent_session", b"indexevent_sessio\xff")
            return path, "no story of cuelens"
    with_a_hole(path)
    return path, "damaged"


def test_a_damaged_file_is_set_aside_told_of_and_kept(
    tmp_path: Path, broken: tuple[Path, str], entries: Callable[[Path], list[Entry]]
) -> None:
    path, sentence = broken
    before = path.read_bytes()
    faults: list[tuple[str, str]] = []
    writer = Writer(path, lambda *fault: faults.append(fault))
    writer(events.Session(t=10.0, state="began"))
    writer(events.Press(t=11.0, gesture="ask"))
    writer.close()
    assert len(entries(path)) == 1
    assert (tmp_path / f"{store.FILE}.damaged-1").read_bytes() == before
    ((fault, detail),) = faults
    assert fault == "story damaged"
    assert sentence in detail
    assert f"{store.FILE}.damaged-1" in detail


def test_the_commands_refuse_a_damaged_file_in_a_sentence_and_leave_it_alone(
    tmp_path: Path, broken: tuple[Path, str], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path, sentence = broken
    before = path.read_bytes()
    for ask in (query.sessions, query.as_csv, lambda path: query.of_day(path, "2026-10-08")):
        with pytest.raises(BadInput, match=sentence):
            ask(path)
    assert path.read_bytes() == before
    result = cuelens(tmp_path)
    assert (result.returncode, len(result.stderr.strip().splitlines())) == (3, 1)
    assert query.delete(path) == query.Deletion(0, 0, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_would_take_all_memory_is_damage(
    tmp_path: Path, cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    store.open_to_write(path).close()
    # In another process: this one may use as much memory as the glasses do.
    row = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()"
    values = "INSERT INTO session VALUES (1, zeroblob(80000000), 'companion', 0, 1.0, NULL)"
    subprocess.run([sys.executable, "-c", row, str(path), values], check=True)
    with pytest.raises(BadInput, match="SQLite cannot read it"):
        query.sessions(path)
    result = cuelens(tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert query.delete(path) in (query.Deletion(1, 0, 0), query.Deletion(0, 0, 1))
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
def test_a_damaged_session_is_skipped_and_counted(
    tmp_path: Path,
    column: str,
    value: str,
    write_session: Callable[..., None],
    everything: Callable[[Path], list[Session]],
    cuelens: Callable[..., CompletedProcess[str]],
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy")
    write_session(path, "happy", "happy")
    damaged(path, f"UPDATE session SET {column} = {value} WHERE id = 1")  # noqa: S608 - ours
    assert [session.id for session in everything(path)] == [2]
    assert query.left_out(path) == 2
    result = cuelens(tmp_path, "--csv", str(tmp_path / "all.csv"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 rows were left out, as damaged." in result.stdout
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 3
    # The glasses go on writing it.
    write_session(path, "happy")
    assert [session.id for session in everything(path)] == [2, 3]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *itertools.product(["kind", "word", "detail", "outputs"], NO_TEXTS),
        *itertools.product(["session", "t"], NO_NUMBERS),
    ],
)
def test_a_damaged_event_is_skipped_and_counted(
    tmp_path: Path,
    column: str,
    value: str,
    write_session: Callable[..., None],
    entries: Callable[[Path], list[Entry]],
    cuelens: Callable[..., CompletedProcess[str]],
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy", "happy", "happy")
    damaged(path, f"UPDATE event SET {column} = {value} WHERE id = 2")  # noqa: S608 - ours
    assert [entry.t for entry in entries(path)] == [1.0, 3.0]
    assert query.left_out(path) == 1
    result = cuelens(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "1 row was left out, as damaged." in result.stdout


@pytest.mark.parametrize("word", ["9" * 5000, "long", "-1"], ids=["endless", "a word", "negative"])
def test_seconds_in_view_that_are_no_number_are_damage(
    tmp_path: Path, word: str, entries: Callable[[Path], list[Entry]], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db, store.transaction(db):
        # A mode with two blanks can be told.
        session = store.begin(db, None, "compan  ion", school=False)
        for text in (word, "59"):
            store.add(db, session, Entry(60.0, "in view", text))
    assert [entry.word for entry in entries(path)] == ["59"]
    assert query.left_out(path) == 1
    result = cuelens(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "A face was in view for 59 s." in result.stdout
    assert "compan  ion" in result.stdout


def test_a_story_of_damaged_rows_only_says_so(
    tmp_path: Path, write_session: Callable[..., None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
    path = tmp_path / store.FILE
    write_session(path, "happy")
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
def test_a_story_on_a_read_only_card_can_be_read(
    tmp_path: Path, left: list[str], write_session: Callable[..., None]
) -> None:
    here, card = tmp_path / "here", tmp_path / "card"
    write_session(here / store.FILE, "happy")
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


def test_a_damaged_story_on_a_read_only_card_is_one_sentence(
    tmp_path: Path, with_a_hole: Callable[[Path], None]
) -> None:
    with_a_hole(tmp_path / store.FILE)
    result = from_read_only(tmp_path, sys.executable, "-m", "cuelens", "story")
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert "is damaged" in result.stderr


def test_a_folder_in_place_of_the_story_is_told_of_and_left_alone(tmp_path: Path, soon: Callable[..., bool]) -> None:
    path = tmp_path / store.FILE
    path.mkdir()
    (path / "mine").touch()
    faults: list[tuple[str, str]] = []
    writer = Writer(path, lambda *fault: faults.append(fault))
    assert soon(lambda: bool(faults))
    writer.close()
    sentence = f"{path} is a folder, and the story is a file of this name: move the folder away"
    assert faults == [("no story", f"{sentence}; it is tried again")]
    for ask in (query.sessions, query.as_csv, query.left_out, query.delete):
        with pytest.raises(Unwritable) as caught:
            ask(path)
        assert str(caught.value) == sentence
    assert (path / "mine").exists()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_file_is_one_sentence(
    tmp_path: Path, make: Callable[[Path], None], cuelens: Callable[..., CompletedProcess[str]]
) -> None:
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


def test_a_file_that_is_not_begun_yet_is_an_empty_story(tmp_path: Path, write_session: Callable[..., None]) -> None:
    path = tmp_path / store.FILE
    assert (query.sessions(path), query.of_day(path, query.UNDATED), query.delete(path)) == (
        [],
        [],
        query.Deletion(0, 0, 0),
    )
    path.touch()
    assert (query.sessions(path), query.of_day(path, query.UNDATED)) == ([], [])
    write_session(path)
    assert len(query.sessions(path)) == 1
