"""Putting a run together from options, settings, profile and bundle; `cuelens run` and `cuelens demo` are this."""

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
from cuelens.adapters.haar import HaarDetector
from cuelens.beat import Beats, Decision
from cuelens.daemon import Daemon, Outcome
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

    readers: see every event. watchers: see every frame with its decision. All input is checked before anything is
    written or lit.
    """
    chosen = settings.read(options.config)
    wearer = profile.read(options.profile) if options.profile else Profile()
    stream = EventStream()
    cv2.setNumThreads(chosen.threads.opencv)
    with _stop_on_signals() as stop, ExitStack() as stack:
        interpreter, bundle_fault = _open_bundle(options.bundle, chosen)
        source_name = chosen.camera.source if options.source is None else options.source
        source = None if is_camera(source_name) else open_source(source_name, chosen.camera)
        if source:
            stack.callback(source.close)
        _protect(options, source_name)
        tally = summary.Tally()
        terminal = console.Console(console.for_events(options.events), cues="console" in options.cues)
        if options.events:
            file = EventFile(options.events)
            stack.callback(file.close)
            stream.add(file)
        stream.add(tally)
        stream.add(terminal)
        for reader in readers:
            stream.add(reader)
        outputs = _open_outputs(options.cues, wearer, chosen, stream)
        stack.callback(outputs.close)
        stream.emit(events.Start(bundle=interpreter.contract.title(), source=source.name if source else source_name))
        if bundle_fault:
            stream.fault("bundle damaged", bundle_fault)
        watch = Stopwatch()
        daemon = Daemon(
            _feed(options, source, source_name, chosen, stream),
            _beats(interpreter, wearer, chosen, watch, stream),
            outputs,
            stream,
            live=not options.as_fast,
            watchers=[terminal.watch, *watchers],
        )
        try:
            outcome: Outcome = daemon.run(options.seconds, stop.event)
        finally:
            terminal.close()
        for line in summary.lines(outcome, tally, watch):
            print(line, file=console.for_events(options.events))
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
    interpreter = Interpreter(bundle, chosen.threads.model)
    interpreter.check_golden()
    return interpreter


def _protect(options: RunOptions, source_name: str) -> None:
    """Refuse to write events over something of the user's that this run reads."""
    if options.events in (None, "-"):
        return
    target = Path(str(options.events))
    for read in (options.config, options.profile, options.bundle, Path(source_name)):
        if read and read.exists() and target.exists() and target.samefile(read):
            raise BadInput(f"--events {target} would overwrite {read}: choose another file")


def _feed(
    options: RunOptions, source: FrameSource | None, source_name: str, chosen: Settings, stream: EventStream
) -> Feed:
    if source is None:
        # A camera that the settings name is waited for; one asked for by hand is missed at once.
        return LatestOnly(lambda: open_source(source_name, chosen.camera), stream.fault, patient=options.source is None)
    if options.as_fast:
        return InOrder(source)
    from cuelens.adapters.replay import Paced

    paced = Paced(source)
    return LatestOnly(lambda: paced, stream.fault)


def _beats(interpreter: Interpreter, wearer: Profile, chosen: Settings, watch: Stopwatch, stream: EventStream) -> Beats:
    contract = interpreter.contract
    pace = LookPace(chosen.look.newcomers_s, chosen.look.nobody_s, wearer.policy.reunion_s)
    optics = Optics(chosen.lens.horizontal_degrees, chosen.look.farthest_m)
    return Beats(
        Looking(HaarDetector(), optics, pace, watch),
        Reader(interpreter, watch),
        profile.settle_rule(wearer, contract.labels, contract.probabilities.enter),
        profile.policy_rule(wearer),
        watch,
        stream.emit,
    )


def _open_outputs(cues: Sequence[str], wearer: Profile, chosen: Settings, stream: EventStream) -> Outputs:
    light: Light | None = None
    voice: Voice | None = None
    if "light" in cues:
        from cuelens.adapters.gpio import GpioLight

        try:
            gpio = GpioLight(chosen.pins)
        except AbsentDevice as error:
            stream.fault("no light", str(error))
        else:
            light = gpio
            if gpio.mocked:
                print("no GPIO on this machine: the light is simulated on gpiozero's mock pins", file=sys.stderr)
    if "voice" in cues and not wearer.sound.on:
        print('sound is off in this profile: phrases are spoken once it has "sound": {"on": true}', file=sys.stderr)
    elif "voice" in cues:
        from cuelens.adapters.alsa import AlsaVoice
        from cuelens.adapters.voice import prepare

        phrases = {entry.phrase for entry in wearer.cues.entries().values() if entry.phrase}
        voice = AlsaVoice(
            lambda: prepare(sorted(phrases), wearer.language, chosen.state_dir() / "phrases"),
            chosen.speaker.device,
            profile.volume(wearer),
            lambda sentence: stream.fault("no sound", sentence),
        )
    return Outputs(wearer, light, voice)


class _Stop:
    """How a run is asked to end from outside, and what the process says about it afterwards."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.status = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.event.set()
        if number == signal.SIGINT:
            self.status = 128 + signal.SIGINT
            # A second Ctrl-C ends it the hard way.
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
