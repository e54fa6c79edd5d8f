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

from cuelens import board, console, events, profile, settings, summary
from cuelens.adapters import haar
from cuelens.adapters.haar import HaarDetector
from cuelens.assemble import assemble
from cuelens.beat import Beats, Decision
from cuelens.cadence import Strain
from cuelens.daemon import Daemon
from cuelens.feed import Feed, InOrder, LatestOnly
from cuelens.look import LookPace
from cuelens.optics import Optics
from cuelens.outputs import Outputs
from cuelens.ports import FrameSource, Light, Voice
from cuelens.profile import Profile
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


@dataclass(frozen=True, slots=True)
class _Checked:
    """Everything that a run reads, read and checked. faults: what was wrong and was replaced, as (fault, detail)."""

    settings: Settings
    profile: Profile
    interpreter: Interpreter
    source: FrameSource | None
    source_name: str
    faults: tuple[tuple[str, str], ...]


def run(
    options: RunOptions,
    readers: Sequence[Callable[[events.Event], None]] = (),
    watchers: Sequence[Callable[[Frame, Decision], None]] = (),
    picture: Path | None = None,
) -> int:
    """Run until the source ends, the time is up, or a signal comes; print the summary. Returns the exit status.

    readers: see every event. watchers: see every frame with its decision. picture: what the caller will write then.
    All input is checked, and the source opened, before anything is written or lit.
    """
    with _stop_on_signals() as stop:
        checked = _check(options, picture)
        with ExitStack() as stack:
            if checked.source:
                closing = stack.enter_context(ExitStack())
                closing.callback(checked.source.close)
            stream, tally, watch = EventStream(), summary.Tally(), Stopwatch()
            outputs, names = _open_outputs(options.cues, checked.profile, checked.settings, stream)
            stack.callback(outputs.close)
            printed = console.for_events(options.events)
            terminal = console.Console(printed, cues="console" in options.cues)
            if options.events is not None:
                file = EventFile(options.events, patient=options.as_fast, stop=stop.event)
                stack.callback(file.close)
                stream.add(file)
            stream.add(tally)
            stream.add(terminal)
            for reader in readers:
                stream.add(reader)
            name = checked.source.name if checked.source else checked.source_name
            for fault, detail in checked.faults:
                stream.fault(fault, detail)
            stream.emit(events.Start(bundle=checked.interpreter.contract.title(), source=name))
            beats = _beats(checked, names, watch, stream)
            feed = _feed(checked, stream, patient=options.source is None, as_fast=options.as_fast)
            if checked.source:
                # From now on it is the feed's, which closes it on the thread that reads it.
                closing.pop_all()
            daemon = Daemon(
                feed,
                beats,
                outputs,
                stream,
                live=not options.as_fast,
                strain=_strain,
                watchers=[terminal.watch, *watchers],
            )
            try:
                outcome = daemon.run(options.seconds, stop.event)
            finally:
                terminal.close()
            for line in summary.lines(outcome, tally, watch):
                print(line, file=printed)
    return stop.status


def _check(options: RunOptions, picture: Path | None) -> _Checked:
    """Read and check everything, and open the source. Nothing is written."""
    config = options.config or settings.usual_path()
    chosen = settings.read(config)
    state = chosen.state_dir()
    wearer, profile_fault = (profile.read(options.profile), "") if options.profile else profile.active(state)
    cv2.setNumThreads(chosen.threads.opencv)
    interpreter, bundle_fault = _open_bundle(options.bundle, chosen)
    name = chosen.camera.source if options.source is None else options.source
    inputs = [
        *(config, options.profile or profile.active_path(state), options.bundle, SHIPPED),
        *(Path(place) for place in (chosen.places.bundle, name) if place),
    ]
    kept_events = Path(options.events) if options.events and options.events != "-" else None
    for output in (picture, kept_events):
        if output:
            command.refuse_overwriting(output, inputs)
    if picture and kept_events and picture.resolve() == kept_events.resolve():
        raise BadInput(f"{picture} cannot be both the picture and the events: choose another file")
    faults = (("profile damaged", profile_fault), ("bundle damaged", bundle_fault))
    return _Checked(
        settings=chosen,
        profile=wearer,
        interpreter=interpreter,
        source=_open_source(options, name, chosen),
        source_name=name,
        faults=tuple(fault for fault in faults if fault[1]),
    )


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


def _feed(checked: _Checked, stream: EventStream, *, patient: bool, as_fast: bool) -> Feed:
    def reopen() -> FrameSource:
        return open_source(checked.source_name, checked.settings.camera)

    if checked.source is None or is_camera(checked.source_name):
        return LatestOnly(reopen, stream.fault, first=checked.source, patient=patient)
    if as_fast:
        return InOrder(checked.source)
    from cuelens.adapters.replay import Paced

    return LatestOnly(reopen, stream.fault, first=Paced(checked.source), hung_after_s=math.inf)


def _strain() -> Strain:
    return Strain(board.temperature_c(), board.under_voltage())


def _beats(checked: _Checked, outputs: Sequence[str], watch: Stopwatch, stream: EventStream) -> Beats:
    chosen, wearer = checked.settings, checked.profile
    return assemble(
        HaarDetector(),
        checked.interpreter,
        watch,
        stream.emit,
        outputs=outputs,
        wearer=wearer,
        optics=Optics(
            horizontal_degrees=chosen.lens.horizontal_degrees,
            farthest_m=chosen.look.farthest_m,
            sideways=chosen.camera.rotation in (90, 270),
        ),
        pace=LookPace(chosen.look.newcomers_s, chosen.look.nobody_s, wearer.policy.reunion_s),
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

        phrases = {entry.phrase for entry in wearer.cues.entries().values() if entry.phrase}
        try:
            voice = AlsaVoice(
                lambda: prepare(sorted(phrases), wearer.language, chosen.state_dir() / "phrases"),
                chosen.speaker.device,
                profile.volume(wearer),
                lambda sentence: stream.fault("no sound", sentence),
            )
            names.append("voice")
        except AbsentDevice as error:
            stream.fault("no sound", str(error))
    return Outputs(wearer, light, voice, stream.fault), names


class _Stop:
    """How a run is asked to end from outside, and what the process says about it afterwards."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            self.status = 128 + signal.SIGINT
            if self.event.is_set():
                # Asked twice by hand: end it the hard way.
                raise KeyboardInterrupt
        self.event.set()


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """End a run on Ctrl-C, SIGTERM and SIGHUP; one that is ignored (nohup) stays ignored."""
    stop = _Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
