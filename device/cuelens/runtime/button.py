"""The wearer's button put into force, on a thread of its own: a beat that hangs does not hold it up."""

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

_WAITING: Final = 64
"""Edges that may wait; no finger makes more before they are heard."""
_CLOSE_S: Final = 0.5

_Edge = tuple[bool, float]


class ButtonThread:
    """Hears the button until it is closed. Every press is confirmed by light, and never by sound."""

    def __init__(self, button: Button, wearer: Wishes, outputs: Outputs, feed: Feed, stream: EventStream) -> None:
        self._button = button
        self._wearer = wearer
        self._outputs = outputs
        self._feed = feed
        self._stream = stream
        self._edges: queue.Queue[_Edge | None] = queue.Queue(_WAITING)
        self.lost = 0
        self._thread = Thread(target=self._hear, name="button", daemon=True)
        self._thread.start()
        button.watch(self._edge)

    def close(self) -> None:
        """Hear no more."""
        self._button.close()
        self._put(None)
        self._thread.join(_CLOSE_S)

    def _edge(self, pressed: bool, t: float) -> None:
        """Take an edge from the button's own thread; the light answers before anything is made of it."""
        if pressed:
            self._outputs.acknowledge()
        self._put((pressed, t))

    def _put(self, edge: _Edge | None) -> None:
        try:
            self._edges.put_nowait(edge)
        except queue.Full:
            self.lost += 1

    def _hear(self) -> None:
        hold = Hold()
        while True:
            due = gestures.due(hold)
            try:
                edge = self._edges.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            except queue.Empty:
                hold, made = gestures.after(hold, time.monotonic(), None)
            else:
                if edge is None:
                    return
                pressed, t = edge
                if self._wearer.resting:
                    # However long it was: any press begins the next session.
                    hold, made = Hold(), () if pressed else ("again",)
                else:
                    hold, made = gestures.after(hold, t, pressed)
            for gesture in made:
                self._obey(gesture)

    def _obey(self, gesture: str) -> None:
        """Put a gesture into force, confirm it, tell of it, and only then write it down."""
        wearer = self._wearer
        with wearer.changing:
            meant = "again" if wearer.resting else gesture
            self._stream.post(lambda t: events.Press(t=t, gesture=meant))
            shown = self._do(meant)
            enforce(wearer, self._outputs, self._feed)
            if shown:
                self._outputs.confirm(shown)
        if meant in ("pause", "mute") and (trouble := wearer.keep()):
            self._stream.fault("not kept", trouble)

    def _do(self, gesture: str) -> str:
        """Change the wearer's wishes. Returns which light confirms it, if one does."""
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
    """Let outputs and camera be as the wearer wants them. Called with `wearer.changing` held."""
    outputs.hush(muted=wearer.muted, resting=wearer.at_rest)
    feed.pause(on=wearer.at_rest)
