"""The wearer's button put into force, on a thread of its own: a beat that hangs does not hold it up."""

import queue
import time
from threading import Thread
from typing import Final

from cuelens import events, press
from cuelens.feed import Feed
from cuelens.outputs import Outputs
from cuelens.ports import Button
from cuelens.press import Hold
from cuelens.stream import EventStream
from cuelens.wearer import Wearer

_WAITING: Final = 64
"""Edges that may wait; no finger makes more before they are heard."""
_CLOSE_S: Final = 0.5

_Edge = tuple[bool, float]


class Controls:
    """Hears the button until it is closed. Every press is confirmed by light, and never by sound."""

    def __init__(self, button: Button, wearer: Wearer, outputs: Outputs, feed: Feed, stream: EventStream) -> None:
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
            due = press.due(hold)
            try:
                edge = self._edges.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            except queue.Empty:
                hold, gestures = press.after(hold, time.monotonic(), None)
            else:
                if edge is None:
                    return
                hold, gestures = press.after(hold, edge[1], edge[0])
            for gesture in gestures:
                self._obey(gesture)

    def _obey(self, gesture: str) -> None:
        """Put a gesture into force, confirm it, tell of it, and only then write it down."""
        wearer, told = self._wearer, self._stream.later
        if wearer.resting:
            wearer.resting = False
            self._feed.pause(on=wearer.paused)
            told(lambda t: events.Press(t=t, gesture="again"))
            return
        told(lambda t: events.Press(t=t, gesture=gesture))
        if gesture == "ask" and wearer.paused:
            self._outputs.confirm("paused")
        elif gesture == "ask":
            wearer.ask()
        elif gesture == "pause":
            self._pause()
        elif gesture == "mute":
            self._mute()
        else:
            self._outputs.confirm("calibrate")

    def _pause(self) -> None:
        on = self._wearer.paused = not self._wearer.paused
        self._outputs.hush(muted=self._wearer.muted, resting=on)
        self._feed.pause(on=on)
        self._outputs.confirm("paused" if on else "resumed")
        self._stream.later(lambda t: events.Pause(t=t, on=on))
        self._keep()

    def _mute(self) -> None:
        on = self._wearer.muted = not self._wearer.muted
        self._outputs.hush(muted=on, resting=self._wearer.paused)
        self._outputs.confirm("muted" if on else "unmuted")
        self._stream.later(lambda t: events.Mute(t=t, on=on))
        self._keep()

    def _keep(self) -> None:
        if trouble := self._wearer.keep():
            self._stream.fault("not kept", trouble)
