"""What running glasses are asked for: a press, a cue to try, their files again. It comes by the link or by SIGHUP."""

import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from cuelens import events
from cuelens.commands.caregiver_parts import CaregiverParts
from cuelens.commands.first_minute import FirstMinute
from cuelens.commands.restart import settings_changed
from cuelens.commands.startup import RunOptions, Startup, active_profile, with_mode
from cuelens.cues.modes import mode
from cuelens.ports import Voice
from cuelens.profile.perceptible import unreadable
from cuelens.profile.profile import Profile
from cuelens.profile.rules import limit_rule, tell_as
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.build import policy_of
from cuelens.runtime.button import Gestures
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.loop import Loop
from cuelens.runtime.outputs import Outputs
from cuelens.types import Cue
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.command import journal_level
from cuelens_models.errors import BadInput, Unwritable

if TYPE_CHECKING:
    from cuelens.commands.caregiver import Caregiver
    from cuelens.commands.story_keeper import Story
    from cuelens.link.replies import Reply
    from cuelens.link.requests import Request

_LOOP_S: Final = 4.0
"""Deadline of the loop: a turn takes half a second at most, and a beat that hangs ends the process."""
_OTHER_S: Final = 4.0
"""Deadline of another reload that was begun before."""
_AGAIN_S: Final = 1.0
"""Until what a calibration has left is undone again after a failure."""
_ANEW: Final = "the settings are others now: the glasses begin anew with them"
_EFFECTS: Final = {
    "ask": "asked: the answer comes as a cue",
    "again": "the next session begins",
    "paused": "paused: the camera is off until the next pause",
    "resumed": "no longer paused: the camera is on",
    "muted": "muted: no cue comes unasked until the next mute",
    "unmuted": "no longer muted",
    "calibrate": "the calibration begins",
}


class Parts(msgspec.Struct, frozen=True):
    """The parts of a run that a request reaches.

    Attributes:
        loop: runs the beats.
        gestures: puts gestures into force.
        outputs: light and voice.
        stream: where events go.
        story: keeps the story, if the run is worn.
        fitted: the outputs that exist whatever the profile says: light, console.
        open_voice: returns the voice of a profile, if it has one.
        session_s: returns the length of a session for a profile, in seconds; 0 for no end.
        caregiver: what a calibration needs.
        first_minute: keeps the profile as the last good one.
        begin_anew: ends the run, to begin anew with other settings. It is called between two beats.
    """

    loop: Loop
    gestures: Gestures
    outputs: Outputs
    stream: EventStream
    story: "Story | None"
    fitted: tuple[str, ...]
    open_voice: Callable[[ProfileInForce], Voice | None]
    session_s: Callable[[Profile], float]
    caregiver: CaregiverParts
    first_minute: FirstMinute
    begin_anew: Callable[[], None]


class Requests:
    """Does what is asked for. Thread-safe."""

    def __init__(self, options: RunOptions, startup: Startup, parts: Parts, *, speaks: bool) -> None:
        """Begin with the profile of the start.

        Args:
            options: the command line, which may name the profile and the mode.
            startup: the checked inputs of the run.
            parts: of the run.
            speaks: there is a voice.
        """
        self._options = options
        self._startup = startup
        self._parts = parts
        self._active = startup.active
        self._available = (*parts.fitted, *(("voice",) if speaks else ()))
        self._tried_s = -math.inf
        self._trying = threading.Lock()
        self._reloading = threading.RLock()
        self._ends = False
        self._caregiver: Caregiver | None = None
        self._making = threading.Lock()

    def answer(self, request: "Request") -> "Reply":
        """Do what a request of the link asks for."""
        # A run without a link needs none of them; with one, its server has loaded them.
        from cuelens.link.replies import Done, Refused
        from cuelens.link.requests import AskHealth, Calibrate, Look, Press, Reload, Try, Watch

        try:
            if isinstance(request, Press):
                return Done(text=self._press(request.gesture))
            if isinstance(request, Try):
                return Done(text=self._try(request.word))
            if isinstance(request, Reload):
                return Done(text=self.reload())
            if isinstance(request, AskHealth | Calibrate | Watch | Look):
                # These never wait for another request.
                return self._for_caregiver().answer(request)
            with self._changing():
                return self._for_caregiver().answer(request)
        except (BadInput, Unwritable) as error:
            return Refused(text=str(error))
        except OSError as error:
            return Refused(text=f"{error.filename or 'a file'} cannot be used: {error.strerror}")

    def metrics(self) -> str:
        """Return how the glasses are as metrics of Prometheus."""
        from cuelens.commands import metrics

        return metrics.text(self._for_caregiver().health())

    def follow(self, reloads: "queue.SimpleQueue[bool]") -> None:
        """Reload for each item of a queue, on this thread, until an item is false."""
        while reloads.get():
            try:
                text, level = self.reload(), 6
            except Exception as error:
                # Catch everything: a dead thread would silently ignore every later one.
                text, level = str(error), 4
            print(f"{journal_level(sys.stderr, level)}{text}", file=sys.stderr)

    def reload(self) -> str:
        """Read settings and profile again. Returns a sentence.

        A profile is put into force between two beats. With other settings the run ends, and begins anew. Raises
        BadInput if one of the two cannot be used: then what is in force stays, and a fault says why.
        """
        parts = self._parts
        with self._changing():
            if self._ends:
                return _ANEW
            calibrates = parts.caregiver.calibration.on
            if settings_changed(self._options, self._startup, parts.stream.fault, calibrates=calibrates):
                # A run that ends by itself does not begin anew.
                if not parts.loop.between_beats(parts.begin_anew, _LOOP_S):
                    raise BadInput("the glasses are starting, stopping or busy: the settings in force stay; try again")
                self._ends = True
                return _ANEW
            if self._caregiver and self._caregiver.drafted:
                raise BadInput("a calibration tries another profile: end it first")
            try:
                active = self._requested()
            except BadInput as error:
                parts.stream.fault("profile damaged", str(error))
                raise
            return self._change(active)

    def lapse(self) -> None:
        """Undo what a calibration that nobody ended has left, however often the loop or another change is busy."""
        while True:
            try:
                with self._changing():
                    if self._caregiver:
                        self._caregiver.lapse()
                return
            except (BadInput, Unwritable, OSError):
                # The wearer must not be left with what was only tried.
                time.sleep(_AGAIN_S)

    def _for_caregiver(self) -> "Caregiver":
        """Return what answers a caregiver. Its modules are loaded at the first such request, on the link's thread."""
        with self._making:
            if not self._caregiver:
                from cuelens.commands.caregiver import Caregiver

                self._caregiver = Caregiver(
                    self._parts.caregiver, self._use, lambda: (self._active, "voice" in self._available)
                )
            return self._caregiver

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let one request at a time change the profile. Raises BadInput if another one takes too long."""
        if not self._reloading.acquire(timeout=_OTHER_S):
            raise BadInput("another new profile is about to be put into force: try again")
        try:
            yield
        finally:
            self._reloading.release()

    def _use(self, active: ProfileInForce, forget: bool) -> str:
        """Put a profile into force for a caregiver, in the mode that the command line names. Returns a sentence."""
        return self._change(with_mode(self._options, active), forget=forget)

    def _requested(self) -> ProfileInForce:
        """Return the profile that is asked for now. Raises BadInput."""
        stays = "the profile in force stays"
        try:
            active = active_profile(self._options, self._startup.settings.state_dir())
        except BadInput as error:
            raise BadInput(f"{error}; {stays}") from error
        if active.fault:
            # What would replace it at a start is no better than what is in force.
            raise BadInput(f"{active.fault.rpartition('; ')[0]}; {stays}")
        return active

    def _change(self, active: ProfileInForce, *, forget: bool = False) -> str:
        """Put a profile into force. Raises BadInput if the loop does not take it in time.

        forget: the history of fading.
        """
        parts, profile, before = self._parts, active.profile, self._active.profile
        voice = parts.open_voice(active)
        available = (*parts.fitted, *(("voice",) if voice else ()))
        contract = self._startup.interpreter.contract
        history = () if forget else parts.gestures.wearer.answered_first
        policy = policy_of(profile, contract, available, history)
        # A session has one story, at a school or not.
        anew = profile.school != before.school
        closing: list[Callable[[], None]] = []

        def change() -> None:
            parts.loop.use(
                policy,
                gap_s=profile.policy.gap_s,
                tilt=profile.view.tilt_degrees,
                session_s=parts.session_s(profile),
                anew=anew,
            )
            if anew:
                if parts.story:
                    closing.append(parts.story.change(profile))
                title = contract.title()
                parts.stream.emit(events.Start(bundle=title, source=self._startup.source_name, school=profile.school))
                self._tell_standing()
            if anew or profile.mode != before.mode:
                parts.stream.emit(events.Mode(t=parts.stream.t, mode=profile.mode))
            closing.append(parts.outputs.change(profile, voice))
            self._active, self._available = active, available

        if not parts.loop.between_beats(change, _LOOP_S):
            if voice:
                voice.close()
            raise BadInput("the glasses are starting, stopping or busy: the profile in force stays; try again")
        for close in closing:
            close()
        self._report(active)
        file = self._options.profile or (active.folder / f"{active.name}.json" if active.content else None)
        return f"{file or 'the factory profile'} is in force"

    def _tell_standing(self) -> None:
        """Emit the mute and the pause that are on, for a story that begins."""
        wearer, stream = self._parts.gestures.wearer, self._parts.stream
        if wearer.muted:
            stream.emit(events.Mute(t=stream.t, on=True))
        if wearer.paused:
            stream.emit(events.Pause(t=stream.t, on=True))

    def _report(self, active: ProfileInForce) -> None:
        """Let the profile have its first minute, and report what is wrong with it."""
        self._parts.first_minute.use(active)
        if active.note:
            self._parts.stream.fault("profile outdated", active.note)
        for sentence in (*active.warnings, *unreadable(active.profile, self._startup.interpreter.contract.labels)):
            self._parts.stream.fault("profile warning", sentence)

    def _press(self, gesture: str) -> str:
        effect = self._parts.gestures.press(gesture)
        if effect == "off":
            raise BadInput("nothing was asked, since the camera is off: `cuelens press pause` turns it on again")
        if not effect:
            raise BadInput("no calibration was begun")
        return _EFFECTS[effect]

    def _try(self, word: str) -> str:
        """Give one cue, and return a sentence about it. Raises BadInput if it may not be given now."""
        from cuelens.commands.story_keeper import TRIED

        parts, profile, wearer = self._parts, self._active.profile, self._parts.gestures.wearer
        told = tell_as(profile, word) if word in LABELS else word
        rule = limit_rule(profile, self._available)
        if told not in rule.outputs and word in LABELS:
            raise BadInput(f"{word} has no cue in this profile")
        if told not in rule.outputs:
            raise BadInput(f"{word!r} is no word of these glasses: expected one of {', '.join(sorted(rule.outputs))}")
        allowed = [output for output in rule.outputs[told] if output in mode(profile.mode).outputs]
        outputs = tuple(output for output in allowed if not (wearer.muted and output == "voice"))
        if not outputs:
            raise BadInput(f"no output can tell {told} now: the profile has it on none that these glasses have")
        if wearer.at_rest:
            raise BadInput("no cue is given while the glasses rest or are paused: `cuelens press` ends that")
        with self._trying:
            now_s = time.monotonic()
            if now_s - self._tried_s < rule.answer_gap_s:
                raise BadInput(f"a cue was tried a moment ago: wait for {rule.answer_gap_s:g} s")
            self._tried_s = now_s
        parts.outputs.give(Cue(parts.stream.t, "answer", None, told, outputs))
        parts.stream.post(
            lambda t: events.CueGiven(t=t, kind=TRIED, track=None, word=told, outputs=outputs, latency_ms=0.0)
        )
        return f"{told} was given by {' and '.join(outputs)}"
