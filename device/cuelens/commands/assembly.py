"""The parts of a run, each made of what startup has checked."""

import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens import events
from cuelens.adapters import last_resort
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.sources import open_source
from cuelens.camera.capture import CaptureThread, Feed
from cuelens.camera.in_order import InOrder
from cuelens.commands.requests import Requests
from cuelens.commands.restart import has_begun_anew
from cuelens.commands.startup import RunOptions, Startup
from cuelens.health import board
from cuelens.ports import FrameSource, Voice
from cuelens.profile import store
from cuelens.profile.profile import Profile
from cuelens.profile.rules import volume
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.build import assemble
from cuelens.runtime.event_file import EventFile
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.hardware import Hardware
from cuelens.runtime.pacing import Strain
from cuelens.runtime.pipeline import Pipeline
from cuelens.runtime.signals import Stop
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Settings
from cuelens.story.files import FILE
from cuelens.vision.face_finder import LookPace
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.command import journal_level
from cuelens_models.errors import AbsentDevice, Unwritable

if TYPE_CHECKING:
    from cuelens.commands.story_keeper import Story


def _open(startup: Startup, hardware: Hardware) -> FrameSource:
    return hardware.open_lit(lambda: open_source(startup.source_name, startup.settings.camera))


def first_source(startup: Startup, hardware: Hardware, *, paused: bool) -> FrameSource | None:
    """Return the source that a run begins with. None: the feed opens the camera, which may be absent or paused."""
    if startup.source or startup.patient or paused:
        return startup.source
    return _open(startup, hardware)


def wearer(startup: Startup, hardware: Hardware, stream: EventStream) -> Wishes:
    """Return the wearer's wishes. Without a button there are none, since no press could end them."""
    if hardware.button:
        return startup.wearer
    if startup.wearer.muted or startup.wearer.paused:
        stream.fault("no button", "a mute or pause asked for earlier is passed over: nobody could end it")
    wearer = Wishes()
    wearer.answered_first = startup.wearer.answered_first
    return wearer


def session_s(hardware: Hardware, profile: Profile) -> float:
    """Return the length of a session in seconds; 0 (no end) without a button, since no press could begin the next."""
    return 60.0 * profile.session.minutes if hardware.button else 0.0


def feed(
    startup: Startup,
    source: FrameSource | None,
    hardware: Hardware,
    stream: EventStream,
    *,
    as_fast: bool,
    paused: bool,
) -> Feed:
    """Return where frames come from. paused: begin paused, with no camera open."""
    reopen = partial(_open, startup, hardware)
    if startup.source is None:
        return CaptureThread(reopen, stream.fault, first=source, patient=startup.patient, paused=paused)
    if as_fast:
        return InOrder(startup.source)
    from cuelens.adapters.files import Paced

    return CaptureThread(reopen, stream.fault, first=Paced(startup.source), paused=paused, is_file=True)


def strain() -> Strain:
    """Return the strain on this board."""
    return Strain(board.temperature_c(), board.under_voltage())


def beats(startup: Startup, outputs: Sequence[str], watch: StageTimes, stream: EventStream) -> Pipeline:
    """Return the pipeline from a frame to a decision. outputs: names of those that there are."""
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


def voice(cues: Sequence[str], setup: Settings, stream: EventStream, active: ProfileInForce) -> Voice | None:
    """Return the voice; None if the options, the profile or the hardware have none."""
    profile = active.profile
    last_resort.leave_profile(profile, device=setup.speaker.device if "voice" in cues else None)
    if "voice" not in cues:
        return None
    if not profile.sound.on:
        advice = 'sound is off in this profile: phrases are spoken once it has "sound": {"on": true}'
        print(journal_level(sys.stderr, 6) + advice, file=sys.stderr)
        return None
    from cuelens.adapters.alsa import AlsaVoice
    from cuelens.adapters.speech import prepare

    folder, cache, device = active.folder, setup.state_dir() / "phrases", setup.speaker.device
    not_as_chosen = partial(stream.fault, "not as chosen")
    try:
        return AlsaVoice(
            lambda: last_resort.leave_alarm(prepare(profile, folder, cache, not_as_chosen), volume(profile)),
            device,
            volume(profile),
            partial(stream.fault, "no sound"),
        )
    except AbsentDevice as error:
        stream.fault("no sound", str(error))
        return None


def event_file(options: RunOptions, stop: threading.Event, ending: ExitStack) -> EventFile | None:
    """Return the writer of the events, if they are asked for. Raises Unwritable."""
    if options.events is None:
        return None
    file = EventFile(options.events, patient=options.as_fast, stop=stop, goes_on=has_begun_anew())
    ending.callback(file.close)
    return file


def story(startup: Startup, stream: EventStream, ending: ExitStack) -> "Story | None":
    """Return the writer of a worn run's story."""
    if not startup.worn:
        return None
    # Only a worn run loads SQLite.
    from cuelens.commands.story_keeper import Story

    state = startup.settings.state_dir()
    store.tidy(state)
    story = Story(state / FILE, startup.active.profile, stream.fault)
    ending.callback(story.close)
    return story


def listen(requests: Requests, place: Path | None, stop: Stop, stream: EventStream, ending: ExitStack) -> None:
    """Take requests by SIGHUP and by the link. place: of its socket; None for no link."""
    threading.Thread(target=requests.follow, args=(stop.reloads,), name="reload", daemon=True).start()
    ending.callback(stop.reloads.put, False)
    if place is None:
        return
    from cuelens.link.server import Server

    try:
        server = Server(place, requests.answer, requests.metrics)
    except Unwritable as error:
        stream.fault("no link", f"{error}; commands such as `cuelens press` do not reach this run")
    else:
        ending.callback(server.close)


def emit_beginning(startup: Startup, source: str, wearer: Wishes, stream: EventStream) -> None:
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
