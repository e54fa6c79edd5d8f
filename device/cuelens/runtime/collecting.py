"""Collects readings of the nearest face while it shows an expression on request: in memory, without any picture."""

import threading
from collections.abc import Sequence
from typing import Final, Literal

from cuelens import events
from cuelens.calibration.samples import Samples
from cuelens.camera.capture import RUNNING
from cuelens.frame import Frame
from cuelens.runtime.pipeline import Decision
from cuelens.vision.picture_state import COVERED, DARK

_BEATS: Final = (RUNNING, DARK, COVERED)
"""States in which there are beats."""
_LONGEST_S: Final = 12.0
"""Of an expression: a page asks for 10 s at most. What comes later, from a phone that was put away, shows nothing."""
Shown = Literal["neutral", "happy", "surprise", "sad"]


class Collecting:
    """A reader of the event stream, and a watcher of beats. Thread-safe."""

    def __init__(self, labels: Sequence[str]) -> None:
        """Collect nothing yet. labels: the bundle's, in the order of its probabilities."""
        self.shown: Shown | None = None
        """The expression that is collected now; None if nothing is."""
        self._labels = tuple(labels)
        self.faces = 0
        """How many faces are in view."""
        self._samples = Samples()
        self._nearest: int | None = None
        self._lock = threading.Lock()

    def begin(self, shown: Shown) -> None:
        """Collect an expression, anew."""
        with self._lock:
            self._samples.forget(shown)
            self.shown = shown

    def stop(self, *, drop: bool = False) -> None:
        """Collect no more. drop: forget all that was collected."""
        with self._lock:
            self.shown = None
            if drop:
                self._samples = Samples()

    def seconds(self) -> dict[str, float]:
        """Return the seconds that were collected, by expression."""
        with self._lock:
            return {shown: round(self._samples.seconds(shown), 2) for shown in self._samples.expressions}

    def sitting(self) -> Samples:
        """Return all that was collected. Call it while nothing is."""
        with self._lock:
            return self._samples

    def see(self, _frame: Frame, decision: Decision) -> None:
        """Note the nearest face of a beat."""
        nearest = max(decision.faces, key=lambda face: face.box[2], default=None)
        self._nearest = nearest.track if nearest else None
        self.faces = len(decision.faces)

    def __call__(self, event: events.Event) -> None:
        """Take an event: a reading of the nearest face, or a state in which no face can be seen."""
        if isinstance(event, events.State) and event.state not in _BEATS:
            self.faces = 0
        if self.shown and isinstance(event, events.Reading) and event.track == self._nearest:
            with self._lock:
                if self.shown:
                    scores = [event.scores.get(label, 0.0) for label in self._labels]
                    self._samples.add(self.shown, event.t, scores)
                    if self._samples.seconds(self.shown) >= _LONGEST_S:
                        self.shown = None
