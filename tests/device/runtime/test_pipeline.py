"""Beats on faces made of squares, with a detector that finds them and the shipped model."""

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.fakes import MemoryLight
from cuelens.camera.in_order import InOrder
from cuelens.cues.fading import FadingRule
from cuelens.cues.modes import mode
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.policy import CuePolicy
from cuelens.frame import Frame
from cuelens.profile.profile import Play, Policy, Profile, Sound
from cuelens.profile.rules import limit_rule, settle_rule, tell_as
from cuelens.runtime.build import assemble
from cuelens.runtime.event_file import EventFile
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pacing import Strain
from cuelens.runtime.pipeline import Pipeline
from cuelens.runtime.wishes import Wishes
from cuelens.types import Face, LightPattern
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop
from cuelens_models.bundle.scores import probabilities
from cuelens_models.errors import EmptyCrop, NoAnswer


class FixedReader:
    """Says the same of every face: "happy" unless told otherwise, and always 0.9 sure. mirrored: of each reading."""

    labels = (*LABELS, NOT_A_FACE)

    def __init__(self, label: str = "happy") -> None:
        self.label = label
        self.mirrored: list[bool] = []

    def read(self, frame: Frame, face: Face, *, mirrored: bool = False) -> tuple[float, ...]:
        self.mirrored.append(mirrored)
        return tuple(0.9 if label == self.label else 0.1 / (len(self.labels) - 1) for label in self.labels)


def frames(count: int) -> list[Frame]:
    random = np.random.default_rng(1)
    picture = random.integers(30, 40, (480, 640)).astype(np.uint8)
    picture[140:240, 200:300] = np.kron(random.integers(190, 210, (10, 10)), np.ones((10, 10)))
    return [Frame(picture, 100 + n / 15, 0) for n in range(count)]


def beats(detector: Any, told: list[events.Event], reader: FixedReader | None = None) -> tuple[Pipeline, StageTimes]:
    watch = StageTimes()
    return Pipeline(
        FaceFinder(detector, Optics(), LookPace(), watch),
        reader or FixedReader(),
        CuePolicy(
            settle_rule(Profile(), FixedReader.labels, {}),
            limit_rule(Profile(), ["light"]),
            mode("companion"),
            PlayRule(),
            FadingRule(),
            remembered_s=2.0,
        ),
        watch,
        told.append,
    ), watch


def of_bundle(detector: Any, bundle: Bundle, told: Callable[[events.Event], None]) -> Pipeline:
    """Beats with the model of a bundle."""
    return assemble(detector, Interpreter(bundle), StageTimes(), told)


def test_a_reading_is_what_the_model_says_of_the_crop(squares: Any, shipped: Bundle) -> None:
    told: list[events.Event] = []
    pipeline = of_bundle(squares, shipped, told.append)
    given = frames(12)
    for frame in given:
        pipeline.process(frame)
    reading = next(event for event in told if isinstance(event, events.Reading))
    interpreter = Interpreter(shipped)
    (face,) = [event for event in told if isinstance(event, events.FaceSeen)]
    expected = probabilities(interpreter.outputs(crop(given[1].grey, face.box, shipped.contract)), shipped.contract)
    assert list(reading.scores) == shipped.contract.labels
    assert list(reading.scores.values()) == pytest.approx(expected.tolist(), abs=1e-4)
    assert sum(reading.scores.values()) == pytest.approx(1, abs=1e-3)


def test_every_other_reading_is_of_the_mirror_image(squares: Any) -> None:
    reader = FixedReader()
    pipeline, _ = beats(squares, [], reader)
    for n, frame in enumerate(frames(75)):
        squares.blind = 20 <= n < 25
        pipeline.process(frame)
    assert 20 < len(reader.mirrored) < 75
    assert reader.mirrored == [n % 2 == 1 for n in range(len(reader.mirrored))]


def test_a_box_that_is_read_in_every_fourth_beat_is_mirrored_in_every_other_reading(squares: Any) -> None:
    reader = FixedReader(NOT_A_FACE)
    pipeline, _ = beats(squares, [], reader)
    for frame in frames(105):
        pipeline.process(frame)
    assert len(reader.mirrored) < 40
    assert reader.mirrored == [n % 2 == 1 for n in range(len(reader.mirrored))]


def test_a_calm_face_is_read_in_every_beat_while_somebody_asks_for_it(squares: Any) -> None:
    reader = FixedReader("neutral")
    pipeline, _ = beats(squares, [], reader)
    counts = []
    for n, frame in enumerate(frames(90)):
        pipeline.process(frame, closely=n >= 60)
        counts.append(len(reader.mirrored))
    assert counts[59] - counts[29] <= 15
    assert counts[89] - counts[59] == 30


def test_all_faces_of_a_beat_are_mirrored_or_none(squares: Any) -> None:
    reader = FixedReader()
    pipeline, _ = beats(squares, [], reader)
    picture = frames(1)[0].grey.copy()
    picture[150:220, 420:490] = 150
    seen = []
    for n in range(30):
        before = len(reader.mirrored)
        pipeline.process(Frame(picture, n / 15, 0))
        seen.append(reader.mirrored[before:])
    # The search for both puts readings off in some beats.
    read = [beat for beat in seen if beat]
    assert [set(beat) for beat in read] == [{n % 2 == 1} for n in range(len(read))]
    assert [len(beat) for beat in read].count(2) >= 5


def test_times_count_from_the_first_frame_and_events_come_in_order(squares: Any) -> None:
    told: list[events.Event] = []
    pipeline, _ = beats(squares, told)
    given = frames(30)
    for n, frame in enumerate(given):
        if n == 20:
            squares.blind = True
        assert pipeline.process(frame).t == pytest.approx(n / 15, abs=1e-3)
    kinds = [type(event).__name__ for event in told]
    assert kinds[:3] == ["FaceSeen", "Reading", "Expression"]
    # After readings in three of five beats.
    assert kinds.index("CueGiven") == 5
    assert "FaceLost" in kinds
    times = [event.t for event in told]  # type: ignore[attr-defined]
    assert times == sorted(times)


def test_what_is_believed_of_a_face_outlives_a_moment_away(squares: Any) -> None:
    told: list[events.Event] = []
    pipeline, _ = beats(squares, told)
    for n, frame in enumerate(frames(75)):
        squares.blind = 40 <= n < 50
        pipeline.process(frame)
    tracks = {event.track for event in told if isinstance(event, events.Reading)}
    expressions = [event.expression for event in told if isinstance(event, events.Expression)]
    assert tracks == {1}
    assert sum(isinstance(event, events.FaceLost) for event in told) == 1
    # Settled once; told again as it was when the face came back, without a new "unsure".
    assert expressions[0] == "unsure"
    assert expressions.count("unsure") == 1
    assert expressions[-1] == expressions[-2] != "unsure"


def test_what_was_believed_before_a_long_pause_is_forgotten(squares: Any) -> None:
    told: list[events.Event] = []
    pipeline, _ = beats(squares, told)
    given = frames(60)
    for frame in given[:30]:
        pipeline.process(frame)
    for frame in given[30:]:
        pipeline.process(Frame(frame.grey, frame.t + 600, 0))
    later = [event for event in told if getattr(event, "t", 0) > 600]
    assert [type(event).__name__ for event in later[:4]] == ["FaceLost", "FaceSeen", "Reading", "Expression"]
    assert [event.track for event in later if isinstance(event, events.FaceSeen)] == [2]
    assert next(event.expression for event in later if isinstance(event, events.Expression)) == "unsure"


def test_a_model_that_fails_on_a_picture_costs_readings_and_is_told_once(squares: Any) -> None:
    told: list[events.Event] = []

    class Failing(FixedReader):
        failing = False

        def read(self, frame: Frame, face: Face, *, mirrored: bool = False) -> tuple[float, ...]:
            if self.failing:
                raise NoAnswer("a bundle cannot answer a picture (a runtime: division by zero)")
            return super().read(frame, face, mirrored=mirrored)

    reader = Failing()
    pipeline, _ = beats(squares, told, reader)
    for n, frame in enumerate(frames(60)):
        reader.failing = n < 20 or 40 <= n < 45
        pipeline.process(frame)
    faults = [event for event in told if isinstance(event, events.Fault)]
    assert [fault.fault for fault in faults] == ["no reading"]
    assert "division by zero" in faults[0].detail
    # It is read again as soon as it can be, and told of.
    readings = [round(event.t * 15) for event in told if isinstance(event, events.Reading)]
    assert (readings[0], next(n for n in readings if n >= 40)) == (20, 45)
    assert [event.word for event in told if isinstance(event, events.CueGiven)] == ["face", "happy"]


def test_a_face_that_is_too_small_to_read_costs_readings_and_is_no_fault(squares: Any) -> None:
    told: list[events.Event] = []

    class TooFar(FixedReader):
        def read(self, frame: Frame, face: Face, *, mirrored: bool = False) -> tuple[float, ...]:
            if frame.t < 102:
                raise EmptyCrop("a face of 15x15 pixels is too small")
            return super().read(frame, face, mirrored=mirrored)

    pipeline, _ = beats(squares, told, TooFar())
    decisions = [pipeline.process(frame) for frame in frames(60)]
    assert decisions[29].faces
    assert [event for event in told if isinstance(event, events.Fault)] == []
    readings = [event.t for event in told if isinstance(event, events.Reading)]
    assert readings[0] == 2


def test_what_the_network_takes_for_no_face_is_told_in_no_way(squares: Any) -> None:
    told: list[events.Event] = []
    reader = FixedReader(NOT_A_FACE)
    pipeline, _ = beats(squares, told, reader)
    given = frames(90)
    for frame in given[:60]:
        pipeline.process(frame)
    assert not [event for event in told if isinstance(event, events.CueGiven)]
    reader.label = "happy"
    for frame in given[60:]:
        pipeline.process(frame)
    assert [event.kind for event in told if isinstance(event, events.CueGiven)] == ["face", "expression"]


def test_every_beat_is_accounted_for(squares: Any) -> None:
    pipeline, watch = beats(squares, [])
    for frame in frames(20):
        pipeline.process(frame)
    assert len(watch.beats) == 20
    for kind, total, haar, crop_ns, invoke in watch.beats:
        assert kind in ("sweep", "region", "none")
        assert 0 <= haar + crop_ns + invoke <= total


class Script:
    """A source of given frames."""

    name = "script"

    def __init__(self, given: list[Frame]) -> None:
        self._given = iter(given)

    def read(self, timeout_s: float) -> Frame | None:
        return next(self._given, None)

    def close(self) -> None: ...


class Shown(MemoryLight):
    """A light that tells what it did, in order, and lets others wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.changed = threading.Condition()

    def show(self, pattern: LightPattern) -> None:
        self._did(pattern.pattern)

    def off(self) -> None:
        self._did("off")

    def _did(self, what: str) -> None:
        with self.changed:
            self.log.append(what)
            self.changed.notify_all()

    def until(self, what: str) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.log[-1:] == [what], 5)


def test_a_cue_on_the_first_beat_after_a_stall_is_given(squares: Any) -> None:
    light = Shown()

    class Stalling:
        """Frames, a stall that lasts until it is shown, and frames again until their cue is shown."""

        received = 0
        state = "running"

        def __init__(self) -> None:
            later = [Frame(frame.grey, frame.t + 5, 0) for frame in frames(15)]
            self.script: list[Frame | None] = [*frames(15), None, *later]

        def next(self, timeout_s: float) -> Frame | None:
            if not self.script:
                light.until("fade")
                return None
            frame = self.script.pop(0)
            self.state = "running" if frame else "camera stalled"
            if frame is None:
                light.until("fade")
                raise TimeoutError
            if len(self.script) == 14:
                light.until("breath")
            return frame

        def dropped(self) -> int:
            return 0

        def close(self) -> None: ...

    stream = EventStream()
    pipeline, _ = beats(squares, [])
    daemon = Loop(Stalling(), pipeline, Outputs(Profile(), light, None, stream.fault), stream, live=False)
    daemon.run(None, threading.Event())
    # Face found, the orange breath of the stall, and face found again: the breath's end took no cue along.
    assert [what for what in light.log if what != "off"] == ["fade", "breath", "fade"]
    assert light.log[-1] == "fade"


def test_a_daemon_runs_to_the_end_of_its_source_and_closes_everything(
    squares: Any, shipped: Bundle, tmp_path: Path
) -> None:
    light = MemoryLight()
    stream = EventStream()
    told: list[events.Event] = []
    file = EventFile(str(tmp_path / "events.jsonl"), patient=True, stop=threading.Event())
    stream.add(told.append)
    stream.add(file)
    pipeline = of_bundle(squares, shipped, stream.emit)
    daemon = Loop(
        InOrder(Script(frames(100))), pipeline, Outputs(Profile(), light, None, stream.fault), stream, live=False
    )
    outcome = daemon.run(None, threading.Event())
    file.close()
    assert (outcome.frames, outcome.beats, outcome.dropped) == (100, 100, 0)
    assert light.closed
    states = [event for event in told if isinstance(event, events.State)]
    assert [state.camera_fps for state in states] == pytest.approx([15.2, 14.9], abs=0.3)
    assert all(state.frame_age_ms_p95 is None for state in states)
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == len(told)


def test_what_is_probably_no_face_is_read_four_times_a_second(squares: Any) -> None:
    told: list[events.Event] = []
    reader = FixedReader(NOT_A_FACE)
    pipeline, _ = beats(squares, told, reader)
    given = frames(105)
    for frame in given:
        pipeline.process(frame)
    times = [event.t for event in told if isinstance(event, events.Reading)]
    assert len(times) > 15
    assert all(0.25 <= later - earlier < 0.34 for earlier, later in pairwise(times[5:]))


def test_a_light_beat_reads_the_nearest_face_and_looks_for_nobody(squares: Any) -> None:
    told: list[events.Event] = []
    pipeline, _ = beats(squares, told)
    picture = frames(1)[0].grey.copy()
    picture[150:220, 420:490] = 150
    for n in range(60):
        pipeline.process(Frame(picture, n / 15, 0))
    assert {event.track for event in told if isinstance(event, events.Reading)} == {1, 2}
    near = max((event for event in told if isinstance(event, events.FaceSeen)), key=lambda event: event.box[2])
    told.clear()
    squares.pixels.clear()
    for n in range(60, 70):
        decision = pipeline.process(Frame(picture, n / 15, 0), reduced=True)
        assert len(decision.faces) == 2
    assert {event.track for event in told if isinstance(event, events.Reading)} == {near.track}
    # Some regions, each in a beat of its own, and no part of the sweep: that has fewer pixels, or more.
    assert 2 <= len(squares.pixels) <= 20
    assert all(50 * 50 < pixels < 190 * 190 for pixels in squares.pixels)


def test_a_strained_board_is_told_of_and_given_fewer_beats(squares: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Long beats of a busy machine would lower the rate before the board is asked.
    monkeypatch.setattr("cuelens.runtime.pacing._LONG_MS", math.inf)
    stream = EventStream()
    told: list[events.Event] = []
    stream.add(told.append)
    pipeline, _ = beats(squares, [])
    daemon = Loop(
        InOrder(Script(frames(300))),
        pipeline,
        Outputs(Profile(), MemoryLight(), None, stream.fault),
        stream,
        live=True,
        strain=lambda: Strain(temperature_c=76.0),
    )
    outcome = daemon.run(None, threading.Event())
    # Five seconds of fifteen beats, until the board was asked, then seven and a half a second.
    assert outcome.beats <= 5 * 15 + 15 * 7.5 + 6
    (fault,) = [event for event in told if isinstance(event, events.Fault)]
    assert fault.fault == "board strained"
    assert fault.detail == "76 C: now 7.5 beats a second"


def policy(profile: Profile, outputs: Sequence[str] = ("light",)) -> CuePolicy:
    return CuePolicy(
        settle_rule(profile, FixedReader.labels, {}),
        limit_rule(profile, outputs),
        mode(profile.mode),
        PlayRule(),
        FadingRule(),
        remembered_s=2.0,
        tell_as=partial(tell_as, profile),
    )


def test_a_question_goes_dark_when_the_face_shows_something_else(squares: Any) -> None:
    told: list[events.Event] = []
    dropped: list[str] = []
    reader, light, stream = FixedReader(), Shown(), EventStream()
    profile = Profile(mode="explore", play=Play(wait_s=30))
    pipeline, _ = beats(squares, told, reader)
    pipeline.change(policy(profile), gap_s=0.0)

    class Turning(Script):
        """Frames of a smile until its question is shown, and of a sad face until that is dropped."""

        received = 0
        state = "running"

        def next(self, timeout_s: float) -> Frame | None:
            if told and isinstance(told[-1], events.CueGiven) and told[-1].word == "guess":
                assert light.until("breath")
                reader.label = "sad"
            return None if any(dropped) and light.until("off") else self.read(timeout_s)

        def dropped(self) -> int:
            return 0

    outputs = Outputs(profile, light, None, stream.fault)
    watchers = [lambda _, decision: dropped.append(decision.dropped)]
    daemon = Loop(Turning(frames(15 * 12)), pipeline, outputs, stream, live=False, watchers=watchers)
    daemon.run(None, threading.Event())
    assert [event.word for event in told if isinstance(event, events.CueGiven)] == ["face", "guess"]
    assert light.log == ["fade", "breath", "off"]


def test_another_policy_knows_the_faces_in_view_and_tells_nothing_within_its_gap(squares: Any) -> None:
    told: list[events.Event] = []
    pipeline, _ = beats(squares, told)
    given = frames(150)
    for frame in given[:40]:
        pipeline.process(frame)
    assert [event.word for event in told if isinstance(event, events.CueGiven)] == ["face", "happy"]
    told.clear()
    pipeline.change(policy(Profile(school=True)), gap_s=3.0)
    for frame in given[40:]:
        pipeline.process(frame)
    cues = [event for event in told if isinstance(event, events.CueGiven)]
    # Who is in view was greeted before.
    assert [cue.word for cue in cues] == ["smile"]
    assert cues[0].t >= round(39 / 15 + 3.0, 4)
    assert not [event for event in told if isinstance(event, events.FaceSeen | events.FaceLost)]


def test_the_limits_go_on_through_a_change_of_policy(squares: Any) -> None:
    told: list[events.Event] = []
    limited = Profile(sound=Sound(on=True), policy=Policy(spoken_per_minute=1, same_expression_s=60.0))
    pipeline, _ = beats(squares, told)
    for n, frame in enumerate(frames(300)):
        if n % 75 == 0:
            pipeline.change(policy(limited, ("light", "voice")), gap_s=1.0)
        pipeline.process(frame, press=n % 75 == 60)
    cues = [event for event in told if isinstance(event, events.CueGiven) and event.kind != "face"]
    # A smile is told once in sixty seconds, and each press is answered: of all these, one is spoken.
    assert [cue.kind for cue in cues] == ["expression", *["answer"] * 4]
    assert ["voice" in cue.outputs for cue in cues] == [True, *[False] * 4]


def test_a_change_comes_between_two_beats_on_their_thread(squares: Any) -> None:
    pipeline, _ = beats(squares, [])
    stream, threads = EventStream(), []
    stop = threading.Event()

    class Endless:
        state = "running"
        received = 0

        def next(self, timeout_s: float) -> Frame | None:
            self.received += 1
            return Frame(np.zeros((48, 64), np.uint8), self.received / 15, 0)

        def dropped(self) -> int:
            return 0

        def pause(self, *, on: bool) -> None: ...

        def close(self) -> None: ...

    daemon = Loop(Endless(), pipeline, Outputs(Profile(), None, None, stream.fault), stream, live=False)
    loop = threading.Thread(target=daemon.run, args=(None, stop))
    loop.start()
    for _ in range(3):
        assert daemon.between_beats(lambda: threads.append(threading.current_thread()), 10.0)
    stop.set()
    loop.join()
    assert threads == [loop] * 3
    # Nobody takes it any more, and it is not done later either.
    assert not daemon.between_beats(lambda: threads.append(threading.current_thread()), 0.01)
    daemon.run(0.1, threading.Event())
    assert len(threads) == 3


@pytest.mark.parametrize(
    ("anew", "expected"), [(False, ["began", "ended"]), (True, ["began", "ended", "began", "ended"])]
)
def test_a_policy_may_begin_a_session_of_its_own(squares: Any, anew: bool, expected: list[str]) -> None:
    stream = EventStream()
    told: list[events.Event] = []
    stream.add(told.append)
    pipeline, _ = beats(squares, told)
    wishes = Wishes()
    daemon = Loop(
        InOrder(Script(frames(60))),
        pipeline,
        Outputs(Profile(), None, None, stream.fault),
        stream,
        live=False,
        wearer=wishes,
        watchers=[
            lambda frame, decision: (
                daemon.use(policy(Profile()), gap_s=3.0, session_s=0.0, anew=anew) if frame.t == 102.0 else None
            )
        ],
    )
    daemon.run(None, threading.Event())
    sessions = [event for event in told if isinstance(event, events.Session)]
    assert [session.state for session in sessions] == expected
    if anew:
        assert sessions[1].t == sessions[2].t == pytest.approx(2.0, abs=0.1)


def test_a_shorter_session_holds_for_the_running_one(squares: Any) -> None:
    stream = EventStream()
    told: list[events.Event] = []
    stream.add(told.append)
    pipeline, _ = beats(squares, told)
    daemon = Loop(
        InOrder(Script(frames(60))),
        pipeline,
        Outputs(Profile(), None, None, stream.fault),
        stream,
        live=False,
        wearer=Wishes(),
        watchers=[
            lambda frame, decision: (
                daemon.use(policy(Profile()), gap_s=3.0, session_s=1.0, anew=False) if frame.t == 102.0 else None
            )
        ],
    )
    daemon.run(None, threading.Event())
    assert [(event.state, event.why) for event in told if isinstance(event, events.Session)] == [
        ("began", ""),
        ("ended", "time"),
    ]


def test_without_sessions_the_button_s_wishes_still_hold(squares: Any) -> None:
    stream = EventStream()
    told: list[events.Event] = []
    stream.add(told.append)
    pipeline, _ = beats(squares, told)
    wishes = Wishes()
    wishes.muted = True
    daemon = Loop(
        InOrder(Script(frames(60))),
        pipeline,
        Outputs(Profile(), None, None, stream.fault),
        stream,
        live=False,
        wearer=wishes,
        worn=False,
    )
    daemon.run(None, threading.Event())
    assert {type(event) for event in told} & {events.Session, events.CueGiven} == set()
