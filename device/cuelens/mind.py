"""What is believed of each face, and what is told of it: settling and deciding over time, without pictures.

Beats feed it what the model says; `cuelens replay` feeds it what the model once said.
"""

from collections.abc import Sequence
from typing import Final

from cuelens.decide import Memory, PolicyRule, decide
from cuelens.settle import Belief, SettleRule, is_doubted, is_told_of, settle
from cuelens.types import Cue, Face

_DOUBTED_S: Final = 0.25
"""How often a box is read that is more likely no face, which costs as much as to read a face."""


class Mind:
    """Beliefs by track number, and the memory of the policy. Times in seconds, and never less than before."""

    def __init__(self, settle_rule: SettleRule, policy_rule: PolicyRule, remembered_s: float) -> None:
        """remembered_s: how long what is believed of a face outlives its being seen."""
        self.labels = settle_rule.labels
        self.beliefs: dict[int, Belief] = {}
        self._settle_rule = settle_rule
        self._policy_rule = policy_rule
        self._remembered_s = remembered_s
        self._memory = Memory()

    def forget(self, t: float) -> None:
        """Forget faces that went. One that comes back in time keeps its number, and what was believed of it."""
        for track in [track for track, belief in self.beliefs.items() if t - belief.t > self._remembered_s]:
            del self.beliefs[track]

    def is_due(self, track: int, t: float) -> bool:
        """Whether a face should be read now: always, but for what is probably none."""
        belief = self.beliefs.get(track)
        return belief is None or not is_doubted(belief) or t - belief.t >= _DOUBTED_S

    def hear(self, track: int, scores: Sequence[float], t: float) -> bool:
        """Take in a reading, in the order of the labels. Returns whether the face's expression is another one now."""
        before = self.beliefs.get(track)
        belief = self.beliefs[track] = settle(before, scores, t, self._settle_rule)
        return before is None or belief.expression != before.expression

    def decide(self, t: float, seen: Sequence[Face]) -> Cue | None:
        """Return the cue that is worth giving now, if there is one. seen: the faces in view."""
        believed = [(face, self.beliefs.get(face.track)) for face in seen]
        faces = tuple(face for face, belief in believed if belief and is_told_of(belief))
        self._memory, cue = decide(self._memory, t, faces, self.beliefs, self._policy_rule)
        return cue
