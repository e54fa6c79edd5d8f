"""What the glasses write of each event and session, and what they do where the disk fails."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cuelens import events
from cuelens.story import store
from cuelens.story.store import Entry, Session
from cuelens.story.writer import QUEUE_EVENTS, Writer

NOW_S = datetime(2026, 10, 8, 12, 0, tzinfo=UTC).timestamp()
DAY_S = 86400.0
BEGAN = events.Session(t=10.0, state="began")
ENDED = events.Session(t=70.0, state="ended", why="time")


def cue(t: float, word: str = "happy", kind: str = "expression", outputs: tuple[str, ...] = ("light",)) -> events.Event:
    return events.CueGiven(t=t, kind=kind, track=7, word=word, outputs=outputs, latency_ms=31.2)


def settled(t: float, expression: str, track: int = 1) -> events.Event:
    return events.Expression(t=t, track=track, expression=expression, confidence=0.9)


def no_fault(fault: str, detail: str) -> None:
    raise AssertionError(f"{fault}: {detail}")


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
        (events.FaceSeen(t=11.0, track=7, box=(1, 2, 3, 4)), Entry(60.0, "in view", "59")),
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
def test_what_is_kept_of_each_event(
    tmp_path: Path,
    event: events.Event,
    entry: Entry | None,
    written: Callable[..., None],
    entries: Callable[[Path], list[Entry]],
) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, event, ENDED])
    assert entries(path) == ([entry] if entry else [])


def test_the_seconds_with_any_face_in_view_are_counted_once_and_not_while_the_camera_is_off(
    tmp_path: Path, written: Callable[..., None], entries: Callable[[Path], list[Entry]]
) -> None:
    def seen(t: float, track: int) -> events.Event:
        return events.FaceSeen(t=t, track=track, box=(1, 2, 3, 4))

    stream = [
        *(BEGAN, seen(12.0, 1), seen(14.0, 2), events.FaceLost(t=15.0, track=1), events.FaceLost(t=20.0, track=2)),
        *(seen(30.0, 3), events.Pause(t=33.0, on=True), events.Pause(t=50.0, on=False), ENDED),
    ]
    written(tmp_path / store.FILE, stream)
    assert entries(tmp_path / store.FILE)[-1] == Entry(60.0, "in view", "11")


@pytest.mark.parametrize("state", ["no camera", "camera stalled", "paused", "resting"])
def test_no_face_is_in_view_while_no_frame_comes(
    tmp_path: Path, state: str, written: Callable[..., None], entries: Callable[[Path], list[Entry]]
) -> None:
    def become(t: float, state: str) -> events.Event:
        return events.State(t=t, state=state, camera_fps=0, beat_fps=0, dropped=0, frame_age_ms_p95=None)

    seen, lost = events.FaceSeen(t=12.0, track=1, box=(1, 2, 3, 4)), events.FaceLost(t=65.0, track=1)
    # The cable is out for half a minute; whoever is there again at once keeps the number.
    stream = [BEGAN, seen, become(15.0, "running"), become(20.0, state), become(60.0, "running"), lost, ENDED]
    written(tmp_path / store.FILE, stream)
    assert entries(tmp_path / store.FILE) == [Entry(60.0, "in view", "13")]


@pytest.mark.parametrize(
    ("expressions", "unsure"),
    [
        ([(1, "unsure")], 0),
        ([(1, "unsure"), (1, "happy")], 0),
        ([(1, "unsure"), (1, "happy"), (1, "unsure")], 1),
        ([(1, "neutral"), (1, "unsure"), (1, "unsure")], 1),
        ([(1, "happy"), (2, "unsure")], 0),
        ([(1, "happy"), (2, "sad"), (2, "unsure"), (1, "unsure"), (1, "sad"), (1, "unsure")], 3),
        # Of the many faces of a long session only the last ones are remembered.
        ([*((face, "happy") for face in range(100)), (0, "unsure"), (99, "unsure")], 1),
    ],
)
def test_being_unsure_is_kept_of_a_face_that_was_settled_before(
    tmp_path: Path,
    expressions: list[tuple[int, str]],
    unsure: int,
    written: Callable[..., None],
    entries: Callable[[Path], list[Entry]],
) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, *(settled(20.0, expression, track) for track, expression in expressions), ENDED])
    assert entries(path) == [Entry(10.0, "unsure", "unsure")] * unsure


def test_a_session_is_a_row_with_its_date_mode_length_and_end(
    tmp_path: Path, written: Callable[..., None], everything: Callable[[Path], list[Session]]
) -> None:
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


def test_a_session_that_nobody_ended_has_its_length_and_no_end(
    tmp_path: Path, written: Callable[..., None], everything: Callable[[Path], list[Session]]
) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, events.FaceLost(t=130.0, track=1)])
    (session,) = everything(path)
    assert session.ended is None
    assert 120.0 <= session.seconds < 180.0


def test_a_session_that_begins_in_the_last_batch_has_its_length(
    tmp_path: Path, everything: Callable[[Path], list[Session]]
) -> None:
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
    tmp_path: Path,
    stream: list[events.Event | str],
    sessions: list[tuple[str, ...]],
    everything: Callable[[Path], list[Session]],
) -> None:
    path = tmp_path / store.FILE
    writer = Writer(path, no_fault, clock=lambda: NOW_S)
    for event in stream:
        writer.see() if isinstance(event, str) else writer(event)
    writer.close()
    assert [tuple(entry.word for entry in session.entries) for session in everything(path)] == sessions
    assert all((session.seconds, session.ended) == (60.0, "time") for session in everything(path))


def test_a_fault_without_a_frame_does_not_turn_the_time_back(
    tmp_path: Path, written: Callable[..., None], everything: Callable[[Path], list[Session]]
) -> None:
    path = tmp_path / store.FILE
    late = events.Fault(t=10.0, fault="no camera", detail="a sentence")
    written(path, [BEGAN, events.FaceLost(t=130.0, track=1), late])
    assert everything(path)[0].seconds >= 120.0


def test_what_is_on_when_a_session_begins_is_on_in_it(
    tmp_path: Path, written: Callable[..., None], everything: Callable[[Path], list[Session]]
) -> None:
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_a_story_that_root_writes_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "home" / "state" / store.FILE
    path.parent.parent.mkdir()
    os.chown(path.parent.parent, 1234, 1235)
    with closing(store.open_to_write(path)) as db:
        store.begin(db, None, "companion", school=False)
        places = [path.parent, *store.files_of(path)]
        assert [(place.stat().st_uid, place.stat().st_gid) for place in places] == 4 * [(1234, 1235)]


def test_a_disk_that_fails_is_told_of_once_and_tried_again(
    tmp_path: Path, entries: Callable[[Path], list[Entry]], soon: Callable[..., bool]
) -> None:
    state = tmp_path / "state"
    state.write_text("a file where the folder should be")
    faults: list[str] = []
    writer = Writer(state / store.FILE, lambda fault, detail: faults.append(f"{fault}: {detail}"), clock=lambda: NOW_S)
    writer(BEGAN)
    assert soon(lambda: bool(faults))
    for n in range(QUEUE_EVENTS + 9):
        writer(cue(11.0 + n))
    assert writer.lost == 10
    state.unlink()
    writer.close()
    assert len(faults) == 1
    assert "cannot be written" in faults[0]
    assert len(entries(state / store.FILE)) == QUEUE_EVENTS - 1


def test_whatever_fails_is_told_of_once_and_tried_again(
    tmp_path: Path, entries: Callable[[Path], list[Entry]], soon: Callable[..., bool]
) -> None:
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
    assert soon(lambda: bool(faults))
    writer(cue(11.0))
    broken = False
    writer.close()
    assert faults == [f"no story: {path} cannot be written: no time; it is tried again"]
    assert (writer.lost, len(entries(path))) == (0, 1)


def test_closing_has_an_end_while_the_file_is_locked(
    tmp_path: Path,
    written: Callable[..., None],
    patient_closing: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / store.FILE
    written(path, [BEGAN, ENDED])
    patient_closing.undo()
    # SQLite itself would give up after two seconds, too.
    monkeypatch.setattr(store, "_BUSY_S", 60.0)
    with closing(store.open_to_write(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        faults: list[str] = []
        writer = Writer(path, lambda fault, _: faults.append(fault), clock=lambda: NOW_S)
        writer(BEGAN)
        writer.see()
        writer.close()
        assert writer.lost == 1
        threads = [thread for thread in threading.enumerate() if thread.name == "story"]
        # It did not wait for the writing.
        assert threads
        db.execute("ROLLBACK")
    for thread in threads:
        thread.join()


def test_a_file_that_is_taken_away_is_begun_anew(
    tmp_path: Path, entries: Callable[[Path], list[Entry]], soon: Callable[..., bool]
) -> None:
    path = tmp_path / store.FILE
    writer = Writer(path, no_fault, clock=lambda: NOW_S)
    writer(BEGAN)
    writer(cue(11.0, "happy"))
    assert soon(lambda: path.exists() and len(entries(path)) == 1)
    for file in store.files_of(path):
        file.unlink(missing_ok=True)
    writer(cue(12.0, "sad"))
    writer.close()
    assert [entry.word for entry in entries(path)] == ["sad"]


def test_keeping_a_story_needs_none_of_the_heavy_packages() -> None:
    code = "import sys, cuelens.story.writer; print({'numpy', 'cv2', 'matplotlib'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
