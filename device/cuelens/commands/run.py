"""Putting a run together from options, settings, profile and bundle; `cuelens run` and `cuelens demo` are this."""

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

    readers: see every event. watchers: see every frame with its decision. picture: what the caller will write then.
    All input is checked, and the source opened, before anything is written.
    """
    with stop_on_signals() as stop:
        checked = check(options, picture)
        tally, watch = summary.Tally(), StageTimes()
        printed = console.for_events(options.events)
        terminal = console.Console(printed, cues="console" in options.cues)
        listeners: list[Callable[[events.Event], None]] = [tally, terminal, *readers]
        with _assembled(options, checked, stop.event, watch, listeners, [terminal.watch, *watchers]) as loop:
            try:
                outcome = loop.run(options.seconds, stop.event)
            finally:
                terminal.close()
            for line in summary.lines(outcome, tally, watch):
                print(line, file=printed)
    return stop.status


@contextmanager
def _assembled(
    options: RunOptions,
    checked: Startup,
    stop: threading.Event,
    watch: StageTimes,
    readers: Sequence[Callable[[events.Event], None]],
    watchers: Sequence[Callable[[Frame, Decision], None]],
) -> Iterator[Loop]:
    """Yield the loop with all its parts, and close them afterwards, the last one first."""
    with ExitStack() as stack:
        stream = EventStream()
        hardware = fit(checked.settings.pins, stream.fault, light="light" in options.cues, worn=checked.worn)
        stack.callback(hardware.close)
        wearer = _wearer(checked, hardware, stream)
        source = _first_source(checked, hardware, paused=wearer.paused)
        feed = _feed(checked, source, hardware, stream, as_fast=options.as_fast, paused=wearer.paused)
        stack.callback(feed.close)
        voice = _voice(options.cues, checked, stream)
        outputs = Outputs(checked.active.profile, hardware.light, voice, stream.fault)
        stack.callback(outputs.close)
        for reader in (*_keepers(options, checked, stream, stop, stack), *readers):
            stream.add(reader)
        _tell_beginning(checked, source.name if source else checked.source_name, wearer, stream)
        there = {"light": hardware.light, "voice": voice, "console": "console" in options.cues}
        beats = _beats(checked, [name for name, there in there.items() if there], watch, stream)
        if hardware.button:
            stack.callback(ButtonThread(hardware.button, wearer, outputs, feed, stream).close)
        yield Loop(
            feed,
            beats,
            outputs,
            stream,
            live=not options.as_fast,
            wearer=wearer if checked.worn else None,
            session_s=_session_s(checked, hardware),
            strain=_strain,
            watchers=watchers,
        )


def _open(checked: Startup, hardware: Hardware) -> FrameSource:
    return hardware.open_lit(lambda: open_source(checked.source_name, checked.settings.camera))


def _first_source(checked: Startup, hardware: Hardware, *, paused: bool) -> FrameSource | None:
    """Return the source that a run begins with. A camera that only the settings name, or is paused, the feed opens."""
    if checked.source or checked.patient or paused:
        return checked.source
    return _open(checked, hardware)


def _wearer(checked: Startup, hardware: Hardware, stream: EventStream) -> Wishes:
    """Return the wearer's wishes. Without a button, none: nobody could take them back."""
    if hardware.button:
        return checked.wearer
    if checked.wearer.muted or checked.wearer.paused:
        stream.fault("no button", "a mute or pause asked for earlier is passed over: nobody could end it")
    wearer = Wishes()
    wearer.answered_first = checked.wearer.answered_first
    return wearer


def _session_s(checked: Startup, hardware: Hardware) -> float:
    """Return how long a session lasts; without an end where no press could begin the next."""
    return 60.0 * checked.active.profile.session.minutes if hardware.button else 0.0


def _feed(
    checked: Startup,
    source: FrameSource | None,
    hardware: Hardware,
    stream: EventStream,
    *,
    as_fast: bool,
    paused: bool,
) -> Feed:
    reopen = partial(_open, checked, hardware)
    if checked.source is None:
        return CaptureThread(reopen, stream.fault, first=source, patient=checked.patient, paused=paused)
    if as_fast:
        return InOrder(checked.source)
    from cuelens.adapters.files import Paced

    return CaptureThread(reopen, stream.fault, first=Paced(checked.source), paused=paused, is_file=True)


def _strain() -> Strain:
    return Strain(board.temperature_c(), board.under_voltage())


def _beats(checked: Startup, outputs: Sequence[str], watch: StageTimes, stream: EventStream) -> Pipeline:
    chosen, profile = checked.settings, checked.active.profile
    return assemble(
        HaarDetector(),
        checked.interpreter,
        watch,
        stream.emit,
        outputs=outputs,
        wearer=profile,
        optics=Optics(
            horizontal_degrees=chosen.lens.horizontal_degrees,
            farthest_m=chosen.look.farthest_m,
            sideways=chosen.camera.rotation in (90, 270),
        ),
        pace=LookPace(chosen.look.newcomers_s, chosen.look.nobody_s, profile.policy.reunion_s),
        answered_first=checked.wearer.answered_first,
    )


def _voice(cues: Sequence[str], checked: Startup, stream: EventStream) -> Voice | None:
    """Return the voice, if it is asked for, allowed and there."""
    chosen, profile = checked.settings, checked.active.profile
    if "voice" not in cues:
        return None
    if not profile.sound.on:
        advice = 'sound is off in this profile: phrases are spoken once it has "sound": {"on": true}'
        print(journal_level(sys.stderr, 6) + advice, file=sys.stderr)
        return None
    from cuelens.adapters.alsa import AlsaVoice
    from cuelens.adapters.speech import prepare

    folder, kept = checked.active.folder, chosen.state_dir() / "phrases"
    try:
        return AlsaVoice(
            lambda: prepare(profile, folder, kept, partial(stream.fault, "not as chosen")),
            chosen.speaker.device,
            volume(profile),
            partial(stream.fault, "no sound"),
        )
    except AbsentDevice as error:
        stream.fault("no sound", str(error))
        return None


def _keepers(
    options: RunOptions, checked: Startup, stream: EventStream, stop: threading.Event, ending: ExitStack
) -> list[Callable[[events.Event], None]]:
    """Return the readers that write files, the story first: whoever reads the events may go away, which ends the run.

    A worn run also keeps the profile that it goes by, as the last good one.
    """
    keepers: list[Callable[[events.Event], None]] = []
    if options.events is not None:
        file = EventFile(options.events, patient=options.as_fast, stop=stop)
        ending.callback(file.close)
        keepers.append(file)
    if checked.worn:
        state, profile = checked.settings.state_dir(), checked.active.profile
        if trouble := store.keep_good(state, checked.active):
            stream.fault("not kept", trouble)
        story = Writer(state / FILE, stream.fault, mode=profile.mode, school=profile.school)
        ending.callback(story.close)
        keepers.insert(0, story)
    return keepers


def _tell_beginning(checked: Startup, source: str, wearer: Wishes, stream: EventStream) -> None:
    """Tell what this run is, what was wrong with its files, and what the wearer had asked for before it."""
    for fault, detail in checked.faults:
        stream.fault(fault, detail)
    profile = checked.active.profile
    title = checked.interpreter.contract.title()
    stream.emit(events.Start(bundle=title, source=source, school=profile.school))
    stream.emit(events.Mode(t=0.0, mode=profile.mode))
    if wearer.muted:
        stream.emit(events.Mute(t=0.0, on=True))
    if wearer.paused:
        stream.emit(events.Pause(t=0.0, on=True))
