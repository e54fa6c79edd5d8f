"""What the caregiver's page asks of running glasses: the calibration, pictures, profiles, a correction, the story."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from cuelens.calibration.fitting import fit
from cuelens.commands import caregiver_views as views
from cuelens.commands.caregiver_parts import CaregiverParts
from cuelens.health import board
from cuelens.link import replies, requests
from cuelens.link.replies import Done, Glasses, Profiles, Reply
from cuelens.link.requests import Request
from cuelens.profile.store import ProfileInForce
from cuelens.runtime.calibration import Ending
from cuelens.runtime.pacing import Pacing, Strain
from cuelens.story import query
from cuelens_models.errors import BadInput


class Caregiver:
    """Does what a page asks for. Thread-safe, but for what changes the profile: the caller holds a lock then."""

    def __init__(
        self,
        parts: CaregiverParts,
        use: Callable[[ProfileInForce, bool], str],
        active: Callable[[], tuple[ProfileInForce, bool]],
    ) -> None:
        """Begin without a calibration.

        Args:
            parts: of the run.
            use: puts a profile into force, and returns a sentence. Its second argument: forget the history of fading.
            active: returns the profile in force, and whether there is a voice.
        """
        self._parts = parts
        self._use = use
        self._active = active
        self._drafted = False
        self._always: dict[type[Any], Callable[[Any], Reply]] = {
            requests.Calibrate: self._calibrate,
            requests.Watch: self._watch,
            requests.AskHealth: self._health,
            requests.ReadProfile: self._profiles,
        }
        self._calibrating: dict[type[Any], Callable[[Any], Reply]] = {
            requests.Leave: self._leave,
            requests.TellCode: self._tell_code,
            requests.Look: self._look,
            requests.Draft: self._draft,
            requests.TakeUpDraft: self._take_up,
            requests.Save: self._save,
            requests.Discard: self._discard,
            requests.Choose: self._choose,
            requests.Create: self._create,
            requests.Remove: self._remove,
            requests.FactoryReset: self._reset,
            requests.Record: self._record,
            requests.Collect: self._collect,
            requests.StopCollecting: self._stop_collecting,
            requests.Correct: self._correct,
            requests.ReadStory: self._story,
            requests.ReadTable: self._table,
            requests.ForgetStory: self._forget,
        }

    @property
    def drafted(self) -> bool:
        """Whether a draft is in force."""
        return self._drafted

    def answer(self, request: Request) -> Reply:
        """Do what a request asks for. Raises BadInput, Unwritable or another OSError."""
        if always := self._always.get(type(request)):
            return always(request)
        if not self._parts.calibration.on:
            raise BadInput("no calibration is on: begin one with the button's gesture, or `cuelens calibrate`")
        return self._calibrating[type(request)](request)

    def lapse(self) -> None:
        """Put the saved profile into force again after a calibration that nobody ended, unless the next one is on."""
        if not self._parts.calibration.on:
            self._undo()

    def _undo(self) -> None:
        """Leave nothing of a calibration in force or in memory."""
        if self._drafted:
            self._use_active()
        self._parts.collecting.stop(drop=True)
        self._parts.teller.stop()

    def _calibrate(self, request: requests.Calibrate) -> Reply:
        self._parts.calibration.begin(cues=request.cues)
        # If the page is gone without a word: glasses that lie on a table must not begin to give cues by themselves.
        self._parts.calibration.ending = Ending(rest=self._parts.button)
        return Done(text="the calibration is on")

    def _leave(self, request: requests.Leave) -> Reply:
        rest = request.then == "rest"
        if rest and not self._parts.button:
            raise BadInput("these glasses have no button, so nothing could wake them: they go on instead")
        self._undo()
        minutes = request.minutes if self._parts.button else None
        self._parts.calibration.leave(Ending(rest, minutes and 60.0 * minutes))
        if request.minutes and not minutes:
            return Done(text="a session begins, without an end: these glasses have no button to begin the next")
        return Done(text="the glasses rest until a press" if rest else "a session begins")

    def _tell_code(self, request: requests.TellCode) -> Reply:
        self._parts.teller.tell(request.digits)
        return Done(text="the code is told by blinks")

    def _watch(self, request: requests.Watch) -> Reply:
        parts = self._parts
        active, speaks = self._active()
        strain = Strain(board.temperature_c(), board.under_voltage())
        return Glasses(
            title=parts.contract.title(),
            state=parts.health.state_name(parts.counts().beats),
            calibrating=parts.calibration.on,
            muted=parts.wishes.muted,
            paused=parts.wishes.paused,
            button=parts.button,
            speaks=speaks,
            light=parts.light,
            temperature_c=strain.temperature_c,
            under_voltage=strain.under_voltage,
            strained=Pacing().strained(strain),
            profile=parts.library.name,
            refused=parts.recent.refused or active.fault,
            warnings=tuple(self._short(sentence) for sentence in (*active.warnings, *active.unplayable)),
            taken_back=parts.begun.taken_back,
            faults=tuple(one.fault for one in parts.health.faults()),
            faces=parts.collecting.faces,
            happenings=views.happenings(parts.recent.since(request.since)),
            collected=replies.Collected(
                shown=parts.collecting.shown, seconds=parts.collecting.seconds(), face=parts.collecting.faces > 0
            ),
            time_s=time.time(),
            clock_set=board.clock_set(),
        )

    def _health(self, _request: requests.AskHealth) -> Reply:
        return self.health()

    def health(self) -> replies.Health:
        """Return how the glasses are."""
        parts, mode = self._parts, self._active()[0].profile.mode
        title, name = parts.contract.title(), parts.library.name
        return views.health(parts.health, parts.counts(), parts.begun, title=title, profile=name, mode=mode)

    def _look(self, _request: requests.Look) -> Reply:
        view = self._parts.calibration.look()
        if view is None:
            raise BadInput("there is no picture: the camera is off or away")
        return views.picture(view)

    def _profiles(self, _request: requests.ReadProfile) -> Reply:
        library = self._parts.library
        return Profiles(
            profile=msgspec.Raw(msgspec.json.encode(self._active()[0].profile)),
            name=library.name,
            names=tuple(library.names()),
            draft=self._drafted,
            waiting=not self._drafted and library.draft.exists(),
        )

    def _draft(self, request: requests.Draft) -> Reply:
        return self._put(bytes(request.profile))

    def _take_up(self, _request: requests.TakeUpDraft) -> Reply:
        library = self._parts.library
        if not library.draft.exists():
            raise BadInput("there is no draft of an earlier calibration")
        return self._put(library.draft.read_bytes(), taken_up=True)

    def _put(self, content: bytes, *, taken_up: bool = False) -> Reply:
        """Put a draft into force. Raises BadInput with the reason, without the path of the draft.

        taken_up: it is the one that waits; another may not replace that.
        """
        library = self._parts.library
        if not taken_up and not self._drafted and library.draft.exists():
            raise BadInput("the changes of last time are not saved yet: take them up, or drop them, and try again")
        try:
            library.write_draft(content, self._try)
        except BadInput as error:
            raise BadInput(self._short(str(error))) from error
        self._drafted = True
        self._parts.recent.refused = ""
        return Done(text="the draft is in force")

    def _try(self, draft: ProfileInForce) -> None:
        self._use(msgspec.structs.replace(draft, name=self._parts.library.name), False)

    def _save(self, _request: requests.Save) -> Reply:
        library = self._parts.library
        # Without its file a draft was saved before, and the loop was too busy to take it as the profile.
        if library.draft.exists() or not self._drafted:
            library.save_draft()
        return self._use_active("saved")

    def _discard(self, _request: requests.Discard) -> Reply:
        self._parts.library.discard_draft()
        return self._use_active("the profile is as it was")

    def _choose(self, request: requests.Choose) -> Reply:
        self._parts.library.choose(request.name)
        return self._replaced(f"{request.name} is in use")

    def _create(self, request: requests.Create) -> Reply:
        self._parts.library.create(request.name)
        return self._replaced(f"{request.name} is in use: a copy of the one before")

    def _remove(self, request: requests.Remove) -> Reply:
        self._parts.library.remove(request.name)
        return Done(text=f"{request.name} is deleted")

    def _reset(self, _request: requests.FactoryReset) -> Reply:
        parts = self._parts
        parts.library.reset()
        parts.collecting.stop(drop=True)
        # The rule that beats use goes first: they would keep its history of fading again.
        done = self._replaced("everything is as it came from the factory", forget=True)
        parts.wishes.forget()
        query.delete(parts.story)
        return done

    def _replaced(self, text: str, *, forget: bool = False) -> Reply:
        """Put the active profile into force, now that it is another one; a draft was of the one before."""
        self._parts.library.discard_draft()
        return self._use_active(text, forget=forget)

    def _use_active(self, text: str = "", *, forget: bool = False) -> Reply:
        """Put the active profile into force again, in place of a draft. forget: the history of fading."""
        sentence = self._use(self._parts.library.read_active(), forget)
        self._drafted = False
        return Done(text=text or sentence)

    def _record(self, request: requests.Record) -> Reply:
        library, profile = self._parts.library, self._active()[0].profile
        book = profile.cues.entries()
        if not request.wav and (request.word not in book or book[request.word].recording is None):
            return Done(text=f"{request.word} has no recording")
        if request.word not in book:
            raise BadInput(f"{request.word} has no cue in this profile, so no voice")
        name = None
        if request.wav:
            try:
                name = library.record(request.word, request.wav)
            except BadInput as error:
                raise BadInput(self._short(str(error))) from error
        entry = msgspec.structs.replace(book[request.word], recording=name)
        cues = msgspec.structs.replace(profile.cues, **{request.word: entry})
        return self._put(msgspec.json.encode(msgspec.structs.replace(profile, cues=cues)))

    def _collect(self, request: requests.Collect) -> Reply:
        if request.shown not in self._parts.contract.labels:
            raise BadInput(f"this network does not read {request.shown}")
        self._parts.collecting.begin(request.shown)
        return Done(text=f"{request.shown} is collected")

    def _stop_collecting(self, request: requests.StopCollecting) -> Reply:
        self._parts.collecting.stop(drop=request.drop)
        return Done(text="nothing is collected")

    def _correct(self, _request: requests.Correct) -> Reply:
        parts, profile = self._parts, self._active()[0].profile
        parts.collecting.stop()
        usual = parts.contract.probabilities.usual
        fitted = fit(parts.collecting.sitting(), parts.contract.labels, profile.people, usual)
        if fitted.helped:
            self._put(msgspec.json.encode(msgspec.structs.replace(profile, people=fitted.correction)))
        parts.collecting.stop(drop=True)
        return replies.Corrected(helped=fitted.helped, before=fitted.before, after=fitted.after)

    def _story(self, _request: requests.ReadStory) -> Reply:
        return views.story(self._parts.story)

    def _table(self, request: requests.ReadTable) -> Reply:
        return views.table(self._parts.story, request.offset)

    def _forget(self, _request: requests.ForgetStory) -> Reply:
        deletion = query.delete(self._parts.story)
        return Done(text=f"{deletion.sessions} sessions are deleted")

    def _short(self, sentence: str) -> str:
        """Return a sentence without the paths of the profile's files, which say nothing to who uses a page."""
        library = self._parts.library
        for name in (library.draft.name, f"{library.name}.json"):
            sentence = sentence.replace(f"{library.folder / name}: ", "")
        return sentence.replace(f"{library.folder}/", "")
