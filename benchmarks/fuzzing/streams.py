"""What comes line by line or row by row: messages of the link, recorded events, the story."""

import socket
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import get_args

import msgspec
from benchmarks.fuzzing.target import Target

from cuelens import events
from cuelens.commands import replay
from cuelens.link import messages, replies, requests
from cuelens.profile.profile import Profile
from cuelens.runtime.build import policy_of
from cuelens.story import query, store
from cuelens.story.store import Entry
from cuelens_models.bundle import file
from cuelens_models.errors import CuelensError

_PIECE = 7
_PIECES = 20
_CONTRACT = file.load(file.SHIPPED).contract
_TAGS = tuple(str(kind.__struct_config__.tag) for kind in (*get_args(requests.Request), *get_args(replies.Reply)))
_KINDS = tuple(str(kind.__struct_config__.tag) for kind in get_args(events.AnyEvent))


def _message(content: bytes, folder: Path) -> None:
    """Read a request, a reply, or bytes from a socket, by the first byte."""
    kind, rest = content[:1], content[1:]
    match kind[0] % 3 if kind else 0:
        case 0:
            messages.encode(messages.request(rest))
        case 1:
            messages.encode(messages.reply(rest))
        case _:
            ours, theirs = socket.socketpair(socket.AF_UNIX)
            with ours, theirs:
                # Nobody reads meanwhile: a few pieces fit in the socket's buffer.
                for begin in range(0, min(len(rest), _PIECE * _PIECES), _PIECE):
                    theirs.sendall(rest[begin : begin + _PIECE])
                theirs.sendall(rest[_PIECE * _PIECES :])
                theirs.shutdown(socket.SHUT_WR)
                messages.request(messages.receive(ours, time.monotonic() + 5))


def _messages() -> Sequence[bytes]:
    asked = [
        *(requests.Hello(), requests.Press(gesture="ask"), requests.Try(word="happy"), requests.Calibrate(cues=True)),
        *(requests.Leave(then="rest", minutes=5), requests.TellCode(digits="123456"), requests.Watch(since=3)),
        *(requests.Draft(profile=msgspec.Raw(b'{"schema": 1}')), requests.Create(name="mia"), requests.ReadTable()),
        *(
            requests.Record(word="happy", wav=b"RIFF"),
            requests.Collect(shown="sad"),
            requests.StopCollecting(drop=True),
        ),
    ]
    session = replies.StoredSession(
        began="2026-10-08T15:02:11+02:00",
        mode="companion",
        school=False,
        seconds=3.0,
        ended=None,
        faces_s=1.5,
        entries=(replies.Entry(t=0.5, kind="cue", word="happy", detail="expression", outputs=("light",)),),
    )
    told = [
        *(replies.Done(text="done"), replies.Refused(text="no"), replies.Table(text="a,b\n", following=4)),
        replies.Corrected(helped=True, before={"happy": 0.5}, after={"happy": 0.6}),
        replies.Story(day="2026-10-08", sessions=(session,), more=0),
        replies.Profiles(profile=msgspec.Raw(b"{}"), name="a", names=("a", "b"), draft=False, waiting=True),
    ]
    lines = [msgspec.json.encode(one) for one in asked]
    return [
        *(b"\0" + line for line in lines),
        *(b"\1" + msgspec.json.encode(one) for one in told),
        *(b"\2" + line + b"\n" for line in lines[:3]),
        b"\0" + b'{"version":1,"message":"draft","profile":' + b"[" * 2000,
    ]


def _replayed(content: bytes, folder: Path) -> None:
    path = folder / "run.jsonl"
    path.write_bytes(content)
    stream = replay.read(path)
    for mode in ("companion", "explore"):
        cues = replay.play(stream, policy_of(Profile(mode=mode), _CONTRACT, ["light", "voice"]))
    replay.lines(replay.judge(cues, replay.episodes(stream), 60.0))


def _recordings() -> Sequence[bytes]:
    scores = dict.fromkeys(_CONTRACT.labels, 0.02) | {"happy": 0.86}
    calm = dict.fromkeys(_CONTRACT.labels, 0.02) | {"neutral": 0.86}
    beats: list[events.Event] = [
        events.Start(bundle="cuelens", source="demo"),
        events.Session(t=0.0, state="began"),
        events.FaceSeen(t=0.1, track=1, box=(10, 10, 90, 90)),
        events.Shown(t=0.1, track=1, expression="happy"),
    ]
    beats += [events.Reading(t=0.2 + beat / 3, track=1, scores=calm if beat < 2 else scores) for beat in range(8)]
    others: list[events.Event] = [
        events.Press(t=2.0, gesture="ask"),
        *(events.Mute(t=2.1, on=True), events.Pause(t=2.1, on=False), events.Calibration(t=2.1, on=True)),
        events.CueGiven(t=2.2, kind="expression", track=1, word="happy", outputs=("light",), latency_ms=3.0),
        events.Expression(t=2.2, track=1, expression="happy", confidence=0.8),
        events.Fault(t=2.2, fault="camera", detail="it is gone"),
        events.Mode(t=2.3, mode="explore"),
        events.State(t=2.3, state="running", camera_fps=15.0, beat_fps=15.0, dropped=0, frame_age_ms_p95=None),
        events.FaceLost(t=2.5, track=1),
    ]
    whole = b"".join(msgspec.json.encode(event) + b"\n" for event in (*beats, *others))
    return [
        whole,
        whole[:-10],
        *(msgspec.json.encode(event) for event in others[:3]),
        b"\n".join(whole.split(b"\n")[:6]),
    ]


def _story(content: bytes, folder: Path) -> None:
    path = folder / store.FILE
    for other in store.files_of(path):
        other.unlink(missing_ok=True)
    path.write_bytes(content)
    for read in (query.sessions, query.left_out, query.as_csv, lambda where: query.of_day(where, "2026-10-08")):
        try:
            read(path)
        except CuelensError:
            continue
    query.delete(path)


_VIEWS = (
    "CREATE VIEW session AS SELECT 1 AS id, NULL AS began, '' AS mode, 0 AS school, 1 AS seconds, '' AS ended",
    "CREATE VIEW event AS SELECT 1 AS session, 1 AS t, '' AS kind, '' AS word, '' AS detail, '' AS outputs",
)


def _stories() -> Sequence[bytes]:
    """Return files with a session and some entries; page size as small as SQLite has it, so that all of it changes."""
    contents = []
    with tempfile.TemporaryDirectory() as name:
        for entries in (0, 2, 30):
            path = Path(name) / str(entries) / store.FILE
            path.parent.mkdir()
            with closing(sqlite3.connect(path)) as db:
                db.execute("PRAGMA page_size = 512")
                db.execute("VACUUM")
            with closing(store.open_to_write(path)) as db:
                session = store.begin(db, "2026-10-08T15:02:11+02:00", "companion", school=False)
                for number in range(entries):
                    store.add(db, session, Entry(float(number), "cue", "happy", "expression", ("light", "voice")))
                store.end(db, session, 30.0, "time")
                store.empty_journal(db)
            contents.append(path.read_bytes())
        views = Path(name) / "views.sqlite"
        with closing(sqlite3.connect(views)) as db:
            db.execute("PRAGMA page_size = 512")
            for view in _VIEWS:
                db.execute(view)
            db.execute("PRAGMA user_version = 1")
            db.commit()
        contents.append(views.read_bytes())
    return contents


_EVENT_KEYS = tuple(sorted({key for kind in get_args(events.AnyEvent) for key in kind.__struct_fields__}))
TARGETS = (
    Target("link", _message, _messages, (*_TAGS, "message", "version", "[[[[[[[[", "\\\\ud800")),
    Target("events", _replayed, _recordings, (*_KINDS, *_EVENT_KEYS, *_CONTRACT.labels, "1e308", "-1e308")),
    Target("story", _story, _stories, ("session", "event", "CREATE TABLE", "CREATE VIEW"), most_bytes=65_536),
)
