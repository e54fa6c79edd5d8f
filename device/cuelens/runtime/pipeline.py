"""A beat, from one frame to a decision: detect, read, settle, decide, and emit the events."""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from cuelens import events
from cuelens.camera.frame_clock import Clock
from cuelens.cues.policy import CuePolicy, Verdict
from cuelens.cues.settling import Belief
from cuelens.frame import Frame
from cuelens.types import Cue, Face
from cuelens.vision.classifier import Reader
from cuelens.vision.face_finder import FaceFinder
from cuelens.vision.freshness import Freshness
from cuelens.vision.picture_state import PictureState
from cuelens.vision.stage_times import StageTimes
from cuelens_models.errors import EmptyCrop, NoAnswer


class Decision(msgspec.Struct, frozen=True):
    """The outcome of a beat.

    Attributes:
        t: frame time, in seconds.
        faces: the faces in view.
        beliefs: the belief about each face, by track.
        words: the word for each face, by track.
        cue: the cue to give, if there is one.
        state: state of the picture: running, too dark or covered.
        mean: the picture's mean grey level, 0 to 255, as last sampled; None before that.
        dropped: the word of a question that holds no more, so that its light ends; "" in most beats.
    """

    t: float
    faces: tuple[Face, ...]
    beliefs: dict[int, Belief]
    words: Mapping[int, str]
    cue: Cue | None
    state: str
    mean: float | None = None
    dropped: str = ""


class Pipeline:
    """Runs beats and passes their events to `emit`. clock: frame time of the run."""

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
        self._freshness = Freshness()
        self._failed = False
        self._mirrored = True
        self._waited = False
        self._unasked_t = -math.inf
        self.clock = Clock()

    def begin(self) -> None:
        """Begin a session: drop all beliefs."""
        self._policy.begin()

    def change(self, policy: CuePolicy, gap_s: float, tilt: float = 0.0) -> None:
        """Use another policy from the next beat on. It knows no face yet; the limits go on from the last cue.

        Args:
            policy: settles, decides and limits from now on.
            gap_s: no unasked cue comes for so long, in seconds: whoever is in view was greeted before.
            tilt: by how much a level room leans, in degrees.
        """
        policy.recent = self._policy.recent
        self._policy = policy
        self._finder.level(tilt)
        self._unasked_t = self.clock.t + gap_s

    @property
    def answered_first(self) -> tuple[bool, ...]:
        """The history of fading: for each of the last questions, whether the wearer answered first."""
        return self._policy.answered_first

    def process(
        self, frame: Frame, *, reduced: bool = False, press: bool = False, muted: bool = False, closely: bool = False
    ) -> Decision:
        """Process one frame. The cue is returned, not given: the caller owns the outputs.

        Args:
            frame: the frame, upright.
            reduced: do reduced work: no search for newcomers, and only the attended face is read.
            press: the wearer pressed the button.
            muted: no unasked cue, and no voice.
            closely: read each face, although it is calm and looks as before.
        """
        self._watch.begin()
        t = self.clock.see(frame)
        sight = self._finder.follow(frame)
        for face in sight.appeared:
            self._emit(events.FaceSeen(t=t, track=face.track, box=face.box))
        for track in sight.lost:
            self._emit(events.FaceLost(t=t, track=track))
        # Where a face is searched for in every beat, readings wait in every other one. Who comes, or comes back, is
        # read at once, unless two were searched for. Reduced beats, which may be every other one, are not counted.
        dear, asked = sight.searched > 1, press or closely
        waits = bool(sight.searched) and not (reduced or self._waited) and (dear or not sight.appeared)
        if not reduced:
            self._waited = waits
        seen = () if dear and waits and not asked else sight.seen
        due = self._policy.due(
            t, seen, reduced=reduced, closely=asked, searched=waits,
            fresh=lambda face: self._freshness.holds(frame, face),
        )  # fmt: skip
        readings = self._read(frame, due, t)
        self._finder.seek(frame, spent=bool(due), reduced=reduced)
        verdict = self._policy.step(
            t, sight.seen, readings, width=frame.grey.shape[1], press=press, muted=muted or t < self._unasked_t
        )
        for face in (face for face in due if face.track in readings):
            self._emit_reading(face, readings[face.track], t, verdict, anew=face in sight.appeared)
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
        mean, dropped = self._light_level.mean, verdict.dropped
        decision = Decision(t, sight.seen, self._policy.beliefs, verdict.words, cue, state, mean, dropped)
        self._watch.end()
        return decision

    def _read(self, frame: Frame, faces: Sequence[Face], t: float) -> dict[int, tuple[float, ...]]:
        """Return the readings by track. A face on which the model fails has none in this beat; the first is a fault.

        Nor has one that walked away until it is too small, or out of the frame, before the finder lost it.
        """
        readings = {}
        if faces:
            # Not in beats without readings: a doubted box is read in every fourth beat.
            self._mirrored = not self._mirrored
        for face in faces:
            try:
                readings[face.track] = self._reader.read(frame, face, mirrored=self._mirrored)
                self._freshness.note(frame, face)
            except EmptyCrop:
                continue
            except NoAnswer as error:
                if not self._failed:
                    self._failed = True
                    detail = f"{error}; such a face is not read. Convert the network again: newer versions refuse it"
                    self._emit(events.Fault(t=t, fault="no reading", detail=detail))
        return readings

    def _emit_reading(self, face: Face, scores: Sequence[float], t: float, verdict: Verdict, *, anew: bool) -> None:
        # Four digits: settling looks at the logarithms of small probabilities.
        rounded = {label: float(f"{score:.4g}") for label, score in zip(self._policy.labels, scores, strict=True)}
        self._emit(events.Reading(t=t, track=face.track, scores=rounded))
        if face.track in verdict.changed or anew:
            confidence = round(self._policy.beliefs[face.track].confidence, 4)
            word = verdict.words[face.track]
            self._emit(events.Expression(t=t, track=face.track, expression=word, confidence=confidence))
