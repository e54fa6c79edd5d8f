"""A beat: one frame taken to a decision. Looking, reading, settling and deciding in order, and the events of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cuelens import events
from cuelens.camera.frame_clock import Clock
from cuelens.cues.policy import CuePolicy, Verdict
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
    words: Mapping[int, str]
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

        Args:
            frame: the frame, upright.
            reduced: leave out what can wait: the search for newcomers, and all faces but the one spoken of.
            asked: the wearer pressed the button.
            muted: nothing is told unasked.
        """
        self._watch.begin()
        t = self.clock.see(frame)
        sight = self._finder.find(frame, reduced=reduced)
        for face in sight.appeared:
            self._emit(events.FaceSeen(t=t, track=face.track, box=face.box))
        for track in sight.lost:
            self._emit(events.FaceLost(t=t, track=track))
        due = self._policy.due(t, sight.seen, reduced=reduced)
        readings = {face.track: self._reader.read(frame, face.box) for face in due}
        verdict = self._policy.step(t, sight.seen, readings, width=frame.grey.shape[1], asked=asked, muted=muted)
        for face in due:
            self._tell_reading(face, readings[face.track], t, verdict, anew=face in sight.appeared)
        if cue := verdict.cue:
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
        decision = Decision(t, sight.seen, self._policy.beliefs, verdict.words, cue, state, self._light_level.mean)
        self._watch.end()
        return decision

    def _tell_reading(self, face: Face, scores: Sequence[float], t: float, verdict: Verdict, *, anew: bool) -> None:
        rounded = {label: round(score, 4) for label, score in zip(self._policy.labels, scores, strict=True)}
        self._emit(events.Reading(t=t, track=face.track, scores=rounded))
        if face.track in verdict.changed or anew:
            confidence = round(self._policy.beliefs[face.track].confidence, 4)
            word = verdict.words[face.track]
            self._emit(events.Expression(t=t, track=face.track, expression=word, confidence=confidence))
