"""Streams of made-up hours: what a network says of faces before a camera, and what they truly show.

Fifteen readings a second: 12 episodes of two seconds in ten minutes, at least ten seconds apart, in which a face shows
something else than neutral, as often as among the held-out faces (one in 160 shows contempt, which has no cue). An
episode comes at any moment of a stretch of three to eight seconds in which that face is neutral. All else is stretches
as long: of the time that is no episode, a neutral face is there for 70 %, nobody for 20 %, and somebody who talks for
10 %.

What the model says persists as it does before a camera: for 0.5 to 1.5 seconds it is what it said of one face of that
expression, drawn anew each time, seen by a small camera (`readings.npz`, next to this), and trembles. So it is wrong as
often as the model is: in 14 % of the segments of a neutral face, and in 28 % of those of an episode. A mouth that talks
looks like anything for a third of the time, for 0.2 to 0.5 seconds; this decides much, and is nobody's measurement.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from readings import POOL, views

from cuelens import events

RATE: Final = 15
EPISODE_S: Final = 2.0
SLOT_S: Final = 50.0
STRETCH_S: Final = (3.0, 8.0)
REST: Final = (0.661, 0.226, 0.113)
"""Shares of stretches. With the neutral one around every episode, of which they make up, it is 70, 20 and 10 %."""
TREMBLE: Final = 0.3
"""Standard deviation of what is added to the logarithms of probabilities, anew in every reading."""


@dataclass(frozen=True)
class Pool:
    """What the bundle says of real faces. truth: (n,), the label's place. scores: (n, labels)."""

    labels: list[str]
    truth: NDArray[np.int64]
    scores: NDArray[np.float64]


@lru_cache
def pool(part: str, file: Path = POOL) -> Pool:
    """Return the readings that streams are made of: the first view of held-out faces, or all of the inner split's."""
    truth, scores, labels = views(part, file)
    if part == "held_out":
        scores = scores[:1]
    return Pool(labels, np.tile(truth, len(scores)), scores.reshape(-1, len(labels)))


class Stream:
    """Makes the events of one stream."""

    _rest = REST

    def __init__(self, seed: int, part: str = "held_out", file: Path = POOL) -> None:
        self._random = np.random.default_rng(seed)
        self._pool = pool(part, file)
        self._neutral = self._pool.labels.index("neutral")
        self._others = np.flatnonzero(self._pool.truth != self._neutral)
        self._track = 0
        self._there = False
        self._t = 0.0
        self.events: list[events.AnyEvent] = []

    def make(self, minutes: float) -> list[events.AnyEvent]:
        """Return the events of so many minutes."""
        for slot in range(round(minutes * 60 / SLOT_S)):
            begin = slot * SLOT_S + float(self._random.uniform(0.0, SLOT_S - EPISODE_S - 10.0))
            neutral_s = float(self._random.uniform(*STRETCH_S))
            before_s = float(self._random.uniform(0.0, neutral_s))
            self._pass_time(begin - before_s)
            self._show("neutral", begin)
            truth = int(self._pool.truth[self._random.choice(self._others)])
            self._show(self._pool.labels[truth], begin + EPISODE_S)
            self._show("neutral", begin + EPISODE_S + neutral_s - before_s)
            self._pass_time((slot + 1) * SLOT_S)
        return self.events

    def _pass_time(self, until: float) -> None:
        """Let a neutral face, nobody or a talker be there for some seconds each."""
        while self._t < until:
            what = self._random.choice(["neutral", "nobody", "talking"], p=self._rest)
            end = min(self._t + float(self._random.uniform(*STRETCH_S)), until)
            if what == "nobody":
                self._leave()
                self._t = end
            else:
                self._show("neutral", end, talking=what == "talking")

    def _leave(self) -> None:
        if self._there:
            self.events.append(events.FaceLost(t=round(self._t, 4), track=self._track))
        self._there = False

    def _show(self, expression: str, until: float, *, talking: bool = False) -> None:
        if not self._there:
            self._arrive()
        self._there = True
        self.events.append(events.Shown(t=round(self._t, 4), track=self._track, expression=expression))
        segment_t, logs = -1.0, np.empty(0)
        while self._t < until:
            if self._t >= segment_t:
                logs, seconds = self._segment(expression, talking=talking)
                segment_t = self._t + seconds
            read = np.exp(self._read(logs))
            scores = dict(zip(self._pool.labels, self._rounded(read / read.sum()), strict=True))
            self.events.append(events.Reading(t=round(self._t, 4), track=self._track, scores=scores))
            self._t += 1 / RATE

    def _arrive(self) -> None:
        """Let a face come into view."""
        self._track += 1
        self.events.append(events.FaceSeen(t=round(self._t, 4), track=self._track, box=(270, 190, 100, 100)))

    def _read(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one reading of what is said for a segment, both as logarithms."""
        return logs + self._random.normal(0, TREMBLE, len(logs))

    @staticmethod
    def _rounded(scores: NDArray[np.float64]) -> list[float]:
        return scores.round(4).tolist()

    def _segment(self, expression: str, *, talking: bool) -> tuple[NDArray[np.float64], float]:
        """Return the logarithms of what is said of one face that shows an expression, and for how long it is."""
        faces = np.flatnonzero(self._pool.truth == self._pool.labels.index(expression))
        seconds = float(self._random.uniform(0.5, 1.5))
        if talking:
            seconds = float(self._random.uniform(0.2, 0.5))
            if self._random.random() < 1 / 3:
                faces = self._others
        return np.log(np.maximum(self._pool.scores[self._random.choice(faces)], 1e-4)), seconds
