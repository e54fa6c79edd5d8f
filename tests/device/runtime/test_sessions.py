"""Sessions of a worn run: a calm beginning and end, rest until a press, and nothing told meanwhile."""

import gc
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.fakes import MemoryLight, MemoryVoice
from cuelens.camera.capture import NO_CAMERA, RUNNING
from cuelens.camera.frame_clock import Clock
from cuelens.frame import Frame
from cuelens.light.cue_lights import light_pattern, lights
from cuelens.profile.profile import Profile
from cuelens.runtime.build import assemble
from cuelens.runtime.calibration import Calibration, Ending
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pipeline import Decision
from cuelens.runtime.wishes import Wishes
from cuelens.types import Cue
from cuelens.vision.picture_state import DARK, PictureState
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.errors import CameraLost


class Frames:
    """Frames of one picture, fifteen a second of their own time; at given ones something is done first."""

    state = RUNNING
    received = 0

    def __init__(self, count: int, at: dict[int, Any]) -> None:
        self._count = count
        self._at = at
        self.pauses: list[bool] = []

    def next(self, timeout_s: float) -> Frame | None:
        if self.received in self._at:
            self._at.pop(self.received)()
        if self.received >= self._count:
            return None
        self.received += 1
        return Frame(np.full((48, 64), 99, np.uint8), self.received / 15, time.monotonic_ns())

    def dropped(self) -> int:
        return 0

    def pause(self, *, on: bool) -> None:
        self.pauses.append(on)

    def close(self) -> None: ...


class Chatty:
    """Beats that tell something each time."""

    answered_first: tuple[bool, ...] = (True,)

    def __init__(self) -> None:
        self.begun = 0
        self.clock = Clock()
        self.turns: list[tuple[float, bool, bool]] = []
        self.closely: list[bool] = []

    def begin(self) -> None:
        self.begun += 1

    def process(
        self, frame: Frame, *, reduced: bool = False, press: bool = False, muted: bool = False, closely: bool = False
    ) -> Decision:
        self.closely.append(closely)
        t = self.clock.see(frame)
        self.turns.append((t, press, muted))
        return Decision(t, (), {}, {}, Cue(t, "expression", 1, "happy", ("voice",)), RUNNING)


def run(count: int, at: dict[int, Any], wearer: Wishes, session_s: float = 2.0) -> tuple[Chatty, Frames, Any]:
    told: list[events.Event] = []
    stream = EventStream()
    stream.add(told.append)
    light, beats, feed = MemoryLight(), Chatty(), Frames(count, at)
    outputs = Outputs(Profile(), light, MemoryVoice(), stream.fault)
    daemon = Loop(feed, beats, outputs, stream, live=False, wearer=wearer, session_s=session_s)  # type: ignore[arg-type]
    daemon.run(None, threading.Event())
    return beats, feed, told


def sessions(told: list[events.Event]) -> list[tuple[float, str, str]]:
    return [(round(event.t, 1), event.state, event.why) for event in told if isinstance(event, events.Session)]


def test_a_session_ends_when_its_time_is_over_and_then_there_are_no_beats() -> None:
    wearer = Wishes()
    beats, feed, told = run(90, {}, wearer)
    assert sessions(told) == [(0.0, "began", ""), (2.0, "ended", "time")]
    assert max(t for t, *_ in beats.turns) < 2.1
    assert feed.pauses == [False, True]
    assert wearer.resting
    # What fading learned is kept with the session's end.
    assert wearer.answered_first == (True,)


def test_old_garbage_is_collected_when_the_glasses_rest() -> None:
    class Ring:
        def __init__(self) -> None:
            self.itself = self

    rings, left = [Ring()], list[bool]()
    alive = weakref.ref(rings[0])

    def grow_old() -> None:
        gc.unfreeze()
        gc.collect()
        rings.clear()

    run(90, {10: grow_old, 20: lambda: left.append(alive() is not None), 60: lambda: left.append(alive() is not None)},
        Wishes())  # fmt: skip
    assert left == [True, False]


def test_a_press_begins_the_next_session_and_nothing_of_the_last_is_believed() -> None:
    wearer = Wishes()

    def press() -> None:
        wearer.resting = False

    beats, _, told = run(105, {60: press}, wearer)
    assert sessions(told) == [
        (0.0, "began", ""),
        (2.0, "ended", "time"),
        (4.0, "began", ""),
        (6.0, "ended", "time"),
    ]
    assert beats.begun == 2
    rested = [t for t, *_ in beats.turns if 2.2 < t < 4.0]
    assert rested == []


def test_a_session_without_an_end_lasts_as_long_as_the_run() -> None:
    _, feed, told = run(90, {}, Wishes(), session_s=0.0)
    assert sessions(told) == [(0.0, "began", ""), (5.9, "ended", "stopped")]
    assert feed.pauses == [False]


def test_a_lost_camera_ends_the_session_by_that_name() -> None:
    def lose() -> None:
        raise CameraLost("the camera stalled twice")

    told: list[events.Event] = []
    stream = EventStream()
    stream.add(told.append)
    daemon = Loop(
        Frames(90, {15: lose}),
        Chatty(),  # type: ignore[arg-type]
        Outputs(Profile(), None, None, stream.fault),
        stream,
        live=False,
        wearer=Wishes(),
    )
    with pytest.raises(CameraLost):
        daemon.run(None, threading.Event())
    assert sessions(told)[-1][1:] == ("ended", "camera lost")


def test_while_the_wearer_has_paused_there_are_no_beats_and_the_light_says_so() -> None:
    wearer = Wishes()
    wearer.paused = True

    def resume() -> None:
        wearer.paused = False

    beats, _, told = run(60, {30: resume}, wearer, session_s=0.0)
    assert min(t for t, *_ in beats.turns) >= 2.0
    assert sessions(told)[0] == (0.0, "began", "")


def test_a_press_reaches_one_beat_and_a_mute_all_that_follow() -> None:
    wearer = Wishes()

    def mute() -> None:
        wearer.muted = True

    beats, _, _ = run(30, {10: wearer.ask, 20: mute}, wearer)
    assert [round(t * 15) for t, press, _ in beats.turns if press] == [10]
    assert [round(t * 15) for t, _, muted in beats.turns if muted] == list(range(20, 30))


def test_a_run_that_is_not_worn_has_no_sessions() -> None:
    told: list[events.Event] = []
    stream = EventStream()
    stream.add(told.append)
    beats = Chatty()
    Loop(
        Frames(60, {}),
        beats,  # type: ignore[arg-type]
        Outputs(Profile(), None, None, stream.fault),
        stream,
        live=False,
        session_s=1.0,
    ).run(None, threading.Event())
    assert sessions(told) == []
    assert len(beats.turns) == 60


def test_a_session_begins_and_ends_with_a_calm_light(soon: Callable[..., bool]) -> None:
    shown = [light_pattern(lights(Profile())[word], 40) for word in ("session began", "session ended")]
    light, stream = MemoryLight(), EventStream()
    wearer = Wishes()
    outputs = Outputs(Profile(), light, None, stream.fault)

    class Slow(Frames):
        def next(self, timeout_s: float) -> Frame | None:
            assert soon(lambda: light.patterns)
            frame = super().next(timeout_s)
            if frame is None:
                # The flash limit delays the last light, and the end of the run drops one that waits.
                soon(lambda: light.patterns[-1] == shown[1])
            return frame

    daemon = Loop(Slow(60, {}), Chatty(), outputs, stream, live=False, wearer=wearer, session_s=1.0)  # type: ignore[arg-type]
    daemon.run(None, threading.Event())
    assert [light.patterns[0], light.patterns[-1]] == shown


def test_time_does_not_run_backwards_when_the_first_frame_comes_late(squares: Any, shipped: Bundle) -> None:
    """Paused at the start, or a camera that is plugged in later: its first frame is as late as it is."""
    told: list[events.Event] = []
    stream = EventStream()
    stream.add(told.append)
    wearer = Wishes()

    class Late(Frames):
        state = NO_CAMERA
        missing = 5

        def next(self, timeout_s: float) -> Frame | None:
            if self.missing:
                self.missing -= 1
                time.sleep(0.1)
                raise TimeoutError
            self.state = RUNNING
            if self.received == 15:
                stream.post(lambda t: events.Press(t=t, gesture="ask"))
            return super().next(timeout_s)

    beats = assemble(squares, Interpreter(shipped), StageTimes(), stream.emit)
    daemon = Loop(Late(30, {}), beats, Outputs(Profile(), None, None, stream.fault), stream, live=True, wearer=wearer)
    daemon.run(None, threading.Event())
    times = [event.t for event in told]  # type: ignore[attr-defined]
    assert times == sorted(times)
    assert next(event.state for event in told if isinstance(event, events.State)) == NO_CAMERA
    assert next(event.t for event in told if isinstance(event, events.Press)) > 1.0
    assert times[-1] > 1.5


def test_a_press_that_nobody_could_answer_in_time_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    wearer = Wishes()
    wearer.ask()
    monkeypatch.setattr("cuelens.runtime.wishes.ASK_S", -1.0)
    assert not wearer.take_ask()


def test_dusk_is_told_of_once_a_minute_and_to_no_muted_wearer() -> None:
    shown: list[str] = []

    class Told(Outputs):
        def confirm(self, what: str) -> None:
            shown.append(what)

    class Dusk(Chatty):
        def process(self, frame: Frame, **given: Any) -> Decision:
            decision = super().process(frame, **given)
            state = DARK if int(decision.t) % 4 < 2 else RUNNING
            return Decision(decision.t, (), {}, {}, None, state)

    for muted, expected in ((False, 2), (True, 0)):
        shown.clear()
        wearer, stream = Wishes(), EventStream()
        wearer.muted = muted
        outputs = Told(Profile(), None, None, stream.fault)
        daemon = Loop(Frames(15 * 90, {}), Dusk(), outputs, stream, live=False, wearer=wearer)  # type: ignore[arg-type]
        daemon.run(None, threading.Event())
        assert shown.count("too dark") == expected


def test_what_fading_learned_is_kept_when_it_was_learned(tmp_path: Path) -> None:
    wearer = Wishes(tmp_path / "wearer.json")
    run(5, {}, wearer, session_s=0.0)
    end_s = time.monotonic() + 5
    while time.monotonic() < end_s and Wishes(tmp_path / "wearer.json").answered_first != (True,):
        time.sleep(0.01)
    assert Wishes(tmp_path / "wearer.json").answered_first == (True,)


@pytest.mark.parametrize("then", ["too dark", RUNNING])
def test_the_orange_breath_ends_with_the_trouble_even_in_the_dark(then: str) -> None:
    """At dusk, a camera is unplugged and plugged in again."""
    light, stream = MemoryLight(), EventStream()
    outputs = Outputs(Profile(), light, None, stream.fault)

    lit: list[bool] = []

    def wait(condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 5
        while time.monotonic() < end_s and not condition():
            time.sleep(0.01)

    class Unplugged(Frames):
        def next(self, timeout_s: float) -> Frame | None:
            if self.received == 5:
                self.received += 1
                self.state = NO_CAMERA
                raise TimeoutError
            if self.received == 6:
                wait(lambda: [each.pattern for each in light.patterns[-1:]] == ["breath"])
                self.state = RUNNING
            if self.received == 25:
                wait(lambda: not light.lit)
                lit.append(light.lit)
            return super().next(timeout_s)

    class Dusk(Chatty):
        def process(self, frame: Frame, **given: Any) -> Decision:
            decision = super().process(frame, **given)
            return Decision(decision.t, (), {}, {}, None, "too dark" if self.clock.t < 0.3 else then)

    daemon = Loop(Unplugged(30, {}), Dusk(), outputs, stream, live=False)  # type: ignore[arg-type]
    daemon.run(None, threading.Event())
    assert [each.pattern for each in light.patterns if each.seconds > 100] == ["breath"]
    assert lit == [False]


@pytest.mark.parametrize(("mean", "states"), [((25, 34, 25, 34), ["too dark"]), ((25, 45), ["too dark", "running"])])
def test_a_dark_room_is_one_until_it_is_clearly_lighter(mean: tuple[int, ...], states: list[str]) -> None:
    level, told = PictureState(), []
    for n in range(60 * len(mean)):
        grey = np.full((64, 64), mean[n // 60], np.uint8)
        # Half of the sampled rows are lighter, half darker: a picture with detail, of that mean.
        grey[::32] += 10
        grey[16::32] -= 10
        told.append(level.judge(Frame(grey, n / 15, 0)))
    assert [state for state, before in zip(told, [RUNNING, *told], strict=False) if state != before] == states


def test_faces_are_read_closely_while_a_calibration_is_on() -> None:
    calibration, beats = Calibration(lambda: 0.0), Chatty()
    at = {15: calibration.begin, 30: lambda: calibration.leave(Ending())}
    stream = EventStream()
    outputs = Outputs(Profile(), MemoryLight(), MemoryVoice(), stream.fault)
    daemon = Loop(
        Frames(45, at),  # type: ignore[arg-type]
        beats,  # type: ignore[arg-type]
        outputs,
        stream,
        live=False,
        wearer=Wishes(),
        calibration=calibration,
    )
    daemon.run(None, threading.Event())
    assert beats.closely == [False] * 15 + [True] * 15 + [False] * 15
