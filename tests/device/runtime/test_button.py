"""The wearer's button in force: by light at once, in the state of things, in the file, and while a beat is stuck."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.fakes import MemoryButton, MemoryLight, MemoryVoice
from cuelens.camera.capture import RUNNING
from cuelens.frame import Frame
from cuelens.light.cue_lights import light_pattern, lights
from cuelens.profile.profile import Profile
from cuelens.runtime.build import assemble
from cuelens.runtime.button import ButtonThread, Gestures
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.wishes import Wishes
from cuelens.types import Cue, LightPattern
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter

HAPPY = Cue(1.0, "expression", 1, "happy", ("light", "voice"))


class Frames:
    """A feed of one picture, again and again; it remembers when it was paused."""

    state = RUNNING
    received = 0

    def __init__(self) -> None:
        self.pauses: list[bool] = []
        self._picture = np.full((48, 64), 99, np.uint8)

    def next(self, timeout_s: float) -> Frame | None:
        time.sleep(0.01)
        self.received += 1
        return Frame(self._picture, self.received / 15, time.monotonic_ns())

    def dropped(self) -> int:
        return 0

    def pause(self, *, on: bool) -> None:
        self.pauses.append(on)

    def close(self) -> None: ...


@dataclass
class Glasses:
    """A button, and what it is wired to.

    clock: the button's. None: it stands still but for what is added to `t`, so no press lasts longer on a busy machine.
    """

    file: Path
    calibrate: Callable[[], bool] | None = None
    clock: Callable[[], float] | None = None
    t: float = 100.0
    light: MemoryLight = field(default_factory=MemoryLight)
    voice: MemoryVoice = field(default_factory=MemoryVoice)
    feed: Frames = field(default_factory=Frames)
    stream: EventStream = field(default_factory=EventStream)
    told: list[events.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wearer = Wishes(self.file)
        self.stream.add(self.told.append)
        self.outputs = Outputs(Profile(), self.light, self.voice, self.stream.fault)
        self.gestures = Gestures(self.wearer, self.outputs, self.feed, self.stream, self.calibrate)
        clock = self.clock or (lambda: self.t)
        self.button = MemoryButton(clock)
        self.controls = ButtonThread(self.button, self.gestures, clock)

    def tap(self, times: int = 1, then_s: float = 1.0) -> None:
        """Tap a few times, and no more for a while."""
        for _ in range(times):
            self.hold(0.05)
            self.t += 0.05
        self.t += then_s

    def hold(self, seconds: float) -> None:
        self.button.press()
        self.t += seconds
        self.button.release()

    def shows(self, what: str) -> bool:
        """Whether a light came that confirms something."""
        wanted = light_pattern(lights(Profile())[what], 40)
        return wanted in self.light.patterns

    def events(self, kind: type[Any]) -> list[Any]:
        self.stream.flush()
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def glasses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Glasses]:
    # A busy machine may look late for a question.
    monkeypatch.setattr("cuelens.runtime.wishes.ASK_S", 60.0)
    made = Glasses(tmp_path / "state" / "wearer.json")
    yield made
    made.controls.close()
    made.outputs.close()


def test_a_press_is_felt_by_light_before_it_is_known_what_it_means(glasses: Glasses, soon: Callable[..., bool]) -> None:
    glasses.button.press()
    assert soon(lambda: glasses.light.patterns)
    assert glasses.light.patterns[0].pattern == "steady"
    assert glasses.events(events.Press) == []
    glasses.t += 0.05
    glasses.button.release()
    glasses.t += 1.0
    assert soon(glasses.wearer.take_ask)
    assert [press.gesture for press in glasses.events(events.Press)] == ["ask"]
    assert not glasses.wearer.take_ask()
    assert glasses.voice.words == []


def test_a_gesture_that_fails_is_told_once_and_the_next_one_is_heard(
    glasses: Glasses, monkeypatch: pytest.MonkeyPatch, soon: Callable[..., bool]
) -> None:
    def keep() -> str:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(glasses.wearer, "keep", keep)
    for paused in (True, False):
        glasses.tap(2)
        assert soon(lambda paused=paused: glasses.wearer.paused is paused)  # type: ignore[misc]
    glasses.tap()
    assert soon(glasses.wearer.take_ask)
    told = [(fault.fault, fault.detail) for fault in glasses.events(events.Fault)]
    assert told == [("not kept", "the gesture pause failed: ValueError: embedded null byte")]


def test_a_hold_mutes_while_it_lasts_and_after_a_restart_too(glasses: Glasses, soon: Callable[..., bool]) -> None:
    glasses.outputs.give(HAPPY)
    assert soon(lambda: glasses.voice.speaking)
    glasses.button.press()
    glasses.t += 1.6
    assert soon(lambda: glasses.wearer.muted)
    assert soon(lambda: glasses.shows("muted"))
    assert not glasses.voice.speaking
    assert soon(lambda: Wishes(glasses.file).muted)
    glasses.button.release()
    glasses.outputs.give(HAPPY)
    # Soon after the last hold, another one keeps the mute.
    glasses.hold(1.6)
    assert soon(lambda: len(glasses.events(events.Press)) == 2)
    assert glasses.wearer.muted
    assert [press.gesture for press in glasses.events(events.Press)] == ["mute", "mute"]
    assert [mute.on for mute in glasses.events(events.Mute)] == [True]
    assert glasses.voice.words == ["happy"]


def test_a_later_hold_ends_the_mute_at_its_release(tmp_path: Path, soon: Callable[..., bool]) -> None:
    before = Wishes(tmp_path / "wearer.json")
    before.muted = True
    assert before.keep() == ""
    glasses = Glasses(tmp_path / "wearer.json", clock=time.monotonic)
    glasses.button.press()
    time.sleep(1.6)
    assert glasses.wearer.muted
    glasses.button.release()
    assert soon(lambda: not glasses.wearer.muted)
    assert soon(lambda: glasses.shows("unmuted"))
    assert soon(lambda: not Wishes(glasses.file).muted)
    assert [mute.on for mute in glasses.events(events.Mute)] == [False]
    glasses.controls.close()
    glasses.outputs.close()


def test_a_double_press_pauses_the_camera_and_a_press_says_so_by_light(
    glasses: Glasses, soon: Callable[..., bool]
) -> None:
    glasses.tap(2)
    assert soon(lambda: glasses.wearer.paused)
    assert soon(lambda: glasses.shows("paused"))
    assert glasses.feed.pauses[-1:] == [True]
    assert soon(lambda: Wishes(glasses.file).paused)
    glasses.outputs.give(HAPPY)
    glasses.light.patterns.clear()
    glasses.tap()
    assert soon(lambda: glasses.shows("paused"))
    assert not glasses.wearer.take_ask()
    glasses.tap(2)
    assert soon(lambda: not glasses.wearer.paused)
    assert soon(lambda: glasses.feed.pauses[-1:] == [False])
    assert [pause.on for pause in glasses.events(events.Pause)] == [True, False]
    assert glasses.voice.words == []


@pytest.mark.parametrize("answer", [True, False, None])
def test_two_presses_and_a_hold_calibrate_if_anything_does(
    tmp_path: Path, answer: bool | None, soon: Callable[..., bool]
) -> None:
    calls = []

    def calibrate() -> bool:
        calls.append("calibrate")
        return bool(answer)

    glasses = Glasses(tmp_path / "wearer.json", None if answer is None else calibrate)
    glasses.tap(2, then_s=0.0)
    glasses.hold(3.1)
    gestures = ["pause", "mute", *(["calibrate"] if answer else [])]
    assert soon(lambda: [press.gesture for press in glasses.events(events.Press)] == gestures)
    if answer is not None:
        assert soon(lambda: calls == ["calibrate"])
    # Begun, it takes pause and mute back; else they are what two presses and a hold mean.
    assert soon(lambda: (glasses.wearer.paused, glasses.wearer.muted) == (not answer, not answer))
    assert soon(lambda: glasses.feed.pauses[-1:] == [not answer])
    assert calls == ["calibrate"] * (answer is not None)
    if answer:
        assert soon(lambda: glasses.shows("calibrate"))
        assert [pause.on for pause in glasses.events(events.Pause)] == [True, False]
        assert soon(lambda: not Wishes(glasses.file).paused)
    glasses.controls.close()
    glasses.outputs.close()


@pytest.mark.parametrize("begins", [True, False])
def test_a_calibration_keeps_the_mute_and_a_hold_that_begins_none_ends_it(
    tmp_path: Path, begins: bool, soon: Callable[..., bool]
) -> None:
    before = Wishes(tmp_path / "wearer.json")
    before.muted = True
    assert before.keep() == ""
    glasses = Glasses(tmp_path / "wearer.json", lambda: begins)
    glasses.tap(2, then_s=0.0)
    glasses.hold(3.1)
    gestures = ["pause", "calibrate" if begins else "unmute"]
    assert soon(lambda: [press.gesture for press in glasses.events(events.Press)] == gestures)
    assert soon(lambda: (glasses.wearer.paused, glasses.wearer.muted) == (not begins, begins))
    # The release of a calibration's hold means nothing more.
    glasses.t += 1.0
    glasses.tap(2)
    assert soon(lambda: [press.gesture for press in glasses.events(events.Press)] == [*gestures, "pause"])
    assert glasses.wearer.muted is begins
    glasses.controls.close()
    glasses.outputs.close()


def test_a_press_after_the_session_begins_the_next_one_and_means_nothing_else(
    glasses: Glasses, soon: Callable[..., bool]
) -> None:
    glasses.wearer.resting = True
    glasses.tap()
    assert soon(lambda: not glasses.wearer.resting)
    assert soon(lambda: glasses.feed.pauses == [False])
    assert [press.gesture for press in glasses.events(events.Press)] == ["again"]
    assert not glasses.wearer.take_ask()


def test_any_press_however_long_begins_the_next_session(glasses: Glasses, soon: Callable[..., bool]) -> None:
    glasses.wearer.resting = True
    glasses.hold(1.0)
    assert soon(lambda: not glasses.wearer.resting)
    assert [press.gesture for press in glasses.events(events.Press)] == ["again"]
    assert not glasses.wearer.muted


def test_a_disk_that_fails_is_told_and_the_mute_holds(tmp_path: Path, soon: Callable[..., bool]) -> None:
    (tmp_path / "state").write_text("no folder")
    glasses = Glasses(tmp_path / "state" / "wearer.json")
    glasses.hold(1.6)
    assert soon(lambda: glasses.events(events.Fault))
    assert glasses.wearer.muted
    assert "after a restart it is forgotten" in glasses.events(events.Fault)[0].detail
    glasses.controls.close()
    glasses.outputs.close()


def test_nothing_is_heard_after_the_end(glasses: Glasses) -> None:
    glasses.controls.close()
    glasses.tap()
    time.sleep(0.5)
    assert glasses.light.patterns == []
    assert glasses.events(events.Press) == []


class Stuck:
    """A detector that hangs in a call that has let go of the interpreter's lock, until it is set free."""

    smallest = 20
    smallest_candidate = 10

    def __init__(self) -> None:
        self.entered, self.free = threading.Event(), threading.Event()

    def sides(self, smallest: int, largest: int) -> list[int]:
        return [20, 23, 26, 30, 35]

    def faces(self, picture: Any, smallest: int, largest: int) -> dict[Any, int]:
        return {}

    def hits(self, picture: Any, smallest: int, largest: int) -> list[Any]:
        return []

    def candidates(self, picture: Any) -> list[Any]:
        self.entered.set()
        self.free.wait(60)
        return []


def test_while_a_beat_is_stuck_a_press_is_felt_and_put_into_force(
    glasses: Glasses, shipped: Bundle, soon: Callable[..., bool]
) -> None:
    stuck, stop = Stuck(), threading.Event()
    beats = assemble(stuck, Interpreter(shipped), StageTimes(), glasses.stream.emit)
    daemon = Loop(glasses.feed, beats, glasses.outputs, glasses.stream, live=True, wearer=glasses.wearer)
    loop = threading.Thread(target=daemon.run, args=(None, stop))
    loop.start()
    assert stuck.entered.wait(30)
    assert soon(lambda: glasses.shows("session began"))
    before = len(glasses.light.patterns)
    glasses.button.press()
    assert soon(lambda: len(glasses.light.patterns) > before)
    assert glasses.light.patterns[before].pattern == "steady"
    glasses.t += 1.6
    glasses.button.release()
    assert soon(lambda: glasses.shows("muted"))
    assert soon(lambda: Wishes(glasses.file).muted)
    assert not stuck.free.is_set()
    assert loop.is_alive()
    stop.set()
    stuck.free.set()
    loop.join(30)
    assert not loop.is_alive()
    assert [mute.on for mute in glasses.events(events.Mute)] == [True]


def test_what_was_asked_for_before_the_restart_is_in_force_from_its_first_beat(tmp_path: Path) -> None:
    file = tmp_path / "wearer.json"
    before = Wishes(file)
    before.muted, before.paused, before.answered_first = True, True, (True, False)
    assert before.keep() == ""
    after = Wishes(file)
    assert (after.muted, after.paused, after.answered_first, after.fault) == (True, True, (True, False), "")


@pytest.mark.parametrize("text", ["", "{", '{"muted": 1}', '{"wink": true}', '{"schema": 9}'])
def test_a_damaged_file_of_the_wearer_is_told_and_counts_as_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wearer.json"
    file.write_text(text)
    wearer = Wishes(file)
    assert (wearer.muted, wearer.paused, wearer.answered_first) == (False, False, ())
    assert "wearer.json" in wearer.fault


def test_the_light_that_confirms_is_never_the_one_of_an_expression() -> None:
    shown = lights(Profile())
    own = [
        shown[what] for what in ("muted", "paused", "calibrate", "session began", "session ended", "guess", "unsure")
    ]
    told = [shown[word] for word in ("happy", "surprise", "sad", "angry", "disgust", "fear")]
    assert not {light.colour for light in own} & {light.colour for light in told}
    assert isinstance(light_pattern(own[0], 40), LightPattern)


def test_a_file_of_an_earlier_version_is_still_understood(tmp_path: Path) -> None:
    file = tmp_path / "wearer.json"
    file.write_text('{"schema": 1, "muted": true, "first": [true, false]}')
    wishes = Wishes(file)
    assert (wishes.muted, wishes.answered_first, wishes.fault) == (True, (True, False), "")
    assert wishes.keep() == ""
    assert file.read_text() == '{"schema":1,"muted":true,"paused":false,"answered_first":[true,false]}'


@pytest.mark.parametrize(
    ("presses", "effects", "made"),
    [
        (["ask"], ["ask"], ["ask"]),
        (["mute", "mute", "mute"], ["muted", "unmuted", "muted"], ["mute", "unmute", "mute"]),
        (["pause", "pause"], ["paused", "resumed"], ["pause", "pause"]),
        (["pause", "ask"], ["paused", "off"], ["pause", "ask"]),
        (["calibrate"], [""], []),
    ],
)
def test_a_key_or_the_link_does_what_the_button_does(
    glasses: Glasses, presses: list[str], effects: list[str], made: list[str], soon: Callable[..., bool]
) -> None:
    assert [glasses.gestures.press(press) for press in presses] == effects
    assert [press.gesture for press in glasses.events(events.Press)] == made
    assert glasses.wearer.take_ask() == (effects == ["ask"])
    assert glasses.wearer.muted == (effects[-1] == "muted")
    assert glasses.feed.pauses[-1:] == ([effects[-1] in ("paused", "off")] if made else [])
    if made[:1] not in ([], ["ask"]):
        stored = Wishes(glasses.file)
        assert (stored.muted, stored.paused) == (glasses.wearer.muted, glasses.wearer.paused)
    # It is felt, like a finger's, even if nothing comes of it.
    assert soon(lambda: glasses.light.patterns)


def test_any_press_from_afar_begins_the_next_session(glasses: Glasses) -> None:
    glasses.wearer.resting = True
    assert glasses.gestures.press("mute") == "again"
    assert not glasses.wearer.resting
    assert not glasses.wearer.muted


def test_a_calibration_from_afar_begins_no_session_of_resting_glasses(tmp_path: Path) -> None:
    glasses = Glasses(tmp_path / "wearer.json", lambda: True)
    glasses.wearer.resting = True
    assert glasses.gestures.press("calibrate") == "calibrate"
    assert glasses.wearer.resting
    glasses.controls.close()
    glasses.outputs.close()


def test_a_calibration_from_afar_leaves_pause_and_mute_as_they_are(tmp_path: Path) -> None:
    glasses = Glasses(tmp_path / "wearer.json", lambda: True)
    glasses.gestures.press("pause")
    glasses.gestures.press("mute")
    assert glasses.gestures.press("calibrate") == "calibrate"
    assert (glasses.wearer.paused, glasses.wearer.muted) == (True, True)
    glasses.controls.close()
    glasses.outputs.close()
