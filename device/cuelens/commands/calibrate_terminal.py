"""The steps of the calibration in a terminal, for a maker over SSH. Choices are tried at once, and saved at the end.

Every question has a default, and Enter takes it. `u` takes a step's changes back.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from cuelens.link import client
from cuelens.link.replies import Corrected, Done, Glasses, Picture, Profiles, Reply
from cuelens.link.requests import (
    Calibrate,
    Collect,
    Correct,
    Discard,
    Draft,
    Leave,
    Look,
    ReadProfile,
    Request,
    Save,
    Shown,
    StopCollecting,
    TakeUpDraft,
    Try,
    Watch,
)
from cuelens.profile.presets import SOUNDS, STRENGTHS
from cuelens.profile.trade_off import points
from cuelens.profile.wording import looks
from cuelens_models.errors import BadInput, CuelensError

_RENEW_S: Final = 15.0
_TURN_S: Final = 0.5
_SITTING: Final[tuple[tuple[Shown, float, str], ...]] = (
    ("neutral", 10.0, "look calm, without an expression"),
    ("happy", 6.0, "smile"),
    ("surprise", 6.0, "look surprised"),
    ("sad", 6.0, "look sad"),
)
_CALM: Final = 0.5
"""Share of readings of a calm face below which it probably was not calm."""
_CHECK_S: Final = 30.0
_LIGHT: Final = {
    "good": "there is light enough",
    "dim": "it is rather dark: more light helps",
    "too dark": "it is too dark: turn towards the window",
    "covered": "the lens is covered",
}
_DISTANCE: Final = {
    "none": "no face is in view",
    "too near": "the face is too near: go back a little",
    "good": "the distance is good",
    "far": "the face is far away: it is read less surely",
}
T = TypeVar("T", bound=Reply)


def _ask(question: str) -> str:
    """Return what was typed after a question. What is no UTF-8 is asked for again. Raises EOFError."""
    while True:
        try:
            typed = input(question)
            # In some locales a wrong byte is half a character instead of an error.
            typed.encode()
        except UnicodeError:
            print("That has letters that are no UTF-8. Please type it again.")
        else:
            return typed


@dataclass(frozen=True, slots=True)
class Terminal:
    """Asks and tells. ask: returns what was typed after a question; raises EOFError at the end of the input."""

    ask: Callable[[str], str] = _ask
    say: Callable[[str], None] = print


class _Link:
    """Asks the glasses, and keeps the calibration on meanwhile."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._cues = False
        self._closing = threading.Event()
        self.get(Calibrate(), Done)
        self._thread = threading.Thread(target=self._renew, name="calibration", daemon=True)
        self._thread.start()

    def get(self, request: Request, kind: type[T]) -> T:
        """Ask, and return the reply. Raises BadInput if it is refused, AbsentDevice without glasses."""
        reply = client.exchange(request, self._paths)
        if not isinstance(reply, kind):
            raise BadInput(f"the glasses answered with {type(reply).__name__} in place of {kind.__name__}")
        return reply

    def do(self, request: Request) -> str:
        """Ask for something that is answered by a sentence."""
        return self.get(request, Done).text

    def cues(self, *, on: bool) -> None:
        """Let cues come as they would without a calibration, or no longer."""
        self._cues = on
        self.do(Calibrate(cues=on))

    def profile(self) -> dict[str, Any]:
        """Return the profile in force."""
        found: dict[str, Any] = msgspec.json.decode(self.get(ReadProfile(), Profiles).profile)
        return found

    def put(self, profile: dict[str, Any]) -> None:
        """Put a profile into force as the draft."""
        self.do(Draft(profile=msgspec.Raw(msgspec.json.encode(profile))))

    def change(self, values: dict[str, Any]) -> None:
        """Put values into the draft. values: by "light.brightness_percent", ..."""
        profile = self.profile()
        for key, value in values.items():
            group, name = key.split(".")
            profile[group][name] = value
        self.put(profile)

    def close(self) -> None:
        """Renew it no longer."""
        self._closing.set()
        self._thread.join(_RENEW_S)

    def _renew(self) -> None:
        while not self._closing.wait(_RENEW_S):
            try:
                self.do(Calibrate(cues=self._cues))
            except CuelensError as error:
                print(error, file=sys.stderr)


def walk(paths: Sequence[Path], terminal: Terminal | None = None) -> int:
    """Walk through all steps. Returns 0, also if nothing was saved. Raises AbsentDevice without glasses.

    Args:
        paths: of the glasses' socket, the first choice first.
        terminal: asks and tells; None for this process's own.
    """
    terminal = terminal or Terminal()
    say = terminal.say
    say("Take the glasses off the child first. No cue comes until the end, except those that are tried here.")
    link = _Link(paths)
    try:
        if link.get(ReadProfile(), Profiles).waiting:
            goes_on = _yes(terminal, "Go on with what was not saved last time? No drops it.")
            say(link.do(TakeUpDraft() if goes_on else Discard()))
        for name, step in (("aim", _aim), ("people", _people), ("cues", _cues), ("how often", _often)):
            _step(name, step, link, terminal)
        for name, step in (("button", _button), ("check", _check)):
            _step(name, step, link, terminal)
        if not link.get(ReadProfile(), Profiles).draft:
            say("Nothing was changed.")
        else:
            say(link.do(Save() if _yes(terminal, "Save?") else Discard()))
    except EOFError:
        say("\nNot saved; the next calibration offers to go on.")
    finally:
        link.close()
        say(link.do(Leave(then="rest" if link.get(Watch(), Glasses).button else "session")))
    return 0


def _yes(terminal: Terminal, question: str) -> bool:
    return terminal.ask(f"{question} [Y/n] ").strip().lower() not in ("n", "no")


def _step(name: str, step: Callable[[_Link, Terminal], None], link: _Link, terminal: Terminal) -> None:
    """Do a step, again and again until it is kept."""
    before = link.profile()
    while True:
        terminal.say(f"\n-- {name}")
        try:
            step(link, terminal)
        except BadInput as error:
            terminal.say(str(error))
        typed = terminal.ask("Enter: next; r: again; u: take this step's changes back ").strip().lower()
        if typed == "u":
            if link.profile() != before:
                link.put(before)
            terminal.say("taken back")
        elif typed != "r":
            return


def _aim(link: _Link, terminal: Terminal) -> None:
    picture = link.get(Look(), Picture)
    terminal.say(f"{_LIGHT[picture.light]}; {_DISTANCE[picture.distance]}")
    if picture.faces:
        terminal.say(f"the nearest head leans by {picture.faces[0].tilt:.0f} degrees")
    tilt = link.profile()["view"]["tilt_degrees"]
    typed = terminal.ask(f"By how many degrees does a level room lean? [{tilt:g}] ").strip()
    if typed:
        link.change({"view.tilt_degrees": _number(typed)})


def _people(link: _Link, terminal: Terminal) -> None:
    for shown, seconds, what in _SITTING:
        if terminal.ask(f"Please {what} for {seconds:.0f} s. Enter: begin; s: leave it out ").strip().lower() == "s":
            continue
        link.do(Collect(shown=shown))
        end_s = time.monotonic() + 5 * seconds
        while time.monotonic() < end_s:
            collected = link.get(Watch(), Glasses).collected
            if collected.seconds.get(shown, 0.0) >= seconds:
                break
            if not collected.face:
                terminal.say("no face is in view")
            time.sleep(_TURN_S)
        link.do(StopCollecting())
    if not link.get(Watch(), Glasses).collected.seconds:
        terminal.say("nobody was read: left as it was")
        return
    found = link.get(Correct(), Corrected)
    for word, share in found.before.items():
        terminal.say(f"{looks(word)}: right {share:.0%} of the time before, {found.after[word]:.0%} after")
    if found.after.get("neutral", 1.0) < _CALM:
        terminal.say("the calm face is still read as something else: if it was not calm, take this back and try again")
    if found.helped:
        terminal.say("it helps, and is in force; faces of others may now be misread about twice as often")
    else:
        terminal.say("it did not help: left as it was")


def _cues(link: _Link, terminal: Terminal) -> None:
    for question, options in (("How strong?", STRENGTHS), ("What is heard?", SOUNDS)):
        typed = terminal.ask(f"{question} {', '.join(options)} [as it is] ").strip().lower()
        if typed in options:
            link.change(dict(options[typed]))
    while typed := terminal.ask("Try an expression, such as happy [no more] ").strip().lower():
        try:
            terminal.say(link.do(Try(word=typed[:40])))
        except BadInput as error:
            terminal.say(str(error))


def _often(link: _Link, terminal: Terminal) -> None:
    caution = link.profile()["policy"]["caution"]
    for point in points():
        wrong = f"{point.false_in_ten_minutes:.1f} wrong cues in ten minutes"
        terminal.say(f"  {point.caution:4g}: {wrong}, {point.told_in_time:.0%} told in time")
    typed = terminal.ask(f"How cautious? [{caution:g}] ").strip()
    if typed:
        link.change({"policy.caution": _number(typed)})


def _button(link: _Link, terminal: Terminal) -> None:
    glasses = link.get(Watch(), Glasses)
    if not glasses.button:
        terminal.say("These glasses have no button.")
        return
    known = max((one.number for one in glasses.happenings), default=0)
    terminal.ask("Press the button as you like, then Enter ")
    pressed = [one.word for one in link.get(Watch(since=known), Glasses).happenings if one.kind == "press"]
    terminal.say(f"the glasses took it for: {', '.join(pressed)}" if pressed else "no press arrived")


def _check(link: _Link, terminal: Terminal) -> None:
    if terminal.ask(f"{_CHECK_S:.0f} s with everything on. Enter: begin; s: leave it out ").strip().lower() == "s":
        return
    known = max((one.number for one in link.get(Watch(), Glasses).happenings), default=0)
    right = cues = 0
    link.cues(on=True)
    try:
        end_s = time.monotonic() + _CHECK_S
        while time.monotonic() < end_s:
            for one in link.get(Watch(since=known), Glasses).happenings:
                known = one.number
                if one.kind == "expression":
                    cues += 1
                    right += terminal.ask(f"{looks(one.word)}: was that right? [Y/n] ").strip().lower() != "n"
            time.sleep(_TURN_S)
    finally:
        link.cues(on=False)
    terminal.say(f"{right} of {cues} cues were right" if cues else "no cue came")


def _number(typed: str) -> float:
    try:
        return float(typed)
    except ValueError as error:
        raise BadInput(f"{typed!r} is no number: it stays as it is") from error
