"""Sessions: the time that the glasses are worn in one go. Each begins and ends with a calm light."""

from collections.abc import Callable

from cuelens import events
from cuelens.camera.capture import Feed
from cuelens.runtime.button import enforce
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.wishes import Wishes


class Sessions:
    """Begins a session when the wearer wants one, and lets the glasses rest when its time is over."""

    def __init__(self, wishes: Wishes, length_s: float, outputs: Outputs, feed: Feed, stream: EventStream) -> None:
        """Begin with no session.

        Args:
            wishes: what the wearer asked for; `resting` is set at the end of a session, and a press takes it back.
            length_s: of a session; 0 for one without an end.
            outputs: where the calm lights are shown.
            feed: is paused while the glasses rest.
            stream: is told of beginning and end.
        """
        self._wishes = wishes
        self._length_s = length_s
        self._outputs = outputs
        self._feed = feed
        self._stream = stream
        self._began_s: float | None = None

    def turn(self, now_s: float, t: float, begin: Callable[[], None]) -> None:
        """Begin or end a session, if it is time.

        Args:
            now_s: on a clock that never stops: pauses count as worn.
            t: frame time, for the events.
            begin: called when a session begins, before the first light.
        """
        wishes = self._wishes
        if self._began_s is None:
            if not wishes.resting:
                self._began_s = now_s
                begin()
                self._show(lambda: "paused" if wishes.paused else "session began")
                self._stream.emit(events.Session(t=t, state="began"))
        elif 0 < self._length_s <= now_s - self._began_s:
            self._show(lambda: "session ended", resting=True)
            self.end(t, "time")

    def end(self, t: float, why: str) -> None:
        """Tell of the end of the session, if one is on. why: time, stopped or camera lost."""
        if self._began_s is not None:
            self._began_s = None
            self._stream.emit(events.Session(t=t, state="ended", why=why))

    def _show(self, light: Callable[[], str], *, resting: bool = False) -> None:
        """Put the wishes into force and confirm it by a light, while no press changes them."""
        with self._wishes.changing:
            self._wishes.resting = resting
            enforce(self._wishes, self._outputs, self._feed)
            self._outputs.confirm(light())
