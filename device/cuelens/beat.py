"""A beat: one frame taken to a decision. Looking, reading, settling and deciding in order, and the events of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cuelens import events
from cuelens.decide import Memory, PolicyRule, decide
from cuelens.light_level import LightLevel
from cuelens.look import Looking
from cuelens.read import Reader
from cuelens.settle import Belief, SettleRule, is_doubted, is_told_of, settle
from cuelens.stopwatch import Stopwatch
from cuelens.types import Cue, Face, Frame

_DOUBTED_S: Final = 0.25
"""How often a box is read that is more likely no face, which costs as much as to read a face."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a beat came to: what was seen and is believed, the cue if there is one, and the state of the picture."""

    t: float
    faces: tuple[Face, ...]
    beliefs: dict[int, Belief]
    cue: Cue | None
    state: str


class Beats:
    """Runs beats one after another and tells their events to `emit`. Times count from the first frame."""

    def __init__(
        self,
        looking: Looking,
        reader: Reader,
        settle_rule: SettleRule,
        policy_rule: PolicyRule,
        watch: Stopwatch,
        emit: Callable[[events.Event], None],
        remembered_s: float = 2.0,
    ) -> None:
        """remembered_s: how long what is believed of a face outlives its being seen."""
        self._looking = looking
        self._reader = reader
        self._settle_rule = settle_rule
        self._policy_rule = policy_rule
        self._watch = watch
        self._emit = emit
        self._remembered_s = remembered_s
        self._light_level = LightLevel()
        self._first_t: float | None = None
        self._beliefs: dict[int, Belief] = {}
        self._memory = Memory()

    def turn(self, frame: Frame, *, light: bool = False) -> Decision:
        """Take one frame to a decision. The cue is returned, not given: outputs are the caller's.

        light: do without what can wait, the search for newcomers and the reading of all faces but the nearest.
        """
        self._watch.begin()
        if self._first_t is None:
            self._first_t = frame.t
        t = round(frame.t - self._first_t, 4)
        sight = self._looking.look(frame, light=light)
        for face in sight.appeared:
            self._emit(events.FaceSeen(t=t, track=face.track, box=face.box))
        for track in sight.lost:
            self._emit(events.FaceLost(t=t, track=track))
        # A face that comes back in time keeps its number, and what was believed of it.
        for track in [track for track, belief in self._beliefs.items() if t - belief.t > self._remembered_s]:
            del self._beliefs[track]
        nearest = max(sight.seen, key=lambda face: face.box[2], default=None)
        for face in sight.seen:
            if self._is_due(face, t) and (face is nearest or not light):
                self._read(frame, face, t, anew=face in sight.appeared)
        faces = tuple(face for face in sight.seen if self._is_believed(face))
        self._memory, cue = decide(self._memory, t, faces, self._beliefs, self._policy_rule)
        if cue:
            latency_ms = (time.monotonic_ns() - frame.exposed_ns) / 1e6
            self._emit(
                events.CueGiven(
                    t=t,
                    kind=cue.kind,
                    track=cue.track,
                    expression=cue.expression,
                    outputs=cue.outputs,
                    latency_ms=round(latency_ms, 2),
                )
            )
        decision = Decision(t, sight.seen, self._beliefs, cue, self._light_level.judge(frame))
        self._watch.end()
        return decision

    def _is_believed(self, face: Face) -> bool:
        """Whether a face may be told of."""
        belief = self._beliefs.get(face.track)
        return belief is not None and is_told_of(belief, self._settle_rule)

    def _is_due(self, face: Face, t: float) -> bool:
        """Whether a face should be read in this beat: always, but for what is probably none."""
        belief = self._beliefs.get(face.track)
        return belief is None or not is_doubted(belief, self._settle_rule) or t - belief.t >= _DOUBTED_S

    def _read(self, frame: Frame, face: Face, t: float, *, anew: bool) -> None:
        scores = self._reader.read(frame, face.box)
        labels = self._settle_rule.labels
        self._emit(
            events.Reading(t=t, track=face.track, scores=dict(zip(labels, (round(s, 4) for s in scores), strict=True)))
        )
        before = self._beliefs.get(face.track)
        belief = settle(before, scores, t, self._settle_rule)
        self._beliefs[face.track] = belief
        if anew or before is None or belief.expression != before.expression:
            self._emit(
                events.Expression(
                    t=t, track=face.track, expression=belief.expression, confidence=round(belief.confidence, 4)
                )
            )
