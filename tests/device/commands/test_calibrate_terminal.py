"""The calibration in a terminal, against running glasses and their real link."""

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.commands.calibrate_terminal import Terminal, walk
from cuelens.link.requests import Watch
from cuelens.link.server import Server


@pytest.fixture
def link(glasses: Any) -> Iterator[Path]:
    # The path of a socket has 107 bytes at most.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "link.sock"
        server = Server(path, glasses.requests.answer)
        yield path
        server.close()


class Typed:
    """Somebody who types: the answer to the first question that has a key of `answers` in it, else Enter."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers
        self.text: list[str] = []

    def ask(self, question: str) -> str:
        self.text.append(question)
        for key, typed in self.answers.items():
            if key in question and typed:
                answer = typed.pop(0)
                if answer == "EOF":
                    raise EOFError
                return answer
        return ""

    def terminal(self) -> Terminal:
        return Terminal(self.ask, self.text.append)

    def __contains__(self, part: str) -> bool:
        return any(part in line for line in self.text)


def answers(**more: list[str]) -> dict[str, list[str]]:
    """What is typed: the sitting and the check are left out. more: by a part of the question."""
    return {"Please ": ["s"] * 4, "s with everything on": ["s"], **{key.replace("_", " "): more[key] for key in more}}


def saved(glasses: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((glasses.state / "profiles" / "default.json").read_text())
    return found


def test_every_step_is_done_tried_and_saved(glasses: Any, link: Path, soon: Callable[..., bool]) -> None:
    picture = np.full((480, 640), 30, np.uint8)
    picture[160:288, 240:368] = 200
    glasses.feed.picture = picture
    assert soon(lambda: glasses.answer(Watch()).faces)
    tried = ["happy", "hapy", ""]
    typed = Typed(answers(level_room=["6.5"], How_strong=["subtle"], Try_an=tried, How_cautious=["0.5"]))
    assert walk([link], typed.terminal()) == 0
    profile = saved(glasses)
    assert profile["view"]["tilt_degrees"] == 6.5
    assert (profile["light"]["brightness_percent"], profile["policy"]["caution"]) == (20, 0.5)
    for part in (
        "it is rather dark",
        "the distance is good",
        "happy was given by light and voice",
        "'hapy' is no word",
    ):
        assert part in typed
    assert "saved" in typed
    assert "wrong cues in ten minutes" in typed
    assert soon(lambda: [event.on for event in glasses.events(events.Calibration)] == [True, False])
    assert soon(lambda: glasses.wearer.resting)


def test_a_step_is_taken_back(glasses: Any, link: Path) -> None:
    typed = Typed(answers(How_strong=["clear", ""], next=["", "", "u", ""]))
    walk([link], typed.terminal())
    assert "taken back" in typed
    assert saved(glasses)["light"]["brightness_percent"] == 40


def test_a_step_that_changed_nothing_is_taken_back_without_a_draft(glasses: Any, link: Path) -> None:
    typed = Typed(answers(next=["u", "", "", ""]))
    walk([link], typed.terminal())
    assert "taken back" in typed
    assert "Nothing was changed." in typed


@pytest.mark.parametrize(
    ("typed_number", "sentence"), [("much", "'much' is no number: it stays as it is"), ("40", "tilt_degrees must be")]
)
def test_what_cannot_be_is_told_and_asked_again(glasses: Any, link: Path, typed_number: str, sentence: str) -> None:
    typed = Typed(answers(level_room=[typed_number]))
    walk([link], typed.terminal())
    assert sentence in typed
    assert "Nothing was changed." in typed
    assert saved(glasses) == {"sound": {"on": True}}


def test_what_was_not_saved_is_offered_again_and_a_no_discards_it(glasses: Any, link: Path) -> None:
    first = Typed(answers(How_strong=["clear"], Save=["EOF"]))
    walk([link], first.terminal())
    assert saved(glasses) == {"sound": {"on": True}}
    again = Typed(answers(Save=["n"]))
    walk([link], again.terminal())
    assert "Go on with what was not saved last time?" in again
    assert saved(glasses) == {"sound": {"on": True}}
    last = Typed(answers())
    walk([link], last.terminal())
    assert "Go on" not in last


def test_a_face_that_is_shown_for_its_time_is_collected(glasses: Any, link: Path) -> None:
    picture = np.zeros((480, 640), np.uint8)
    picture[160:288, 240:368] = 200
    glasses.feed.picture = picture
    typed = Typed({"Please look calm": [""], "Please ": ["s"] * 3, "s with everything on": ["s"]})
    walk([link], typed.terminal())
    assert "it did not help: left as it was" in typed
    assert "nobody was read" not in typed


def test_a_sitting_that_is_left_out_is_not_called_a_failure(link: Path) -> None:
    typed = Typed(answers())
    walk([link], typed.terminal())
    assert "nobody was read: left as it was" in typed
    assert "it did not help" not in typed


def test_presses_are_told_at_the_step_of_the_button(glasses: Any, link: Path, soon: Callable[..., bool]) -> None:
    typed = Typed(answers())
    ask = typed.ask

    def press(question: str) -> str:
        if question.startswith("Press the button"):
            glasses.gestures.make("mute")
            glasses.gestures.make("unmute")
            assert soon(lambda: "unmute" in [one.word for one in glasses.answer(Watch()).happenings])
        return ask(question)

    walk([link], Terminal(press, typed.text.append))
    assert "the glasses took it for: mute, unmute" in typed


class Lines(io.BytesIO):
    """Gives one line at a time, as a terminal does."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.readline()


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_what_is_no_utf_8_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], errors: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(Lines(b"caf\xe9\nhappy\n"), "utf-8", errors))
    assert Terminal().ask("A word? ") == "happy"
    assert capsys.readouterr().out.count("Please type it again.") == 1
    with pytest.raises(EOFError):
        Terminal().ask("Another? ")
