"""Running glasses for tests: a real loop on fakes of light and voice, and what may be asked of them."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.fakes import MemoryLight, MemoryVoice
from cuelens.camera.capture import RUNNING
from cuelens.commands.caregiver_parts import CaregiverParts
from cuelens.commands.first_minute import FirstMinute
from cuelens.commands.requests import Parts, Requests
from cuelens.commands.startup import RunOptions, check
from cuelens.commands.story_keeper import Story
from cuelens.frame import Frame, Grey
from cuelens.health.health import Health
from cuelens.link.replies import Done, Refused, Reply
from cuelens.link.requests import Request
from cuelens.profile import store
from cuelens.profile.library import Library
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.build import assemble
from cuelens.runtime.button import Gestures
from cuelens.runtime.calibration import Calibration
from cuelens.runtime.code_teller import CodeTeller
from cuelens.runtime.collecting import Collecting
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.recent import Recent
from cuelens.story import query
from cuelens.story.store import Session
from cuelens.vision.stage_times import StageTimes


class Frames:
    """A feed of one picture, again and again, until it is held up."""

    state = RUNNING
    received = 0

    def __init__(self) -> None:
        self.picture: Grey = np.full((48, 64), 99, np.uint8)
        self.going = threading.Event()
        self.going.set()
        self.stuck = threading.Event()

    def next(self, timeout_s: float) -> Frame | None:
        if not self.going.is_set():
            self.stuck.set()
            self.going.wait()
        time.sleep(0.005)
        self.received += 1
        return Frame(self.picture, self.received / 15, time.monotonic_ns())

    def dropped(self) -> int:
        return 0

    def pause(self, *, on: bool) -> None: ...

    def close(self) -> None: ...


@dataclass
class Glasses:
    """A running loop, and what it is wired to. told: events. state: the state folder."""

    state: Path
    squares: Any
    mode: str | None = None
    button: bool = True
    clock: Callable[[], float] = time.monotonic
    light: MemoryLight = field(default_factory=MemoryLight)
    voices: list[MemoryVoice] = field(default_factory=list)
    told: list[events.Event] = field(default_factory=list)
    feed: Frames = field(default_factory=Frames)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the run is to end for other settings."""

    def __post_init__(self) -> None:
        config = self.state / "cuelens.toml"
        config.write_text(f'[places]\nstate = "{self.state}"\n')
        still = self.state / "still.pgm"
        still.write_bytes(b"P5 64 48 255\n" + bytes(64 * 48))
        options = RunOptions(source=str(still), config=config, mode=self.mode, worn=True)
        startup = check(options, None)
        store.keep_good(self.state, startup.active)
        self.stream = EventStream()
        self.health = Health()
        self.stream.add(self.health)
        self.stream.add(self.told.append)
        self.story = Story(self.state / "story.sqlite", startup.active.profile, self.stream.fault)
        self.stream.add(self.story)
        voice = self.voice(startup.active)
        outputs = Outputs(startup.active.profile, self.light, voice, self.stream.fault)
        beats = assemble(
            self.squares,
            startup.interpreter,
            StageTimes(),
            self.stream.emit,
            outputs=("light", "voice") if voice else ("light",),
            wearer=startup.active.profile,
        )
        self.beats = beats
        self.wearer = startup.wearer
        self.calibration = Calibration(self.clock)
        collecting, recent = Collecting(startup.interpreter.contract.labels), Recent()
        self.stream.add(collecting)
        self.stream.add(recent)
        complain = partial(self.stream.fault, "not kept")
        first_minute = FirstMinute(startup.attempt, self.state, startup.active, complain)
        self.loop = Loop(
            self.feed,
            beats,
            outputs,
            self.stream,
            live=True,
            wearer=self.wearer,
            session_s=1200,
            calibration=self.calibration,
            watchers=[self.calibration.see, collecting.see, self.story.see, first_minute.see],
        )
        self.gestures = Gestures(self.wearer, outputs, self.feed, self.stream)
        caregiver = CaregiverParts(
            calibration=self.calibration,
            collecting=collecting,
            recent=recent,
            health=self.health,
            counts=self.loop.counts,
            begun=startup.attempt.begun,
            teller=CodeTeller(outputs),
            wishes=self.wearer,
            contract=startup.interpreter.contract,
            library=Library(self.state),
            story=self.state / "story.sqlite",
            button=self.button,
            light=True,
        )
        parts = Parts(
            self.loop,
            self.gestures,
            outputs,
            self.stream,
            self.story,
            ("light",),
            self.voice,
            lambda profile: 60.0 * profile.session.minutes,
            caregiver,
            first_minute,
            self.ended.set,
        )
        self.requests = Requests(options, startup, parts, speaks=voice is not None)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.loop.run, args=(None, self.stop))
        self.thread.start()

    def voice(self, active: ProfileInForce) -> MemoryVoice | None:
        if not active.profile.sound.on:
            return None
        self.voices.append(MemoryVoice())
        return self.voices[-1]

    def close(self) -> None:
        """End the run. May be called twice."""
        self.stop.set()
        self.feed.going.set()
        self.thread.join()
        self.story.close()

    def profile(self, text: str) -> None:
        path = self.state / "profiles" / "default.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def said(self, request: Request) -> str:
        reply = self.requests.answer(request)
        assert isinstance(reply, Done), reply
        return reply.text

    def answer(self, request: Request) -> Reply:
        return self.requests.answer(request)

    def refused(self, request: Request) -> str:
        reply = self.requests.answer(request)
        assert isinstance(reply, Refused), reply
        return reply.text

    def sessions(self) -> list[Session]:
        """The story of the day, after the end."""
        path = self.state / "story.sqlite"
        return query.of_day(path, query.day_of(query.sessions(path)[0]))

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def run_glasses(tmp_path: Path, squares: Any) -> Iterator[Callable[..., Glasses]]:
    """Start glasses with a profile; they are closed after the test. options: fields of `Glasses`."""
    made: list[Glasses] = []

    def start(profile: str = "", **options: Any) -> Glasses:
        if profile:
            (tmp_path / "profiles").mkdir(exist_ok=True)
            (tmp_path / "profiles" / "default.json").write_text(profile)
        made.append(Glasses(tmp_path, squares, **options))
        return made[-1]

    # A busy machine may need more than the two seconds in which the story closes. It is a patch of its own: a test that
    # undoes `monkeypatch` does not undo it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cuelens.story.writer._CLOSE_S", 60.0)
        yield start
        for glasses in made:
            glasses.close()


@pytest.fixture
def glasses(run_glasses: Callable[..., Glasses]) -> Glasses:
    return run_glasses('{"sound": {"on": true}}')
