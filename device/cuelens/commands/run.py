"""`cuelens run` and `cuelens demo`: assemble a run from options, settings, profile and bundle."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from cuelens import events
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.sources import open_source
from cuelens.camera.capture import CaptureThread, Feed
from cuelens.camera.in_order import InOrder
from cuelens.commands import console, summary
from cuelens.commands.caregiver import CaregiverParts
from cuelens.commands.keys import HINT, keys
from cuelens.commands.requests import Parts, Requests, Story
from cuelens.commands.startup import RunOptions, Startup, check
from cuelens.frame import Frame
from cuelens.health import board
from cuelens.health.systemd import without_retry
from cuelens.link import address
from cuelens.link.server import Server
from cuelens.ports import FrameSource, Voice
from cuelens.profile import store
from cuelens.profile.library import Library
from cuelens.profile.profile import Profile
from cuelens.profile.rules import volume
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.build import assemble
from cuelens.runtime.button import ButtonThread, Gestures
from cuelens.runtime.calibration import FIRST_LEASE_S, Calibration
from cuelens.runtime.code_teller import CodeTeller
from cuelens.runtime.collecting import Collecting
from cuelens.runtime.event_file import EventFile
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.hardware import Hardware, fit
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pacing import Strain
from cuelens.runtime.pipeline import Decision, Pipeline
from cuelens.runtime.recent import Recent
from cuelens.runtime.signals import Stop, stop_on_signals
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Settings
from cuelens.story.store import FILE
from cuelens.vision.face_finder import LookPace
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.command import journal_level
from cuelens_models.errors import AbsentDevice, Unwritable

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
    with without_retry(), stop_on_signals() as stop:
        startup = check(options, picture)
        tally, watch = summary.Tally(), StageTimes()
        output = console.for_events(options.events)
        terminal = console.Console(output, cues="console" in options.cues)
        listeners: list[Callable[[events.Event], None]] = [tally, terminal, *readers]
        with _assemble(options, startup, stop, watch, listeners, [terminal.watch, *watchers]) as loop:
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
    stop: Stop,
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
        open_voice = partial(_voice, options.cues, startup.settings, stream)
        voice = open_voice(startup.active)
        outputs = Outputs(startup.active.profile, hardware.light, voice, stream.fault)
        stack.callback(outputs.close)
        file = _event_file(options, stop.event, stack)
        story = _story(startup, stream, stack)
        # The story comes first: a broken pipe of the events ends the run.
        for reader in (story, file, *readers):
            if reader:
                stream.add(reader)
        _emit_beginning(startup, source.name if source else startup.source_name, wearer, stream)
        outputs_by_name = {"light": hardware.light, "voice": voice, "console": "console" in options.cues}
        beats = _beats(startup, [name for name, output in outputs_by_name.items() if output], watch, stream)
        calibration, collecting, recent = Calibration(), Collecting(startup.interpreter.contract.labels), Recent()
        for reader in (collecting, recent):
            stream.add(reader)
        state = startup.settings.state_dir()
        gestures = Gestures(wearer, outputs, feed, stream, partial(_begin_calibration, calibration, state))
        if hardware.button:
            stack.callback(ButtonThread(hardware.button, gestures).close)
        loop = Loop(
            feed,
            beats,
            outputs,
            stream,
            live=not options.as_fast,
            wearer=wearer,
            worn=startup.worn,
            session_s=_session_s(hardware, startup.active.profile),
            strain=_strain,
            calibration=calibration,
            watchers=[calibration.see, collecting.see, *([story.see] if story else []), *watchers],
        )
        fitted = tuple(name for name in ("light", "console") if outputs_by_name[name])
        caregiver = CaregiverParts(
            calibration=calibration,
            collecting=collecting,
            recent=recent,
            teller=CodeTeller(outputs),
            wishes=wearer,
            contract=startup.interpreter.contract,
            library=Library(state, options.profile),
            story=state / FILE,
            button=hardware.button is not None,
            light=hardware.light is not None,
        )
        session_s = partial(_session_s, hardware)
        parts = Parts(loop, gestures, outputs, stream, story, fitted, open_voice, session_s, caregiver)
        place = None if options.as_fast else address.own(startup.settings.state_dir())
        answering = Requests(options, startup, parts, speaks=voice is not None)
        stream.add(partial(_lapse, answering))
        _listen(answering, place, stop, stream, stack)
        if place:
            # Before the link closes: it removes their folder.
            stack.callback(_forget_wanted, state)
        if "console" in options.cues and place and stack.enter_context(keys(gestures.press, stop.event.set)):
            print(HINT, file=console.for_events(options.events))
        yield loop


def _begin_calibration(calibration: Calibration, state: Path) -> bool:
    """Begin a calibration, and wake the page's process: cuelens-page.path waits for this file. Returns True."""
    calibration.begin(FIRST_LEASE_S)
    with suppress(OSError):
        address.wanted(state).touch()
    return True


def _forget_wanted(state: Path) -> None:
    with suppress(OSError):
        address.wanted(state).unlink()


def _lapse(requests: Requests, event: events.Event) -> None:
    """Undo a calibration's draft when it has ended, on a thread of its own: the loop has to take the profile."""
    if isinstance(event, events.Calibration) and not event.on:
        threading.Thread(target=requests.lapse, name="lapse", daemon=True).start()


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


def _session_s(hardware: Hardware, profile: Profile) -> float:
    """Return the length of a session in seconds; 0 (no end) without a button, since no press could begin the next."""
    return 60.0 * profile.session.minutes if hardware.button else 0.0


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


def _voice(cues: Sequence[str], setup: Settings, stream: EventStream, active: ProfileInForce) -> Voice | None:
    """Return the voice; None if the options, the profile or the hardware have none."""
    profile = active.profile
    if "voice" not in cues:
        return None
    if not profile.sound.on:
        advice = 'sound is off in this profile: phrases are spoken once it has "sound": {"on": true}'
        print(journal_level(sys.stderr, 6) + advice, file=sys.stderr)
        return None
    from cuelens.adapters.alsa import AlsaVoice
    from cuelens.adapters.speech import prepare

    folder, cache = active.folder, setup.state_dir() / "phrases"
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


def _event_file(options: RunOptions, stop: threading.Event, ending: ExitStack) -> EventFile | None:
    """Return the writer of the events, if they are asked for. Raises Unwritable."""
    if options.events is None:
        return None
    file = EventFile(options.events, patient=options.as_fast, stop=stop)
    ending.callback(file.close)
    return file


def _story(startup: Startup, stream: EventStream, ending: ExitStack) -> Story | None:
    """Return the writer of a worn run's story. Such a run also stores its profile, as the last good one."""
    if not startup.worn:
        return None
    state = startup.settings.state_dir()
    if trouble := store.keep_good(state, startup.active):
        stream.fault("not kept", trouble)
    story = Story(state / FILE, startup.active.profile, stream.fault)
    ending.callback(story.close)
    return story


def _listen(requests: Requests, place: Path | None, stop: Stop, stream: EventStream, ending: ExitStack) -> None:
    """Take requests by SIGHUP and by the link. place: of its socket; None for no link."""
    threading.Thread(target=requests.follow, args=(stop.reloads,), name="reload", daemon=True).start()
    ending.callback(stop.reloads.put, False)
    if place is None:
        return
    try:
        server = Server(place, requests.answer)
    except Unwritable as error:
        stream.fault("no link", f"{error}; commands such as `cuelens press` do not reach this run")
    else:
        ending.callback(server.close)


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
