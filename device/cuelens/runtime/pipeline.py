"""A beat: one frame taken to a decision. Looking, reading, settling and deciding in order, and the events of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cuelens import events
from cuelens.camera.frame_clock import Clock
from cuelens.cues.policy import CuePolicy
from cuelens.cues.settling import Belief
from cuelens.frame import Frame
from cuelens.types import Cue, Face
from cuelens.vision.classifier import Reader
from cuelens.vision.face_finder import FaceFinder
from cuelens.vision.picture_state import PictureState
from cuelens.vision.stage_times import StageTimes


@dataclass(frozen=True, slots=True)
class Decision:
    """What a beat came to: what was seen and is believed, the cue if there is one, and the state of the picture.

    words: what may be said of each face. mean: the picture's grey level, 0 to 255, as last sampled; None before that.
    """

    t: float
    faces: tuple[Face, ...]
    beliefs: dict[int, Belief]
    words: dict[int, str]
    cue: Cue | None
    state: str
    mean: float | None = None


class Pipeline:
    """Runs beats one after another and tells their events to `emit`. clock: the time of the run, told by its frames."""

    def __init__(
        self,
        finder: FaceFinder,
        reader: Reader,
        policy: CuePolicy,
        watch: StageTimes,
        emit: Callable[[events.Event], None],
    ) -> None:
        self._finder = finder
        self._reader = reader
        self._policy = policy
        self._watch = watch
        self._emit = emit
        self._light_level = PictureState()
        self.clock = Clock()

    def begin(self) -> None:
        """Begin a session: what was believed of faces belongs to the last one."""
        self._policy.begin()

    @property
    def answered_first(self) -> tuple[bool, ...]:
        """Of the last questions, whether the wearer answered first."""
        return self._policy.answered_first

    def process(self, frame: Frame, *, reduced: bool = False, asked: bool = False, muted: bool = False) -> Decision:
        """Take one frame to a decision. The cue is returned, not given: outputs are the caller's.

        light: do without what can wait, the search for newcomers and the reading of all faces but the one spoken of.
        asked: the wearer has pressed the button. muted: nothing is told unasked.
        """
        self._watch.begin()
        t = self.clock.see(frame)
        sight = self._finder.find(frame, reduced=reduced)
        for face in sight.appeared:
            self._emit(events.FaceSeen(t=t, track=face.track, box=face.box))
        for track in sight.lost:
            self._emit(events.FaceLost(t=t, track=track))
        self._policy.forget(t)
        attended = self._policy.attended(sight.seen)
        for face in sight.seen:
            if self._policy.is_due(face.track, t) and (face is attended or not reduced):
                self._read(frame, face, t, anew=face in sight.appeared)
        cue = self._policy.decide(t, sight.seen, width=frame.grey.shape[1], asked=asked, muted=muted)
        if cue:
            latency_ms = (time.monotonic_ns() - frame.exposed_ns) / 1e6
            self._emit(
                events.CueGiven(
                    t=t,
                    kind=cue.kind,
                    track=cue.track,
                    word=cue.word,
                    outputs=cue.outputs,
                    latency_ms=round(latency_ms, 2),
                )
            )
        state = self._light_level.judge(frame)
        words = {face.track: self._policy.word(face.track) for face in sight.seen}
        decision = Decision(t, sight.seen, self._policy.beliefs, words, cue, state, self._light_level.mean)
        self._watch.end()
        return decision

    def _read(self, frame: Frame, face: Face, t: float, *, anew: bool) -> None:
        scores = self._reader.read(frame, face.box)
        told = {label: round(score, 4) for label, score in zip(self._policy.labels, scores, strict=True)}
        self._emit(events.Reading(t=t, track=face.track, scores=told))
        if self._policy.hear(face.track, scores, t) or anew:
            belief = self._policy.beliefs[face.track]
            self._emit(
                events.Expression(
                    t=t,
                    track=face.track,
                    expression=self._policy.word(face.track),
                    confidence=round(belief.confidence, 4),
                )
            )
