"""Sessions: periods of wear with a time limit. Each begins and ends with a calm light."""

import gc
from collections.abc import Callable

from cuelens import events
from cuelens.camera.capture import Feed
from cuelens.runtime.button import enforce
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.wishes import Wishes


class Sessions:
    """Begins a session at the start and at a press, and puts the glasses to rest when its time is over.

    length_s: length of a session, in seconds; 0 for no end. A new value holds for the running session too.
    """

    def __init__(self, wishes: Wishes, length_s: float, outputs: Outputs, feed: Feed, stream: EventStream) -> None:
        """Begin without a session.

        Args:
            wishes: the wearer's wishes. The end of a session sets `resting`, and a press clears it.
            length_s: length of a session, in seconds; 0 for no end.
            outputs: shows the calm lights.
            feed: the camera, paused while the glasses rest.
            stream: where events go.
        """
        self._wishes = wishes
        self.length_s = length_s
        self._outputs = outputs
        self._feed = feed
        self._stream = stream
        self.next_length_s: float | None = None
        """Length of the next session alone; None for the usual one."""
        self._began_s: float | None = None
        self._this_length_s: float | None = None

    def turn(self, now_s: float, t: float, begin: Callable[[], None]) -> None:
        """Begin or end a session if that is due.

        Args:
            now_s: time in seconds, on a clock that runs on during pauses: these count as worn.
            t: frame time in seconds, for the events.
            begin: is called when a session begins, before the first light.
        """
        wishes = self._wishes
        if self._began_s is None:
            if not wishes.resting:
                self._began_s = now_s
                self._this_length_s, self.next_length_s = self.next_length_s, None
                begin()
                self._show(lambda: "paused" if wishes.paused else "session began")
                self._stream.emit(events.Session(t=t, state="began"))
        elif 0 < (self._this_length_s or self.length_s) <= now_s - self._began_s:
            self.rest(t, "time")

    def rest(self, t: float, why: str) -> None:
        """End the session, if one is on, and rest until a press. why: as for `end`."""
        self._show(lambda: "session ended", resting=True)
        self.end(t, why)
        # No beat waits now, and by itself Python seldom looks at old garbage.
        gc.collect()

    def wake(self) -> None:
        """Rest no longer, without a session: for a calibration."""
        with self._wishes.changing:
            self._wishes.resting = False
            enforce(self._wishes, self._outputs, self._feed)

    def end(self, t: float, why: str) -> None:
        """Emit the end of the session, if one is on. why: time, stopped, calibration or camera lost."""
        if self._began_s is not None:
            self._began_s = None
            self._stream.emit(events.Session(t=t, state="ended", why=why))

    def _show(self, light: Callable[[], str], *, resting: bool = False) -> None:
        """Apply the wishes and confirm by light. The lock keeps a press from changing them meanwhile."""
        with self._wishes.changing:
            self._wishes.resting = resting
            enforce(self._wishes, self._outputs, self._feed)
            self._outputs.confirm(light())
