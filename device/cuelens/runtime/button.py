"""Handles the wearer's button on its own thread, so that a beat that hangs does not delay it."""

import queue
import time
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


class ButtonThread:
    """Handles presses until it is closed. Every press is confirmed by light, never by sound."""

    def __init__(self, button: Button, wearer: Wishes, outputs: Outputs, feed: Feed, stream: EventStream) -> None:
        self._button = button
        self._wearer = wearer
        self._outputs = outputs
        self._feed = feed
        self._stream = stream
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
            self._outputs.acknowledge()
        self._put((pressed, t))

    def _put(self, edge: _Edge | None) -> None:
        try:
            self._edges.put_nowait(edge)
        except queue.Full:
            self.lost += 1

    def _run(self) -> None:
        hold = Hold()
        while True:
            due = gestures.due(hold)
            try:
                edge = self._edges.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            except queue.Empty:
                hold, complete = gestures.after(hold, time.monotonic(), None)
            else:
                if edge is None:
                    return
                pressed, t = edge
                if self._wearer.resting:
                    # A press of any length begins the next session.
                    hold, complete = Hold(), () if pressed else ("again",)
                else:
                    hold, complete = gestures.after(hold, t, pressed)
            for gesture in complete:
                self._handle(gesture)

    def _handle(self, gesture: str) -> None:
        """Apply a gesture, confirm it by light, emit its event, and only then write the file."""
        wearer = self._wearer
        with wearer.changing:
            meaning = "again" if wearer.resting else gesture
            self._stream.post(lambda t: events.Press(t=t, gesture=meaning))
            light = self._apply(meaning)
            enforce(wearer, self._outputs, self._feed)
            if light:
                self._outputs.confirm(light)
        if meaning in ("pause", "mute") and (trouble := wearer.keep()):
            self._stream.fault("not kept", trouble)

    def _apply(self, gesture: str) -> str:
        """Change the wearer's wishes. Returns the light that confirms it, or ""."""
        wearer = self._wearer
        if gesture == "pause":
            on = wearer.paused = not wearer.paused
            self._stream.post(lambda t: events.Pause(t=t, on=on))
            return "paused" if on else "resumed"
        if gesture == "mute":
            on = wearer.muted = not wearer.muted
            self._stream.post(lambda t: events.Mute(t=t, on=on))
            return "muted" if on else "unmuted"
        if gesture == "calibrate":
            return "calibrate"
        if gesture == "again":
            wearer.resting = False
        elif wearer.paused:
            return "paused"
        else:
            wearer.ask()
        return ""


def enforce(wearer: Wishes, outputs: Outputs, feed: Feed) -> None:
    """Apply the wearer's wishes to outputs and camera. The caller holds the lock `wearer.changing`."""
    outputs.hush(muted=wearer.muted, resting=wearer.at_rest)
    feed.pause(on=wearer.at_rest)
