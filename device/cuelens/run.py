"""Putting a run together from options, settings, profile and bundle; `cuelens run` and `cuelens demo` are this."""

import math
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import cv2

from cuelens import console, events, profile, settings, summary
from cuelens.adapters import haar
from cuelens.adapters.haar import HaarDetector
from cuelens.beat import Beats, Decision
from cuelens.daemon import Daemon
from cuelens.feed import Feed, InOrder, LatestOnly
from cuelens.look import Looking, LookPace, Optics
from cuelens.outputs import Outputs
from cuelens.ports import FrameSource, Light, Voice
from cuelens.profile import Profile
from cuelens.read import Reader
from cuelens.settings import Settings
from cuelens.sources import is_camera, open_source
from cuelens.stopwatch import Stopwatch
from cuelens.stream import EventFile, EventStream
from cuelens.types import Frame
from cuelens_models import command
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.errors import AbsentDevice, BadBundle, BadInput


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line said. source, config, profile, bundle: None where it said nothing."""

    source: str | None = None
    config: Path | None = None
    profile: Path | None = None
    bundle: Path | None = None
    events: str | None = None
    cues: Sequence[str] = ("console",)
    seconds: float | None = None
    as_fast: bool = False


def run(
    options: RunOptions,
    readers: Sequence[Callable[[events.Event], None]] = (),
    watchers: Sequence[Callable[[Frame, Decision], None]] = (),
) -> int:
    """Run until the source ends, the time is up, or a signal comes; print the summary. Returns the exit status.

    readers: see every event. watchers: see every frame with its decision. All input is checked, and the source opened,
    before anything is written or lit.
    """
    chosen = settings.read(options.config)
    wearer, profile_fault = (
        (profile.read(options.profile), "") if options.profile else profile.active(chosen.state_dir())
    )
    stream = EventStream()
    watch = Stopwatch()
    tally = summary.Tally()
    cv2.setNumThreads(chosen.threads.opencv)
    printed = console.for_events(options.events)
    terminal = console.Console(printed, cues="console" in options.cues)
    with _stop_on_signals() as stop, ExitStack() as stack:
        interpreter, bundle_fault = _open_bundle(options.bundle, chosen)
        source_name = chosen.camera.source if options.source is None else options.source
        source = _open_source(options, source_name, chosen)
        if source:
            stack.callback(source.close)
        if options.events is not None:
            stream.add(_open_events(options, source_name, stack))
        stream.add(tally)
        stream.add(terminal)
        for reader in readers:
            stream.add(reader)
        outputs, names = _open_outputs(options.cues, wearer, chosen, stream)
        stack.callback(outputs.close)
        stream.emit(events.Start(bundle=interpreter.contract.title(), source=source.name if source else source_name))
        for fault, detail in (("profile damaged", profile_fault), ("bundle damaged", bundle_fault)):
            if detail:
                stream.fault(fault, detail)
        beats = _beats(interpreter, wearer, names, chosen, watch, stream)
        feed = _feed(options, source, source_name, chosen, stream)
        daemon = Daemon(feed, beats, outputs, stream, live=not options.as_fast, watchers=[terminal.watch, *watchers])
        try:
            outcome = daemon.run(options.seconds, stop.event)
        finally:
            terminal.close()
        for line in summary.lines(outcome, tally, watch):
            print(line, file=printed)
    return stop.status


def _open_bundle(explicit: Path | None, chosen: Settings) -> tuple[Interpreter, str]:
    """Open the bundle asked for; one that only the settings name is replaced by the shipped one if it is damaged."""
    if explicit:
        return _start(load(explicit), chosen), ""
    configured = Path(chosen.places.bundle) if chosen.places.bundle else SHIPPED
    try:
        return _start(load(configured), chosen), ""
    except BadBundle as error:
        if configured == SHIPPED:
            raise
        return _start(load(SHIPPED), chosen), f"{error}; the shipped one is used"


def _start(bundle: Bundle, chosen: Settings) -> Interpreter:
    detector = bundle.contract.input.crop.detector
    if detector != haar.NAME:
        raise BadBundle(f"bundle {bundle.path} wants faces cropped as {detector} finds them; here is {haar.NAME}")
    interpreter = Interpreter(bundle, chosen.threads.model)
    interpreter.check_golden()
    return interpreter


def _open_source(options: RunOptions, name: str, chosen: Settings) -> FrameSource | None:
    """Open what can be opened now. A camera that only the settings name is left to the feed, which waits for it."""
    if is_camera(name):
        if options.as_fast:
            raise BadInput("--as-fast is for files and the demo: a camera has its own pace")
        if options.source is None:
            return None
    return open_source(name, chosen.camera)


def _open_events(options: RunOptions, source_name: str, stack: ExitStack) -> EventFile:
    path = str(options.events)
    if path != "-":
        command.refuse_overwriting(Path(path), [options.config, options.profile, options.bundle, Path(source_name)])
    file = EventFile(path, patient=options.as_fast)
    stack.callback(file.close)
    return file


def _feed(
    options: RunOptions, source: FrameSource | None, source_name: str, chosen: Settings, stream: EventStream
) -> Feed:
    def reopen() -> FrameSource:
        return open_source(source_name, chosen.camera)

    if source is None:
        return LatestOnly(reopen, stream.fault, patient=True)
    if is_camera(source_name):
        opened = iter([source])
        return LatestOnly(lambda: next(opened, None) or reopen(), stream.fault)
    if options.as_fast:
        return InOrder(source)
    from cuelens.adapters.replay import Paced

    paced = Paced(source)
    return LatestOnly(lambda: paced, stream.fault, hung_after_s=math.inf)


def _beats(
    interpreter: Interpreter,
    wearer: Profile,
    outputs: Sequence[str],
    chosen: Settings,
    watch: Stopwatch,
    stream: EventStream,
) -> Beats:
    contract = interpreter.contract
    reunion_s = wearer.policy.reunion_s
    pace = LookPace(chosen.look.newcomers_s, chosen.look.nobody_s, reunion_s)
    optics = Optics(chosen.lens.horizontal_degrees, chosen.look.farthest_m, chosen.camera.rotation in (90, 270))
    return Beats(
        Looking(HaarDetector(), optics, pace, watch),
        Reader(interpreter, watch),
        profile.settle_rule(wearer, contract.labels, contract.probabilities.enter),
        profile.policy_rule(wearer, outputs),
        watch,
        stream.emit,
        remembered_s=reunion_s,
    )


def _open_outputs(
    cues: Sequence[str], wearer: Profile, chosen: Settings, stream: EventStream
) -> tuple[Outputs, list[str]]:
    """Return the outputs that were asked for and are there, and their names."""
    light: Light | None = None
    voice: Voice | None = None
    names = ["console"] if "console" in cues else []
    if "light" in cues:
        from cuelens.adapters.gpio import GpioLight

        try:
            light = gpio = GpioLight(chosen.pins)
        except AbsentDevice as error:
            stream.fault("no light", str(error))
        else:
            names.append("light")
            if gpio.mocked:
                print("no GPIO on this machine: the light is simulated on gpiozero's mock pins", file=sys.stderr)
    if "voice" in cues and not wearer.sound.on:
        print('sound is off in this profile: phrases are spoken once it has "sound": {"on": true}', file=sys.stderr)
    elif "voice" in cues:
        from cuelens.adapters.alsa import AlsaVoice
        from cuelens.adapters.voice import prepare

        names.append("voice")
        phrases = {entry.phrase for entry in wearer.cues.entries().values() if entry.phrase}
        voice = AlsaVoice(
            lambda: prepare(sorted(phrases), wearer.language, chosen.state_dir() / "phrases"),
            chosen.speaker.device,
            profile.volume(wearer),
            lambda sentence: stream.fault("no sound", sentence),
        )
    return Outputs(wearer, light, voice, stream.fault), names


class _Stop:
    """How a run is asked to end from outside, and what the process says about it afterwards."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.event.is_set():
            # Asked twice: end it the hard way.
            raise KeyboardInterrupt
        self.event.set()
        if number == signal.SIGINT:
            self.status = 128 + signal.SIGINT


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
