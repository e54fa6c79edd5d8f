"""The loop that runs beats: frames from the feed, cues to the outputs, the state of things to whom it concerns."""

import gc
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from cuelens import events
from cuelens.camera.capture import NO_CAMERA, PAUSED, RUNNING, STALLED, Feed
from cuelens.health.systemd import Notify
from cuelens.runtime.button import enforce
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pacing import Pacing, Strain
from cuelens.runtime.pipeline import Decision, Pipeline
from cuelens.runtime.wishes import Wishes
from cuelens.types import Frame
from cuelens.vision.picture_state import COVERED, DARK
from cuelens_models.errors import CameraLost

_TURN_S: Final = 0.5
"""The loop turns at least this often, frame or none, so that stopping and the watchdog never wait longer."""
_STATE_EVERY_S: Final = 5.0
_AGES_KEPT: Final = 256
_HINT_EVERY_S: Final = 60.0
RESTING: Final = "resting"
"""The session is over, and the camera is off until a press."""
_NO_PICTURE: Final = (DARK, COVERED)
_TROUBLE: Final = (NO_CAMERA, STALLED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. seconds: of frame time."""

    seconds: float
    frames: int
    beats: int
    dropped: int


class Loop:
    """Runs until the source ends, the time is up, or `stop` is set."""

    def __init__(
        self,
        feed: Feed,
        beats: Pipeline,
        outputs: Outputs,
        stream: EventStream,
        *,
        live: bool,
        wearer: Wishes | None = None,
        session_s: float = 0.0,
        strain: Callable[[], Strain] = Strain,
        watchers: Sequence[Callable[[Frame, Decision], None]] = (),
    ) -> None:
        """live: whether frames have an age; then not all of them need to become beats.

        wearer: who mutes, pauses and asks; then there are sessions, else there is nobody who could. session_s: after so
        long the glasses rest until a press; 0 for no end. strain: asked every five seconds. watchers: shown every frame
        with its decision.
        """
        self._feed = feed
        self._beats = beats
        self._outputs = outputs
        self._stream = stream
        self._live = live
        self._worn = wearer is not None
        self._wearer = wearer or Wishes()
        self._session_s = session_s
        self._session_began_s: float | None = None
        self._strain = strain
        self._pacing = Pacing()
        self._watchers = watchers
        self._notify = Notify()
        self._ages_ms: deque[float] = deque(maxlen=_AGES_KEPT)
        self._state = RUNNING
        self._clock = beats.clock
        self._hinted_t = -math.inf
        self._beat_count = 0
        self._told = (0.0, 0, 0)

    def run(self, seconds: float | None, stop: threading.Event) -> Outcome:
        """Run. Outputs and feed are closed when this returns or raises."""
        # What start-up made stays: the garbage collector need not look through it in the middle of a beat.
        gc.freeze()
        self._notify.ready()
        began_s = time.monotonic()
        with ExitStack() as ending:
            ending.callback(self._feed.close)
            ending.callback(self._outputs.close)
            ending.callback(self._notify.stopping)
            ending.push(self._leave)
            while not stop.is_set():
                self._keep_session()
                try:
                    frame = self._feed.next(_TURN_S)
                except TimeoutError:
                    if self._live:
                        self._stream.t = self._clock.wait()
                    # A slow source that runs says nothing about the picture.
                    if self._feed.state != RUNNING:
                        self._become(RESTING if self._wearer.resting else self._feed.state)
                else:
                    if frame is None:
                        break
                    if self._wearer.at_rest:
                        self._pass_over(frame)
                    elif not self._live or self._pacing.due(frame.t):
                        self._beat(frame)
                self._stream.flush()
                self._notify.turned()
                if seconds is not None and seconds <= (time.monotonic() - began_s if self._live else self._clock.t):
                    break
        self._tell_state()
        return Outcome(self._clock.t, self._feed.received, self._beat_count, self._feed.dropped())

    def _pass_over(self, frame: Frame) -> None:
        """Let a frame go by that nobody wants: of a file, or of a camera that is about to close."""
        self._stream.t = self._clock.see(frame)
        self._become(RESTING if self._wearer.resting else PAUSED)

    def _now_s(self) -> float:
        return time.monotonic() if self._live else self._clock.t

    def _keep_session(self) -> None:
        """Begin a session if none is on, and end it when its time is over: calmly, both."""
        if not self._worn:
            return
        wearer = self._wearer
        if self._session_began_s is None and not wearer.resting:
            self._session_began_s = self._now_s()
            self._beats.begin()
            with wearer.changing:
                enforce(wearer, self._outputs, self._feed)
                self._outputs.confirm("paused" if wearer.paused else "session began")
            self._stream.emit(events.Session(t=self._clock.t, state="began"))
        elif self._session_began_s is not None and self._is_over(self._now_s() - self._session_began_s):
            with wearer.changing:
                wearer.resting = True
                enforce(wearer, self._outputs, self._feed)
                self._outputs.confirm("session ended")
            self._end_session("time")

    def _is_over(self, seconds: float) -> bool:
        return 0 < self._session_s <= seconds

    def _end_session(self, why: str) -> None:
        if self._session_began_s is not None:
            self._session_began_s = None
            self._stream.emit(events.Session(t=self._clock.t, state="ended", why=why))

    def _learn(self) -> None:
        """Keep what fading has learned, which is seldom anything; no beat waits for the disk."""
        if self._beats.answered_first != self._wearer.answered_first:
            self._wearer.answered_first = self._beats.answered_first
            # Not a daemon thread: what was learned in the last moment is kept too.
            threading.Thread(target=self._keep, name="keep").start()

    def _keep(self) -> None:
        if trouble := self._wearer.keep():
            self._stream.fault("not kept", trouble)

    def _leave(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._end_session("camera lost" if isinstance(error, CameraLost) else "stopped")

    def _beat(self, frame: Frame) -> None:
        began_ns = time.monotonic_ns()
        wearer = self._wearer
        decision = self._beats.process(
            frame,
            reduced=self._live and self._pacing.reduced,
            asked=wearer.take_ask(),
            muted=wearer.muted,
        )
        ended_ns = time.monotonic_ns()
        self._stream.t = decision.t
        self._pacing.ended(frame.t, (ended_ns - began_ns) / 1e6)
        # First the state: leaving "camera stalled" puts its light out, which must not take a cue along.
        self._become(decision.state)
        self._outputs.set_ambient(decision.t, frame.lux, decision.mean)
        if decision.cue:
            self._outputs.give(decision.cue)
        self._beat_count += 1
        self._ages_ms.append((ended_ns - frame.exposed_ns) / 1e6)
        self._learn()
        for watcher in self._watchers:
            watcher(frame, decision)
        if self._clock.t - self._told[0] >= _STATE_EVERY_S:
            self._tell_state()
            self._ease()

    def _ease(self) -> None:
        """Slow down for a hot or weakly supplied board, and say so."""
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
        """Show that nothing can be seen: at dusk not again and again, and not to a wearer who has muted the glasses."""
        if self._clock.t - self._hinted_t >= _HINT_EVERY_S and not self._wearer.muted:
            self._hinted_t = self._clock.t
            self._outputs.confirm("too dark")

    def _tell_state(self) -> None:
        told_t, told_frames, told_beats = self._told
        span = self._clock.t - told_t
        ages = sorted(self._ages_ms)
        state = events.State(
            t=self._clock.t,
            state=self._state,
            camera_fps=round((self._feed.received - told_frames) / span, 1) if span > 0 else 0.0,
            beat_fps=round((self._beat_count - told_beats) / span, 1) if span > 0 else 0.0,
            dropped=self._feed.dropped(),
            frame_age_ms_p95=round(ages[int(0.95 * (len(ages) - 1))], 1) if ages and self._live else None,
        )
        self._told = (self._clock.t, self._feed.received, self._beat_count)
        self._stream.emit(state)
        self._notify.status(
            f"{state.state}, {state.camera_fps:.0f} fps, {state.beat_fps:.0f} beats/s, {state.dropped} dropped"
        )
