"""The story's writer: it takes the event stream and writes the file on its own thread.

An event is committed at once, but at most two commits are made a second. A power cut loses the last second at most. The
first failure is reported as a fault; the glasses run on, and the waiting events are tried again.
"""

import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cuelens import events
from cuelens.story import pruning, store
from cuelens.story.store import DamagedStory, Entry
from cuelens_models.bundle.expressions import UNSURE
from cuelens_models.errors import CuelensError

QUEUE_EVENTS: Final = 4096
"""Queue size in events, enough for hours; further events are dropped and counted."""
_TICK_S: Final = 0.5
"""While no event comes, a session's duration is updated this much later than the next commit is due."""
_AGAIN_S: Final = 5.0
"""Delay before a retry after a failure."""
_CLOSE_S: Final = 2.0
_BLIND: Final = ("no camera", "camera stalled", "paused", "resting")
"""States without a frame. A face is lost only with the next one."""
_FACES: Final = 64
"""Most faces that are known to have settled; the one that did longest ago goes first. A session may have no end."""


class _InView(events.Event, frozen=True, kw_only=True, tag="in view"):
    """For how long any face was in view of a session that ends now, in seconds. For the story alone."""

    t: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Page:
    """The writer's state.

    Attributes:
        mode: the current mode.
        session: the row of the running session; None between sessions.
        began_t: when the session began, on the events' clock.
        standing: which of mute and pause are on.
    """

    mode: str
    session: int | None = None
    began_t: float = 0.0
    standing: frozenset[str] = frozenset()


class Writer:
    """Writes events to the story. A call never raises and never waits for the disk."""

    def __init__(
        self,
        path: Path,
        fault: Callable[[str, str], None],
        *,
        mode: str = "companion",
        school: bool = False,
        clock: Callable[[], float] = time.time,
        every_s: float = 0.5,
    ) -> None:
        """Start the thread.

        Args:
            path: the story's file.
            fault: called on the writer's thread with a fault's name and detail.
            mode: the mode at the start.
            school: whether the school option is on.
            clock: the wall clock, in seconds since 1970, used for dates only.
            every_s: the minimum time between two commits, in seconds.
        """
        self.lost = 0
        self._path = path
        self._fault = fault
        self._school = school
        self._clock = clock
        self._every_s = every_s
        self._page = _Page(mode)
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._begun: events.Session | None = None
        self._settled: dict[int, None] = {}
        self._in_view: set[int] = set()
        self._in_view_t = 0.0
        self._blind = False
        self._in_view_s = 0.0
        self._latest = (-math.inf, time.monotonic())
        self._queue: deque[events.Event] = deque()
        self._reported = False
        self._closing = threading.Event()
        # Set at the start: the thread opens and checks the file before the first event.
        self._due = threading.Event()
        self._due.set()
        self._thread = threading.Thread(target=self._work, name="story", daemon=True)
        self._thread.start()

    def __call__(self, event: events.Event) -> None:
        """Queue cues, presses, modes, mutes, pauses, sessions and losses of a settled expression; ignore the rest."""
        if (t := _t(event)) > self._latest[0]:
            # Not every event is later: faults, and states without a camera, carry the time of an old frame.
            self._latest = (t, time.monotonic())
        self._count_faces(event)
        if not self._matters(event):
            return
        if isinstance(event, events.Session) and (event.state == "began" or self._begun):
            # Not written yet; its end without a frame is that of a start that failed.
            self._begun = event if event.state == "began" else None
            return
        self.see()
        if isinstance(event, events.Session) and self._in_view_s >= 1:
            self._put(_InView(t=event.t, seconds=self._in_view_s))
        self._put(event)

    def see(self, *_frame: object) -> None:
        """Note a frame. A session is written with its first one, or with the first thing that happens in it."""
        if self._begun:
            self._put(self._begun)
            self._begun = None

    def _put(self, event: events.Event) -> None:
        if len(self._queue) >= QUEUE_EVENTS:
            self.lost += 1
            return
        self._queue.append(event)
        self._due.set()

    def close(self) -> None:
        """Commit the queue and close the file, with a deadline of two seconds. Count uncommitted events as lost."""
        self._closing.set()
        self._due.set()
        self._thread.join(_CLOSE_S)
        self.lost += len(self._queue)

    def _count_faces(self, event: events.Event) -> None:
        """Add up for how long any face was in view, anew in each session."""
        t = _t(event)
        if self._in_view and not self._blind and t > self._in_view_t:
            self._in_view_s += t - self._in_view_t
        self._in_view_t = max(t, self._in_view_t)
        match event:
            case events.FaceSeen():
                self._in_view.add(event.track)
            case events.FaceLost():
                self._in_view.discard(event.track)
            case events.Pause(on=True):
                self._in_view.clear()
            case events.State():
                self._blind = event.state in _BLIND
            case events.Session(state="began"):
                self._in_view_s = 0.0

    def _matters(self, event: events.Event) -> bool:
        if isinstance(event, events.Expression):
            was_settled = event.track in self._settled
            self._settled.pop(event.track, None)
            if event.expression == UNSURE:
                return was_settled
            self._settled[event.track] = None
            if len(self._settled) > _FACES:
                del self._settled[next(iter(self._settled))]
            return False
        if isinstance(event, events.Session):
            self._settled.clear()
            return True
        return _entry(event, 0.0) is not None

    def _work(self) -> None:
        last = False
        while not last:
            self._due.wait(_TICK_S if self._page.session else None)
            self._due.clear()
            last = self._closing.is_set()
            rest_s = self._every_s
            try:
                self._write()
            except Exception as error:
                # Catch everything: a dead thread would silently stop the story.
                rest_s = _AGAIN_S
                self._fail(error)
            self._closing.wait(rest_s)
        self._shut()

    def _write(self) -> None:
        """Write the queue as one transaction; an exception rolls it back."""
        db = self._open()
        batch = [self._queue[place] for place in range(len(self._queue))]
        if not batch and self._page.session is None:
            return
        t, at_s = self._latest
        now_t = t + time.monotonic() - at_s
        if any(isinstance(event, events.Session) and event.state == "began" for event in batch):
            pruning.prune(db, self._path, self._clock())
        with store.transaction(db):
            page = self._page
            if page.session and not store.go_on(db, page.session, now_t - page.began_t):
                # It was deleted under our hands: what comes now is a session that begins now.
                page = self._begin(db, page, _t(batch[0]) if batch else now_t, now_t)
            for event in batch:
                page = self._write_event(db, page, event, now_t)
            if page.session and page.session != self._page.session:
                # The last batch of a run may hold its first events.
                store.go_on(db, page.session, now_t - page.began_t)
        self._page = page
        for _ in batch:
            self._queue.popleft()

    def _write_event(self, db: sqlite3.Connection, page: _Page, event: events.Event, now_t: float) -> _Page:
        """Write one event; return the state after it. Events between sessions are not stored."""
        if isinstance(event, events.Session):
            if event.state == "began":
                return self._begin(db, page, event.t, now_t)
            if page.session:
                store.end(db, page.session, event.t - page.began_t, event.why)
            return replace(page, session=None)
        entry = _entry(event, page.began_t)
        if entry and page.session:
            store.add(db, page.session, entry)
        if isinstance(event, events.Mode):
            return replace(page, mode=event.mode)
        if entry and isinstance(event, events.Mute | events.Pause):
            standing = page.standing - {entry.kind} | ({entry.kind} if event.on else set())
            return replace(page, standing=standing)
        return page

    def _begin(self, db: sqlite3.Connection, page: _Page, t: float, now_t: float) -> _Page:
        """Begin a session at `t`. A mute or pause that is on becomes its first entry."""
        began = store.date_of(self._clock() - (now_t - t))
        session = store.begin(db, began, page.mode, school=self._school)
        for kind in sorted(page.standing):
            store.add(db, session, Entry(0.0, kind, "on"))
        return replace(page, session=session, began_t=t)

    def _open(self) -> sqlite3.Connection:
        """Return the open file; reopen it if it was removed or replaced. Raises OSError, sqlite3.Error."""
        if self._db and self._path.exists() and self._path.stat().st_ino == self._inode:
            return self._db
        self._shut()
        try:
            self._db = store.open_to_write(self._path)
        except DamagedStory as error:
            aside = store.set_aside(self._path)
            self._fault("story damaged", f"{error}; it is kept as {aside.name}, and a new one begun")
            self._db = store.open_to_write(self._path)
        self._inode = self._path.stat().st_ino
        return self._db

    def _shut(self) -> None:
        if self._db:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _fail(self, error: Exception) -> None:
        """Report the first failure, and close the file so that the next try reopens it."""
        self._shut()
        if not self._reported:
            self._reported = True
            self._fault("no story", f"{_sentence(self._path, error)}; it is tried again")


def _sentence(path: Path, error: Exception) -> str:
    """Return a sentence about a story that cannot be written."""
    if isinstance(error, CuelensError):
        return str(error)
    return f"{path} cannot be written: {(isinstance(error, OSError) and error.strerror) or error}"


def _entry(event: events.Event, began_t: float) -> Entry | None:
    """Return an event's entry in a session that began at `began_t`; None if the event gives no entry."""
    match event:
        case events.CueGiven():
            return Entry(event.t - began_t, "cue", event.word, event.kind, event.outputs)
        case events.Press():
            return Entry(event.t - began_t, "press", event.gesture)
        case events.Mode():
            return Entry(event.t - began_t, "mode", event.mode)
        case events.Mute():
            return Entry(event.t - began_t, "mute", "on" if event.on else "off")
        case events.Pause():
            return Entry(event.t - began_t, "pause", "on" if event.on else "off")
        case _InView():
            return Entry(event.t - began_t, "in view", f"{event.seconds:.0f}")
        case events.Expression():
            return Entry(event.t - began_t, "unsure", UNSURE)
    return None


def _t(event: events.Event) -> float:
    return float(getattr(event, "t", -math.inf))
