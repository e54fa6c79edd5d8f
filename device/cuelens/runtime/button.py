"""The wearer's gestures: what each does, and the thread that listens to the button, so that no beat delays one."""

import queue
import time
from collections.abc import Callable
from threading import Thread
from typing import Final

from cuelens import events
from cuelens.camera.capture import Feed
from cuelens.ports import Button
from cuelens.runtime import gestures
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.gestures import Hold
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.wishes import Wishes

_QUEUE: Final = 64
"""Length of the queue of edges; no finger fills it before the thread empties it."""
_CLOSE_S: Final = 0.5

_Edge = tuple[bool, float]


class Gestures:
    """Puts gestures into force, whoever makes them: the button, a key, or the link. Thread-safe.

    Each is confirmed by light, never by sound.
    """

    def __init__(
        self,
        wearer: Wishes,
        outputs: Outputs,
        feed: Feed,
        stream: EventStream,
        calibrate: Callable[[], bool] | None = None,
    ) -> None:
        """Begin with the wishes as they are.

        Args:
            wearer: the wearer's wishes.
            outputs: whose light confirms gestures.
            feed: the camera, which a pause closes.
            stream: takes an event for each gesture.
            calibrate: begins the caregiver's mode, and returns whether it did. None: there is no such mode, and the
                gesture is two presses and a hold.
        """
        self.wearer = wearer
        self._outputs = outputs
        self._feed = feed
        self._stream = stream
        self._calibrate = calibrate
        self._has_failed = False
        self._before = (wearer.paused, wearer.muted)
        """Pause and mute before the second press: a third one that calibrates takes both back."""

    def acknowledge(self) -> None:
        """Answer a press by light, before its meaning is known."""
        self._outputs.acknowledge()

    def press(self, gesture: str) -> str:
        """Do a gesture for a key or the link: `mute` unmutes if the glasses are muted. Returns what it did, as `make`.

        gesture: ask, mute, pause or calibrate.
        """
        self.acknowledge()
        wearer = self.wearer
        # No press came before it, whose effects it would have to take back.
        self._before = (wearer.paused, wearer.muted)
        return self.make("unmute" if gesture == "mute" and wearer.muted else gesture)

    def make(self, gesture: str) -> str:
        """Apply a gesture, confirm it by light, emit its event, and only then write the file.

        gesture: of `cuelens.runtime.gestures`, or "again". Returns what it did: again, ask, paused, resumed, muted,
        unmuted, calibrate; "off" for a question while the camera is off, "" for a calibration that did not begin.
        """
        wearer = self.wearer
        with wearer.changing:
            # A calibration wakes resting glasses, without a session.
            meaning = "again" if wearer.resting and gesture != "calibrate" else gesture
            if meaning == "calibrate" and not (self._calibrate and self._calibrate()):
                return ""
            self._stream.post(lambda t: events.Press(t=t, gesture=meaning))
            effect = self._apply(meaning)
            enforce(wearer, self._outputs, self._feed)
            self._outputs.confirm("paused" if effect == "off" else effect)
        if meaning not in ("ask", "again") and (trouble := wearer.keep()):
            self._stream.fault("not kept", trouble)
        return effect

    def fail(self, gesture: str, error: Exception) -> None:
        """Report a gesture whose making raised an error, the first time."""
        if not self._has_failed:
            self._has_failed = True
            self._stream.fault("not kept", f"the gesture {gesture} failed: {type(error).__name__}: {error}")

    def _apply(self, gesture: str) -> str:
        """Change the wearer's wishes. Returns what that did."""
        wearer = self.wearer
        if gesture == "pause":
            self._before = (wearer.paused, wearer.muted)
            self._set(paused=not wearer.paused)
            return "paused" if wearer.paused else "resumed"
        if gesture in ("mute", "unmute"):
            self._set(muted=gesture == "mute")
            return "muted" if wearer.muted else "unmuted"
        if gesture == "calibrate":
            paused, muted = self._before
            self._set(paused=paused, muted=muted)
        elif gesture == "again":
            wearer.resting = False
        elif wearer.paused:
            return "off"
        else:
            wearer.ask()
        return gesture

    def _set(self, *, paused: bool | None = None, muted: bool | None = None) -> None:
        """Change wishes, with an event for each that changes. None: leave it."""
        wearer = self.wearer
        if paused not in (None, wearer.paused):
            on = wearer.paused = bool(paused)
            self._stream.post(lambda t: events.Pause(t=t, on=on))
        if muted not in (None, wearer.muted):
            off = wearer.muted = bool(muted)
            self._stream.post(lambda t: events.Mute(t=t, on=off))


class ButtonThread:
    """Handles presses until it is closed."""

    def __init__(self, button: Button, controls: Gestures, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch a button. controls: puts its gestures into force. clock: the one of the button's edges, in seconds."""
        self._button = button
        self._controls = controls
        self._clock = clock
        self._edges: queue.Queue[_Edge | None] = queue.Queue(_QUEUE)
        self.lost = 0
        self._thread = Thread(target=self._run, name="button", daemon=True)
        self._thread.start()
        button.watch(self._edge)

    def close(self) -> None:
        """Stop the thread, and wait for it for at most half a second."""
        self._button.close()
        self._put(None)
        self._thread.join(_CLOSE_S)

    def _edge(self, pressed: bool, t: float) -> None:
        """Queue an edge; called on the button's own thread. The light answers before the gesture is known."""
        if pressed:
            self._controls.acknowledge()
        self._put((pressed, t))

    def _put(self, edge: _Edge | None) -> None:
        try:
            self._edges.put_nowait(edge)
        except queue.Full:
            self.lost += 1

    def _run(self) -> None:
        hold = Hold()
        wearer = self._controls.wearer
        while True:
            due = gestures.due(hold)
            try:
                edge = self._edges.get(timeout=None if due is None else max(0.0, due - self._clock()))
            except queue.Empty:
                hold, complete = gestures.after(hold, self._clock(), None, muted=wearer.muted)
            else:
                if edge is None:
                    return
                pressed, t = edge
                if wearer.resting:
                    # A press of any length begins the next session.
                    hold, complete = Hold(), () if pressed else ("again",)
                else:
                    hold, complete = gestures.after(hold, t, pressed, muted=wearer.muted)
            for gesture in complete:
                if self._make(gesture) == "calibrate":
                    # After it there is only the release, on a thread that woke late.
                    hold = gestures.calibrated(hold)
                    break

    def _make(self, gesture: str) -> str:
        """Put a gesture into force. Returns what it did, "" if it failed."""
        try:
            return self._controls.make(gesture)
        except Exception as error:
            # Catch everything: a dead thread would silently hear no press.
            self._controls.fail(gesture, error)
            return ""


def enforce(wearer: Wishes, outputs: Outputs, feed: Feed) -> None:
    """Apply the wearer's wishes to outputs and camera. The caller holds the lock `wearer.changing`."""
    outputs.hush(muted=wearer.muted, resting=wearer.at_rest)
    feed.pause(on=wearer.at_rest)
