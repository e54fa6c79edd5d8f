"""What is believed of each face, and what is told of it: settling, a mode and the limits over time, without pictures.

The pipeline feeds it what the model says; `cuelens replay` feeds it what the model once said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cuelens.cues import limits
from cuelens.cues.fading import FadingRule, faded, remembered
from cuelens.cues.limits import LimitRule, RecentCues
from cuelens.cues.modes.mode import Mode, Moment, PlayRule
from cuelens.cues.settling import Belief, SettleRule, is_doubted, is_told_of, settle
from cuelens.types import Cue, Face, Wish
from cuelens_models.bundle.expressions import UNSURE

_DOUBTED_S: Final = 0.25
"""How often a box is read that is more likely no face, which costs as much as to read a face."""
_CLEARLY: Final = 1.2
"""Switch to another face only if the current one is so many times farther away; no flicker between two people."""
_MIDDLE: Final = 0.05
"""Half the middle of a frame, in widths: within it, nobody is more central than another."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a beat came to.

    Attributes:
        words: what may be said of each face in view, by track.
        changed: tracks whose expression is another one than before.
        cue: the cue worth giving now; None in most beats.
    """

    words: Mapping[int, str]
    changed: frozenset[int]
    cue: Cue | None


@dataclass(frozen=True, slots=True)
class _Gate:
    """The limits, the outputs of the mode and the certainty of the face, as they are in one beat."""

    recent: RecentCues
    t: float
    rule: LimitRule
    mode: Mode
    alone: bool
    muted: bool
    sure: bool

    def outputs(self, wish: Wish) -> tuple[str, ...]:
        """Return what may tell a wish now. Unasked, a voice tells only what is sure: it interrupts more."""
        allowed = limits.outputs(self.recent, self.t, wish, self.rule, alone=self.alone, muted=self.muted)
        hushed = wish.kind == "expression" and not self.sure
        return tuple(output for output in allowed if output in self.mode.outputs and not (hushed and output == "voice"))

    def may(self, wish: Wish) -> bool:
        """Tell whether anything may tell a wish now."""
        return bool(self.outputs(wish))


class CuePolicy:
    """Beliefs by track number, the state of the mode, and what was told. Times are seconds and never go back."""

    def __init__(
        self,
        settle_rule: SettleRule,
        limit_rule: LimitRule,
        mode: Mode,
        play_rule: PlayRule,
        fading_rule: FadingRule,
        *,
        remembered_s: float,
        tell_as: Callable[[str], str] = str,
        central: bool = False,
        answered_first: tuple[bool, ...] = (),
    ) -> None:
        """remembered_s: how long what is believed of a face outlives its being seen.

        tell_as: from an expression to the word that may be told of it. central: speak of the face in the middle, not of
        the nearest. answered_first: what fading remembers of earlier sessions.
        """
        self.labels = settle_rule.labels
        self.beliefs: dict[int, Belief] = {}
        self.answered_first = answered_first
        self._settle_rule = settle_rule
        self._limit_rule = limit_rule
        self._mode = mode
        self._play_rule = play_rule
        self._fading_rule = fading_rule
        self._faded = faded(answered_first, fading_rule)
        self._remembered_s = remembered_s
        self._tell_as = tell_as
        self._central = central
        self._recent = RecentCues()
        self._spoken_of: int | None = None
        self._state: Any = mode.begin

    def begin(self) -> None:
        """Begin a session anew: nothing is believed yet, and the mode is where it starts. What was told stays told."""
        self.beliefs.clear()
        self._state = self._mode.begin

    def due(self, t: float, seen: Sequence[Face], *, reduced: bool = False) -> list[Face]:
        """Return the faces to read in this beat: all but what is probably no face and was read a moment ago.

        reduced: only the face that was spoken of last, or the nearest one if that is not in view.
        """
        if reduced:
            same = next((face for face in seen if face.track == self._spoken_of), None)
            attended = same or max(seen, key=lambda face: face.box[2], default=None)
            seen = [attended] if attended else []
        return [face for face in seen if self._is_due(face.track, t)]

    def step(
        self,
        t: float,
        seen: Sequence[Face],
        readings: Mapping[int, Sequence[float]],
        *,
        width: int | None = None,
        asked: bool = False,
        muted: bool = False,
    ) -> Verdict:
        """Take in the readings of a beat, and decide which cue is worth giving now, if any.

        Args:
            t: time of the frame, in seconds. It never goes back.
            seen: the faces in view.
            readings: probabilities by track, in the order of `labels`, of the faces that were read.
            width: of the frame, in pixels; None if it is not known.
            asked: the wearer pressed the button.
            muted: nothing is told unasked, and nothing is spoken.
        """
        self._forget(t)
        changed = frozenset(track for track, scores in readings.items() if self._settle(track, scores, t))
        cue = self._decide(t, seen, width, asked=asked, muted=muted)
        return Verdict({face.track: self._word(face.track) for face in seen}, changed, cue)

    def _forget(self, t: float) -> None:
        """Forget faces that went. One that comes back in time keeps its number, and what was believed of it."""
        for track in [track for track, belief in self.beliefs.items() if t - belief.t > self._remembered_s]:
            del self.beliefs[track]

    def _is_due(self, track: int, t: float) -> bool:
        belief = self.beliefs.get(track)
        return belief is None or not is_doubted(belief) or t - belief.t >= _DOUBTED_S

    def _settle(self, track: int, scores: Sequence[float], t: float) -> bool:
        """Take in one reading. Returns whether the expression of the face changed."""
        before = self.beliefs.get(track)
        belief = self.beliefs[track] = settle(before, scores, t, self._settle_rule)
        return before is None or belief.expression != before.expression

    def _word(self, track: int) -> str:
        """Return what may be said of a face: the expression that was settled on, or what stands for it."""
        belief = self.beliefs.get(track)
        return self._tell_as(belief.expression) if belief else UNSURE

    def _decide(self, t: float, seen: Sequence[Face], width: int | None, *, asked: bool, muted: bool) -> Cue | None:
        faces = [face for face in seen if (belief := self.beliefs.get(face.track)) and is_told_of(belief)]
        track = self._spoken_of = self._choose(faces, width)
        belief = None if track is None else self.beliefs[track]
        gate = _Gate(
            recent=self._recent,
            t=t,
            rule=self._limit_rule,
            mode=self._mode,
            alone=len(faces) == 1,
            muted=muted,
            sure=belief is not None and belief.sure,
        )
        moment = Moment(
            t=t,
            track=track,
            expression=self._tellable(belief),
            since_t=belief.since_t if belief else t,
            asked=asked,
            may=gate.may,
            faded=self._faded,
        )
        step = self._mode.step(self._state, moment, self._play_rule)
        self._state = step.state
        if step.answered_first is not None:
            self.answered_first = remembered(self.answered_first, step.answered_first, self._fading_rule)
            self._faded = faded(self.answered_first, self._fading_rule)
        outputs = gate.outputs(step.wish) if step.wish else ()
        if step.wish is None or not outputs:
            return None
        self._recent = limits.after(self._recent, t, step.wish, outputs, self._limit_rule)
        return Cue(t, step.wish.kind, step.wish.track, step.wish.word, outputs)

    def _choose(self, faces: Sequence[Face], width: int | None) -> int | None:
        """Return the face that is spoken of: the nearest (the largest box), or the one nearest to the middle.

        It stays the same one until another is clearly nearer, so that two who stand side by side do not take turns.
        """
        if len(faces) < 2:
            return faces[0].track if faces else None

        def remote(face: Face) -> float:
            if self._central and width is not None:
                return abs(face.box[0] + face.box[2] / 2 - width / 2) + _MIDDLE * width
            return 1 / face.box[2]

        best = min(faces, key=lambda face: (remote(face), face.track))
        last = next((face for face in faces if face.track == self._spoken_of), best)
        return last.track if remote(last) <= _CLEARLY * remote(best) else best.track

    def _tellable(self, belief: Belief | None) -> str:
        """Return the word for what is believed; just "face" for an expression that nothing tells."""
        word = self._tell_as(belief.expression) if belief else UNSURE
        return word if word == UNSURE or self._limit_rule.outputs.get(word) else "face"
