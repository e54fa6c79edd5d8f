"""The cue policy over time: it settles the expression of each face, steps the mode and applies the limits.

It needs no pictures: the pipeline feeds it the model's probabilities, and `cuelens replay` recorded ones.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from cuelens.cues import limits
from cuelens.cues.fading import FadingRule, faded, remember
from cuelens.cues.limits import LimitRule, RecentCues
from cuelens.cues.modes.mode import Mode, Moment, PlayRule
from cuelens.cues.settling import Belief, SettleRule, answer, is_confirmed, is_doubted, is_in_flux, settle
from cuelens.types import Cue, Face, Wish
from cuelens_models.bundle.expressions import UNSURE

_DOUBTED_S: Final = 0.25
"""Read a box that is probably no face only once in this time: a reading costs as much as that of a face."""
_CALM_S: Final = 0.18
"""Read a face of which nothing is about to be told only once in this time: in every third beat. Evidence counts
seconds, and the reading that brings some counts for the time since the one before, so nothing is told later.
"""
_UNREAD_S: Final = 3.0
"""Drop the belief about a face in view of which nothing was read for so long, as of one that has become too small."""
_CLEARLY: Final = 1.2
"""Hysteresis: switch to another face only if the current one is 1.2 times farther away."""
_MIDDLE: Final = 0.05
"""Added to every distance from the middle of the frame, in widths: it damps switches between two faces there."""


class Verdict(msgspec.Struct, frozen=True):
    """The outcome of one beat.

    Attributes:
        words: the word for each face in view, by track.
        changed: tracks whose expression changed in this beat.
        cue: the cue to give now; None in most beats.
        dropped: the word of a question that holds no more, "" in most beats. Its light ends before the cue is given.
    """

    words: Mapping[int, str]
    changed: frozenset[int]
    cue: Cue | None
    dropped: str = ""


class _Gate(msgspec.Struct, frozen=True):
    """The limits, the mode's outputs and the certainty of the expression, for one beat."""

    recent: RecentCues
    t: float
    rule: LimitRule
    mode: Mode
    alone: bool
    muted: bool
    sure: bool
    view: frozenset[int]

    def outputs(self, wish: Wish) -> tuple[str, ...]:
        """Return the outputs that may give a cue now: none about a face that is out of view.

        A voice interrupts more than a light. It tells an expression only if that is sure.
        """
        if wish.track is not None and wish.track not in self.view:
            return ()
        allowed = limits.outputs(self.recent, self.t, wish, self.rule, alone=self.alone, muted=self.muted)
        hushed = wish.kind == "expression" and not self.sure
        return tuple(output for output in allowed if output in self.mode.outputs and not (hushed and output == "voice"))

    def may(self, wish: Wish) -> bool:
        """Tell whether any output may give a cue now."""
        return bool(self.outputs(wish))


class CuePolicy:
    """Holds beliefs by track, the state of the mode and the recent cues. Times are seconds and never decrease."""

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
        correct: Callable[[Sequence[float]], Sequence[float]] | None = None,
    ) -> None:
        """Begin with no faces and no recent cues.

        Args:
            settle_rule: smoothing, thresholds and debounce.
            limit_rule: the rate limits.
            mode: what asks for cues.
            play_rule: the numbers of the modes.
            fading_rule: the fading curve.
            remembered_s: keep the belief about a face that is out of view for so many seconds.
            tell_as: returns the word for an expression.
            central: attend to the face nearest to the middle of the frame, not to the largest.
            answered_first: the history of fading from earlier sessions.
            correct: returns the household's corrected probabilities for those of a reading; None changes nothing.
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
        self._correct = correct
        self.recent = RecentCues()
        self._attended: int | None = None
        self._state: Any = mode.begin

    def begin(self) -> None:
        """Begin a session: drop all beliefs and reset the mode. The rate limits go on from the last cue."""
        self.beliefs.clear()
        self._state = self._mode.begin

    def due(
        self,
        t: float,
        seen: Sequence[Face],
        *,
        reduced: bool = False,
        closely: bool = False,
        searched: bool = False,
        fresh: Callable[[Face], bool] = lambda face: True,
    ) -> list[Face]:
        """Return the faces to read in this beat.

        A face is read in every beat until it is confirmed, while an expression is about to settle or to end, when
        somebody asks for it, and when it looks otherwise than it was read; else a few times a second.

        Args:
            t: time of the frame, in seconds.
            seen: the faces in view.
            reduced: only the attended face, or the largest if that is out of view.
            closely: somebody asks: the wearer pressed the button, or a calibration takes samples.
            searched: this beat has paid for a search, so a face that was read before waits for the next one.
            fresh: tells whether the last reading of a face is still one of what it looks like.
        """
        if reduced:
            current = next((face for face in seen if face.track == self._attended), None)
            attended = current or max(seen, key=lambda face: face.box[2], default=None)
            seen = [attended] if attended else []
        if searched and not closely:
            seen = [face for face in seen if face.track not in self.beliefs]
        return [face for face in seen if self._is_due(face, t, fresh, closely=closely)]

    def step(
        self,
        t: float,
        seen: Sequence[Face],
        readings: Mapping[int, Sequence[float]],
        *,
        width: int | None = None,
        press: bool = False,
        muted: bool = False,
    ) -> Verdict:
        """Update the beliefs with the readings of one beat, and decide on a cue.

        Args:
            t: time of the frame, in seconds. It never goes back.
            seen: the faces in view.
            readings: probabilities by track, in the order of `labels`. A face that was not read is left out.
            width: width of the frame, in pixels; None if unknown.
            press: the wearer pressed the button.
            muted: no unasked cue, and no voice.
        """
        self._forget(t, seen)
        changed = frozenset(track for track, scores in readings.items() if self._settle(track, scores, t))
        cue, dropped = self._decide(t, seen, width, press=press, muted=muted)
        return Verdict({face.track: self._word(face.track) for face in seen}, changed, cue, dropped)

    def _forget(self, t: float, seen: Sequence[Face]) -> None:
        """Drop old beliefs. The tracker keeps the number of a face that is out of view for less than `remembered_s`."""
        in_view = {face.track for face in seen}
        for track, belief in list(self.beliefs.items()):
            kept_s = max(self._remembered_s, _UNREAD_S) if track in in_view else self._remembered_s
            if t - belief.t > kept_s:
                del self.beliefs[track]

    def _counts(self, face: Face) -> bool:
        belief = self.beliefs.get(face.track)
        return belief is not None and is_confirmed(belief)

    def _is_due(self, face: Face, t: float, fresh: Callable[[Face], bool], *, closely: bool) -> bool:
        belief = self.beliefs.get(face.track)
        if belief is None:
            return True
        if is_doubted(belief):
            return t - belief.t >= _DOUBTED_S
        calm = is_confirmed(belief) and not closely and not is_in_flux(belief, self._settle_rule)
        return not calm or t - belief.t >= _CALM_S or not fresh(face)

    def _settle(self, track: int, scores: Sequence[float], t: float) -> bool:
        """Update the belief about one face. Returns whether its expression changed."""
        before = self.beliefs.get(track)
        if self._correct:
            scores = self._correct(scores)
        belief = self.beliefs[track] = settle(before, scores, t, self._settle_rule)
        return before is None or belief.expression != before.expression

    def _word(self, track: int) -> str:
        """Return the word for the settled expression of a face."""
        belief = self.beliefs.get(track)
        return self._tell_as(belief.expression) if belief else UNSURE

    def _decide(
        self, t: float, seen: Sequence[Face], width: int | None, *, press: bool, muted: bool
    ) -> tuple[Cue | None, str]:
        """Step the mode. Return the cue that the limits allow, and the word of a question that was dropped."""
        faces = [face for face in seen if self._counts(face)]
        track = self._attended = self._choose(faces, width)
        belief = None if track is None else self.beliefs[track]
        gate = _Gate(
            recent=self.recent,
            t=t,
            rule=self._limit_rule,
            mode=self._mode,
            alone=len(faces) == 1,
            muted=muted,
            sure=belief is not None and belief.sure,
            view=frozenset(face.track for face in faces),
        )
        moment = Moment(
            t=t,
            track=track,
            expression=self._tellable(belief.expression if belief else UNSURE),
            answer=self._tellable(answer(belief, self._settle_rule) if belief else UNSURE),
            since_t=belief.since_t if belief else t,
            press=press,
            may=gate.may,
            faded=self._faded,
            remembered=frozenset(self.beliefs),
        )
        step = self._mode.step(self._state, moment, self._play_rule)
        self._state = step.state
        if step.answered_first is not None:
            self.answered_first = remember(self.answered_first, step.answered_first, self._fading_rule)
            self._faded = faded(self.answered_first, self._fading_rule)
        outputs = gate.outputs(step.wish) if step.wish else ()
        if step.wish is None or not outputs:
            return None, step.dropped
        self.recent = limits.after(self.recent, t, step.wish, outputs, self._limit_rule)
        return Cue(t, step.wish.kind, step.wish.track, step.wish.word, outputs), step.dropped

    def _choose(self, faces: Sequence[Face], width: int | None) -> int | None:
        """Return the attended face: the largest box, or the one nearest to the middle.

        Hysteresis keeps it from alternating between two people side by side.
        """
        if not faces:
            return None

        def distance(face: Face) -> float:
            if self._central and width is not None:
                return abs(face.box[0] + face.box[2] / 2 - width / 2) + _MIDDLE * width
            return 1 / face.box[2]

        best = min(faces, key=lambda face: (distance(face), face.track))
        last = next((face for face in faces if face.track == self._attended), best)
        return last.track if distance(last) <= _CLEARLY * distance(best) else best.track

    def _tellable(self, expression: str) -> str:
        """Return the word for an expression; "face" for one that has no output."""
        word = self._tell_as(expression)
        return word if word == UNSURE or self._limit_rule.outputs.get(word) else "face"
