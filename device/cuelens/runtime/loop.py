"""The main loop: takes frames from the feed, runs beats, gives cues to the outputs and reports the state."""

import gc
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from cuelens import events
from cuelens.camera.capture import NO_CAMERA, PAUSED, RUNNING, STALLED, Feed
from cuelens.cues.policy import CuePolicy
from cuelens.frame import Frame
from cuelens.health.systemd import Notify
from cuelens.health.words import STATES
from cuelens.runtime.calibration import Calibration
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pacing import Pacing, Strain
from cuelens.runtime.pipeline import Decision, Pipeline
from cuelens.runtime.sessions import Sessions
from cuelens.runtime.wishes import Wishes
from cuelens.vision.picture_state import COVERED, DARK
from cuelens_models.errors import CameraLost

_TURN_S: Final = 0.5
"""Deadline of one turn of the loop, with or without a frame. It bounds the delay of a stop and of the watchdog."""
_STATE_EVERY_S: Final = 5.0
_AGES: Final = 256
_HINT_EVERY_S: Final = 60.0
RESTING: Final = "resting"
"""State after a session: the camera is off until a press."""
_NO_PICTURE: Final = (DARK, COVERED)
_TROUBLE: Final = (NO_CAMERA, STALLED)


class Outcome(msgspec.Struct, frozen=True):
    """The outcome of a run.

    Attributes:
        seconds: length in frame time.
        frames: number of frames received.
        beats: number of beats.
        dropped: number of frames lost.
    """

    seconds: float
    frames: int
    beats: int
    dropped: int


class Counts(msgspec.Struct, frozen=True):
    """The counters of a run.

    Attributes:
        t: frame time in seconds.
        frames: received.
        beats: run.
        dropped: frames that were overwritten, or were no pictures.
        skipped: frames that were not due, or came during a pause or rest.
    """

    t: float = 0.0
    frames: int = 0
    beats: int = 0
    dropped: int = 0
    skipped: int = 0


class Loop:
    """Runs beats until the source ends, the time is up, or `stop` is set."""

    def __init__(
        self,
        feed: Feed,
        beats: Pipeline,
        outputs: Outputs,
        stream: EventStream,
        *,
        live: bool,
        wearer: Wishes | None = None,
        worn: bool = True,
        session_s: float = 0.0,
        strain: Callable[[], Strain] = Strain,
        calibration: Calibration | None = None,
        watchers: Sequence[Callable[[Frame, Decision], None]] = (),
    ) -> None:
        """Join the parts of a run.

        Args:
            feed: where frames come from.
            beats: the pipeline from a frame to a decision.
            outputs: light and voice.
            stream: where events go.
            live: the source is a camera: frames have an age, and some are skipped.
            wearer: the wearer's wishes. Without them there are no sessions.
            worn: keep sessions.
            session_s: length of a session in seconds; 0 for no end.
            strain: returns temperature and under-voltage; called every five seconds.
            calibration: of the caregiver's; None if there is none. While it is on there is no session.
            watchers: called with every frame and its decision.
        """
        self._feed = feed
        self._beats = beats
        self._outputs = outputs
        self._stream = stream
        self._live = live
        self._wearer = wearer or Wishes()
        self._sessions = Sessions(wearer, session_s, outputs, feed, stream) if wearer and worn else None
        self._strain = strain
        self._calibration = calibration or Calibration()
        self._calibrates = False
        self._pacing = Pacing()
        self._watchers = watchers
        self._notify = Notify()
        self.begins_anew = False
        """Whether the process starts itself again after the end."""
        self._ages_ms: deque[float] = deque(maxlen=_AGES)
        self._state = RUNNING
        self._clock = beats.clock
        self._hinted_t = -math.inf
        self._beat_count = self._skipped = 0
        self._reported = Counts()
        self._waiting: deque[tuple[Callable[[], None], threading.Event]] = deque(maxlen=1)

    def run(self, seconds: float | None, stop: threading.Event) -> Outcome:
        """Run. Outputs and feed are closed when this returns or raises."""
        # The objects of start-up stay: the garbage collector need not scan them in the middle of a beat.
        gc.freeze()
        gc.enable()
        self._notify.ready()
        began_s = time.monotonic()
        with ExitStack() as ending:
            ending.callback(self._feed.close)
            ending.callback(self._outputs.close)
            ending.callback(lambda: self._notify.begins_anew() if self.begins_anew else self._notify.stopping())
            ending.push(self._leave)
            while not stop.is_set() and self._turn():
                self._change()
                self._stream.flush()
                self._notify.turned()
                if seconds is not None and seconds <= (time.monotonic() - began_s if self._live else self._clock.t):
                    break
        self._tell_state()
        return Outcome(self._clock.t, self._feed.received, self._beat_count, self._feed.dropped())

    def between_beats(self, change: Callable[[], None], timeout_s: float) -> bool:
        """Have a function called between two beats, on the thread that runs them. Any other thread may call this.

        A function that still waits is replaced. Returns whether this one was called within `timeout_s` seconds.
        """
        done = threading.Event()
        self._waiting.append((change, done))
        if done.wait(timeout_s):
            return True
        try:
            self._waiting.remove((change, done))
        except ValueError:
            # It was begun at the last moment.
            return done.wait(timeout_s)
        return False

    def counts(self) -> Counts:
        """Return the counters. Any thread may call this."""
        return Counts(self._clock.t, self._feed.received, self._beat_count, self._feed.dropped(), self._skipped)

    def use(self, policy: CuePolicy, *, gap_s: float, session_s: float, anew: bool, tilt: float = 0.0) -> None:
        """Use another policy. Call it between two beats.

        Args:
            policy: settles, decides and limits from now on.
            gap_s: no unasked cue comes for so long, in seconds.
            session_s: length of a session in seconds; 0 for no end.
            anew: end the session, and begin another at the next turn.
            tilt: by how much a level room leans, in degrees.
        """
        self._beats.change(policy, gap_s, tilt)
        if self._sessions:
            self._sessions.length_s = session_s
            if anew:
                self._sessions.end(self._clock.t, "stopped")

    def _change(self) -> None:
        """Call the function that waits for a moment between two beats, if there is one."""
        try:
            change, done = self._waiting.popleft()
        except IndexError:
            return
        change()
        done.set()

    def _turn(self) -> bool:
        """Process one frame, or wait for one until the deadline. Returns False at the end of the source."""
        if self._calibration.on != self._calibrates:
            self._switch_calibration(on=not self._calibrates)
        if self._sessions and not self._calibrates:
            self._sessions.turn(self._now_s(), self._clock.t, self._beats.begin)
        try:
            frame = self._feed.next(_TURN_S)
        except TimeoutError:
            if self._live:
                self._stream.t = self._clock.wait()
            # No frame while the source runs: it is only slow, and the state of the picture stays.
            if self._feed.state != RUNNING:
                self._become(RESTING if self._wearer.resting else self._feed.state)
            return True
        if frame is None:
            return False
        if self._wearer.at_rest:
            self._skip(frame)
        elif not self._live or self._pacing.due(frame.t):
            self._beat(frame)
        else:
            self._skipped += 1
        return True

    def _switch_calibration(self, *, on: bool) -> None:
        """Begin or end the calibration, on the thread that runs beats."""
        self._calibrates = on
        self._stream.emit(events.Calibration(t=self._clock.t, on=on))
        if not self._sessions:
            return
        if on:
            self._sessions.end(self._clock.t, "calibration")
            self._sessions.wake()
            return
        ending = self._calibration.ending
        self._sessions.next_length_s = ending.session_s
        if ending.rest:
            self._sessions.rest(self._clock.t, "stopped")

    def _skip(self, frame: Frame) -> None:
        """Skip a frame during pause or rest: from a file, or from a camera that is about to close."""
        self._skipped += 1
        self._stream.t = self._clock.see(frame)
        self._become(RESTING if self._wearer.resting else PAUSED)

    def _now_s(self) -> float:
        return time.monotonic() if self._live else self._clock.t

    def _store_fading(self) -> None:
        """Store the history of fading if it changed, which is rare. A thread writes it: no beat waits for the disk."""
        if self._beats.answered_first != self._wearer.answered_first:
            self._wearer.answered_first = self._beats.answered_first
            # Not a daemon thread: the process waits for the last write.
            threading.Thread(target=self._write, name="keep").start()

    def _write(self) -> None:
        if trouble := self._wearer.keep():
            self._stream.fault("not kept", trouble)

    def _leave(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if self._sessions:
            self._sessions.end(self._clock.t, "camera lost" if isinstance(error, CameraLost) else "stopped")

    def _beat(self, frame: Frame) -> None:
        began_ns, wearer = time.monotonic_ns(), self._wearer
        decision = self._beats.process(
            frame,
            reduced=self._live and self._pacing.reduced,
            press=wearer.take_ask(),
            # A calibration that ended while the frame was awaited is quiet until what follows it begins.
            muted=wearer.muted or self._calibration.quiet or (self._calibrates and not self._calibration.on),
            closely=self._calibration.on,
        )
        ended_ns = time.monotonic_ns()
        self._stream.t = decision.t
        self._pacing.ended(frame.t, (ended_ns - began_ns) / 1e6)
        # The state comes first: leaving "camera stalled" turns its light off, and must not end the cue's.
        self._become(decision.state)
        self._outputs.set_ambient(decision.t, frame.lux, decision.mean)
        self._outputs.end(decision.dropped)
        if decision.cue:
            self._outputs.give(decision.cue)
        self._beat_count += 1
        self._ages_ms.append((ended_ns - frame.exposed_ns) / 1e6)
        self._store_fading()
        for watcher in self._watchers:
            watcher(frame, decision)
        if self._clock.t - self._reported.t >= _STATE_EVERY_S:
            self._tell_state()
            self._ease()

    def _ease(self) -> None:
        """Lower the target rate for a hot or weakly supplied board, and report it."""
        strain = self._strain()
        if self._pacing.strained(strain):
            self._stream.fault("board strained", f"{strain}: now {self._pacing.target:g} beats a second")

    def _become(self, state: str) -> None:
        if state == self._state:
            return
        before, self._state = self._state, state
        self._tell_state()
        if before in _TROUBLE and state not in _TROUBLE:
            self._outputs.dark()
        if state in _NO_PICTURE:
            self._hint()
        elif state in _TROUBLE:
            self._outputs.trouble()

    def _hint(self) -> None:
        """Show "too dark" by light, at most once in a minute, and not while muted."""
        if self._clock.t - self._hinted_t >= _HINT_EVERY_S and not self._wearer.muted:
            self._hinted_t = self._clock.t
            self._outputs.confirm("too dark")

    def _tell_state(self) -> None:
        last, now = self._reported, self.counts()
        span = now.t - last.t
        ages = sorted(self._ages_ms)
        state = events.State(
            t=now.t,
            state=self._state,
            camera_fps=round((now.frames - last.frames) / span, 1) if span > 0 else 0.0,
            beat_fps=round((now.beats - last.beats) / span, 1) if span > 0 else 0.0,
            dropped=now.dropped,
            frame_age_ms_p95=round(ages[int(0.95 * (len(ages) - 1))], 1) if ages and self._live else None,
        )
        self._reported = now
        self._stream.emit(state)
        self._notify.status(
            f"{state.state}: {STATES.get(state.state, '')}; {state.camera_fps:.0f} frames a second,"
            f" {state.beat_fps:.0f} beats a second, {state.dropped} frames dropped"
        )
