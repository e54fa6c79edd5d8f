"""`cuelens run` and `cuelens demo`: assemble a run from options, settings, profile and bundle."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens import events
from cuelens.commands import assembly, console, summary
from cuelens.commands.caregiver_parts import CaregiverParts
from cuelens.commands.first_minute import FirstMinute, attempted
from cuelens.commands.requests import Parts, Requests
from cuelens.commands.restart import begin_anew, end_run
from cuelens.commands.startup import RunOptions, Startup, check
from cuelens.frame import Frame
from cuelens.health import start_pages
from cuelens.health.health import Health
from cuelens.health.systemd import Notify, without_retry
from cuelens.link import address
from cuelens.profile.library import Library
from cuelens.runtime.button import ButtonThread, Gestures
from cuelens.runtime.calibration import FIRST_LEASE_S, Calibration
from cuelens.runtime.code_teller import CodeTeller
from cuelens.runtime.collecting import Collecting
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.hardware import fit
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.pipeline import Decision
from cuelens.runtime.recent import Recent
from cuelens.runtime.signals import Stop, stop_on_signals
from cuelens.story.files import FILE
from cuelens.vision.stage_times import StageTimes

if TYPE_CHECKING:
    from cuelens.commands.story_keeper import Story

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
    typed = bool(options.config or options.profile or options.bundle)
    notify = Notify()
    with without_retry(), stop_on_signals() as stop, attempted(typed=typed) as attempt:
        notify.starting("the settings, the network and the profile are read and checked")
        startup = check(options, picture, attempt)
        # Here, where all is loaded that every run needs, and no other thread has begun.
        start_pages.give_back()
        tally, watch = summary.Tally(), StageTimes()
        output = console.for_events(options.events)
        terminal = console.Console(output, cues="console" in options.cues)
        listeners: list[Callable[[events.Event], None]] = [tally, terminal, *readers]
        notify.starting("camera, lights, button and voice are opened")
        with _assemble(options, startup, stop, watch, listeners, [terminal.watch, *watchers]) as loop:
            try:
                outcome = loop.run(options.seconds, stop.event)
            finally:
                terminal.close()
            for line in summary.lines(outcome, tally, watch):
                print(line, file=output)
    if stop.begins_anew:
        begin_anew()
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
        stream, health = EventStream(), Health()
        stream.add(health)
        hardware = fit(startup.settings.pins, stream.fault, light="light" in options.cues, worn=startup.worn)
        stack.callback(hardware.close)
        wearer = assembly.wearer(startup, hardware, stream)
        source = assembly.first_source(startup, hardware, paused=wearer.paused)
        feed = assembly.feed(startup, source, hardware, stream, as_fast=options.as_fast, paused=wearer.paused)
        stack.callback(feed.close)
        open_voice = partial(assembly.voice, options.cues, startup.settings, stream)
        voice = open_voice(startup.active)
        outputs = Outputs(startup.active.profile, hardware.light, voice, stream.fault)
        stack.callback(outputs.close)
        file = assembly.event_file(options, stop.event, stack)
        story = assembly.story(startup, stream, stack)
        # The story comes first: a broken pipe of the events ends the run.
        for reader in (story, file, *readers):
            if reader:
                stream.add(reader)
        assembly.emit_beginning(startup, source.name if source else startup.source_name, wearer, stream)
        outputs_by_name = {"light": hardware.light, "voice": voice, "console": "console" in options.cues}
        beats = assembly.beats(startup, [name for name, output in outputs_by_name.items() if output], watch, stream)
        calibration, collecting, recent = Calibration(), Collecting(startup.interpreter.contract.labels), Recent()
        for reader in (collecting, recent):
            stream.add(reader)
        state = startup.settings.state_dir()
        first_minute = FirstMinute(startup.attempt, state, startup.active, partial(stream.fault, "not kept"))
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
            session_s=assembly.session_s(hardware, startup.active.profile),
            strain=assembly.strain,
            calibration=calibration,
            watchers=[calibration.see, collecting.see, *_worn_watchers(story, first_minute), *watchers],
        )
        fitted = tuple(name for name in ("light", "console") if outputs_by_name[name])
        caregiver = CaregiverParts(
            calibration=calibration,
            collecting=collecting,
            recent=recent,
            health=health,
            counts=loop.counts,
            begun=startup.attempt.begun,
            teller=CodeTeller(outputs),
            wishes=wearer,
            contract=startup.interpreter.contract,
            library=Library(state, options.profile),
            story=state / FILE,
            button=hardware.button is not None,
            light=hardware.light is not None,
        )
        parts = Parts(
            *(loop, gestures, outputs, stream, story, fitted, open_voice),
            session_s=partial(assembly.session_s, hardware),
            caregiver=caregiver,
            first_minute=first_minute,
            begin_anew=partial(end_run, loop, stop),
        )
        place = None if options.as_fast else address.own(startup.settings.state_dir())
        answering = Requests(options, startup, parts, speaks=voice is not None)
        stream.add(partial(_lapse, answering))
        assembly.listen(answering, place, stop, stream, stack)
        if place:
            # Before the link closes: it removes their folder.
            stack.callback(_forget_wanted, state)
        if "console" in options.cues and place:
            # Imported here: the service has no terminal.
            from cuelens.commands.keys import HINT, keys

            if stack.enter_context(keys(gestures.press, stop.event.set)):
                print(HINT, file=console.for_events(options.events))
        yield loop


def _worn_watchers(story: "Story | None", first_minute: FirstMinute) -> list[Callable[[Frame, Decision], None]]:
    return [story.see, first_minute.see] if story else []


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
