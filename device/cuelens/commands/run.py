"""`cuelens run` and `cuelens demo`: assemble a run from options, settings, profile and bundle."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from cuelens import events
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.sources import open_source
from cuelens.camera.capture import CaptureThread, Feed
from cuelens.camera.in_order import InOrder
from cuelens.commands import console, summary
from cuelens.commands.startup import RunOptions, Startup, check
from cuelens.frame import Frame
from cuelens.health import board
from cuelens.ports import FrameSource, Voice
from cuelens.profile import store
from cuelens.profile.rules import volume
from cuelens.runtime.build import assemble
from cuelens.runtime.button import ButtonThread
from cuelens.runtime.event_file import EventFile
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.hardware import Hardware, fit
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pacing import Strain
from cuelens.runtime.pipeline import Decision, Pipeline
from cuelens.runtime.signals import stop_on_signals
from cuelens.runtime.wishes import Wishes
from cuelens.story.store import FILE
from cuelens.story.writer import Writer
from cuelens.vision.face_finder import LookPace
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.command import journal_level
from cuelens_models.errors import AbsentDevice

__all__ = ["RunOptions", "run"]


def run(
    options: RunOptions,
    readers: Sequence[Callable[[events.Event], None]] = (),
    watchers: Sequence[Callable[[Frame, Decision], None]] = (),
    picture: Path | None = None,
) -> int:
    """Run until the source ends, the time is up, or a signal comes; print the summary. Returns the exit status.

    All input is checked, and the source opened, before anything is written.

    Args:
        options: the command line.
        readers: called with every event.
        watchers: called with every frame and its decision.
        picture: a file that the caller writes afterwards; it must not overwrite an input.
    """
    with stop_on_signals() as stop:
        startup = check(options, picture)
        tally, watch = summary.Tally(), StageTimes()
        output = console.for_events(options.events)
        terminal = console.Console(output, cues="console" in options.cues)
        listeners: list[Callable[[events.Event], None]] = [tally, terminal, *readers]
        with _assemble(options, startup, stop.event, watch, listeners, [terminal.watch, *watchers]) as loop:
            try:
                outcome = loop.run(options.seconds, stop.event)
            finally:
                terminal.close()
            for line in summary.lines(outcome, tally, watch):
                print(line, file=output)
    return stop.status


@contextmanager
def _assemble(
    options: RunOptions,
    startup: Startup,
    stop: threading.Event,
    watch: StageTimes,
    readers: Sequence[Callable[[events.Event], None]],
    watchers: Sequence[Callable[[Frame, Decision], None]],
) -> Iterator[Loop]:
    """Yield the loop with all its parts. Afterwards close them, the last one first."""
    with ExitStack() as stack:
        stream = EventStream()
        hardware = fit(startup.settings.pins, stream.fault, light="light" in options.cues, worn=startup.worn)
        stack.callback(hardware.close)
        wearer = _wearer(startup, hardware, stream)
        source = _first_source(startup, hardware, paused=wearer.paused)
        feed = _feed(startup, source, hardware, stream, as_fast=options.as_fast, paused=wearer.paused)
        stack.callback(feed.close)
        voice = _voice(options.cues, startup, stream)
        outputs = Outputs(startup.active.profile, hardware.light, voice, stream.fault)
        stack.callback(outputs.close)
        for reader in (*_file_writers(options, startup, stream, stop, stack), *readers):
            stream.add(reader)
        _emit_beginning(startup, source.name if source else startup.source_name, wearer, stream)
        outputs_by_name = {"light": hardware.light, "voice": voice, "console": "console" in options.cues}
        beats = _beats(startup, [name for name, output in outputs_by_name.items() if output], watch, stream)
        if hardware.button:
            stack.callback(ButtonThread(hardware.button, wearer, outputs, feed, stream).close)
        yield Loop(
            feed,
            beats,
            outputs,
            stream,
            live=not options.as_fast,
            wearer=wearer if startup.worn else None,
            session_s=_session_s(startup, hardware),
            strain=_strain,
            watchers=watchers,
        )


def _open(startup: Startup, hardware: Hardware) -> FrameSource:
    return hardware.open_lit(lambda: open_source(startup.source_name, startup.settings.camera))


def _first_source(startup: Startup, hardware: Hardware, *, paused: bool) -> FrameSource | None:
    """Return the source that a run begins with. None: the feed opens the camera, which may be absent or paused."""
    if startup.source or startup.patient or paused:
        return startup.source
    return _open(startup, hardware)


def _wearer(startup: Startup, hardware: Hardware, stream: EventStream) -> Wishes:
    """Return the wearer's wishes. Without a button there are none, since no press could end them."""
    if hardware.button:
        return startup.wearer
    if startup.wearer.muted or startup.wearer.paused:
        stream.fault("no button", "a mute or pause asked for earlier is passed over: nobody could end it")
    wearer = Wishes()
    wearer.answered_first = startup.wearer.answered_first
    return wearer


def _session_s(startup: Startup, hardware: Hardware) -> float:
    """Return the length of a session in seconds; 0 (no end) without a button, since no press could begin the next."""
    return 60.0 * startup.active.profile.session.minutes if hardware.button else 0.0


def _feed(
    startup: Startup,
    source: FrameSource | None,
    hardware: Hardware,
    stream: EventStream,
    *,
    as_fast: bool,
    paused: bool,
) -> Feed:
    reopen = partial(_open, startup, hardware)
    if startup.source is None:
        return CaptureThread(reopen, stream.fault, first=source, patient=startup.patient, paused=paused)
    if as_fast:
        return InOrder(startup.source)
    from cuelens.adapters.files import Paced

    return CaptureThread(reopen, stream.fault, first=Paced(startup.source), paused=paused, is_file=True)


def _strain() -> Strain:
    return Strain(board.temperature_c(), board.under_voltage())


def _beats(startup: Startup, outputs: Sequence[str], watch: StageTimes, stream: EventStream) -> Pipeline:
    setup, profile = startup.settings, startup.active.profile
    return assemble(
        HaarDetector(),
        startup.interpreter,
        watch,
        stream.emit,
        outputs=outputs,
        wearer=profile,
        optics=Optics(
            horizontal_degrees=setup.lens.horizontal_degrees,
            farthest_m=setup.look.farthest_m,
            sideways=setup.camera.rotation in (90, 270),
        ),
        pace=LookPace(setup.look.newcomers_s, setup.look.nobody_s, profile.policy.reunion_s),
        answered_first=startup.wearer.answered_first,
    )


def _voice(cues: Sequence[str], startup: Startup, stream: EventStream) -> Voice | None:
    """Return the voice; None if the options, the profile or the hardware have none."""
    setup, profile = startup.settings, startup.active.profile
    if "voice" not in cues:
        return None
    if not profile.sound.on:
        advice = 'sound is off in this profile: phrases are spoken once it has "sound": {"on": true}'
        print(journal_level(sys.stderr, 6) + advice, file=sys.stderr)
        return None
    from cuelens.adapters.alsa import AlsaVoice
    from cuelens.adapters.speech import prepare

    folder, cache = startup.active.folder, setup.state_dir() / "phrases"
    try:
        return AlsaVoice(
            lambda: prepare(profile, folder, cache, partial(stream.fault, "not as chosen")),
            setup.speaker.device,
            volume(profile),
            partial(stream.fault, "no sound"),
        )
    except AbsentDevice as error:
        stream.fault("no sound", str(error))
        return None


def _file_writers(
    options: RunOptions, startup: Startup, stream: EventStream, stop: threading.Event, ending: ExitStack
) -> list[Callable[[events.Event], None]]:
    """Return the readers that write files. The story comes first: a broken pipe of the events ends the run.

    A worn run also stores its profile, as the last good one.
    """
    writers: list[Callable[[events.Event], None]] = []
    if options.events is not None:
        file = EventFile(options.events, patient=options.as_fast, stop=stop)
        ending.callback(file.close)
        writers.append(file)
    if startup.worn:
        state, profile = startup.settings.state_dir(), startup.active.profile
        if trouble := store.keep_good(state, startup.active):
            stream.fault("not kept", trouble)
        story = Writer(state / FILE, stream.fault, mode=profile.mode, school=profile.school)
        ending.callback(story.close)
        writers.insert(0, story)
    return writers


def _emit_beginning(startup: Startup, source: str, wearer: Wishes, stream: EventStream) -> None:
    """Emit the first events: faults in the files, the start, the mode, and a mute or pause of an earlier run."""
    for fault, detail in startup.faults:
        stream.fault(fault, detail)
    profile = startup.active.profile
    title = startup.interpreter.contract.title()
    stream.emit(events.Start(bundle=title, source=source, school=profile.school))
    stream.emit(events.Mode(t=0.0, mode=profile.mode))
    if wearer.muted:
        stream.emit(events.Mute(t=0.0, on=True))
    if wearer.paused:
        stream.emit(events.Pause(t=0.0, on=True))
