"""Every lamp goes dark after the daemon, whatever became of it and of its settings. One breath shows a failure."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuelens import settings
from cuelens.adapters import gpio, lights_out
from cuelens.settings import Pins

pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")

RGB, CAPTURE = (17, 27, 22), 24
MOCK = '[pins]\nfactory = "mock"\n'
BROKEN = "[pins\n"
"""Settings of which nothing can be read."""


@dataclass
class Board:
    """Mock pins, and what lights_out makes of them."""

    state: Path
    config: Path
    pins: dict[int, Any] = field(default_factory=dict)

    def light(self, *numbers: int) -> None:
        for number in numbers:
            self.pins[number].output_with_state(True)

    def put_out(self) -> int:
        with pytest.raises(SystemExit) as end:
            lights_out.main()
        return int(end.value.code or 0)

    def driven(self, number: int) -> list[float]:
        return [float(change.state) for change in self.pins[number].states[1:]]


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A board whose lamps a daemon has left lit."""
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    class Bench(MockFactory):
        def close(self) -> None:
            """Keep the pins, to look at them afterwards."""

    factory = Bench(pin_class=MockPWMPin)
    monkeypatch.setattr(gpio, "_factory", lambda **_: factory)
    monkeypatch.setattr(settings, "usual_path", lambda: tmp_path / "cuelens.toml")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return Board(tmp_path, tmp_path / "cuelens.toml", {number: factory.pin(number) for number in range(28)})


@pytest.mark.parametrize(
    ("code", "status", "breathes"),
    [
        ("exited", "0", False),
        ("exited", "3", True),
        ("exited", "69", True),
        ("exited", "70", True),
        # A hang is over sooner.
        ("killed", "KILL", False),
        ("", "", False),
    ],
)
def test_a_failure_is_shown_by_one_amber_breath(
    board: Board, monkeypatch: pytest.MonkeyPatch, code: str, status: str, breathes: bool
) -> None:
    monkeypatch.setenv("EXIT_CODE", code)
    monkeypatch.setenv("EXIT_STATUS", status)
    board.config.write_text(MOCK)
    board.light(*RGB, CAPTURE)
    assert board.put_out() == 0
    red, green, blue = (max(board.driven(number)[1:]) for number in RGB)
    assert (red > green > blue, red > 0) == (breathes, breathes)
    assert blue == 0
    for number in (*RGB, CAPTURE):
        assert board.driven(number)[1] == 0, "dark first"
        assert board.driven(number)[-1] == 0, "dark at the end"
    assert max(board.driven(CAPTURE)[1:]) == 0


@pytest.mark.parametrize(
    ("profile", "most"),
    [("", 0.40), ('{"light": {"ceiling_percent": 10}}', 0.10), ("damaged", 0.40)],
)
def test_the_breath_is_no_brighter_than_the_wearer_s_light(
    board: Board, monkeypatch: pytest.MonkeyPatch, profile: str, most: float
) -> None:
    monkeypatch.setenv("EXIT_CODE", "exited")
    monkeypatch.setenv("EXIT_STATUS", "3")
    board.config.write_text(MOCK)
    if profile:
        (board.state / "profiles").mkdir()
        (board.state / "profiles" / "default.json").write_text(profile)
    assert board.put_out() == 0
    assert most / 2 < max(board.driven(17)) <= most


OTHER_RED = Pins(factory="mock", red=5)


@pytest.mark.parametrize(
    ("text", "last_used", "pins"),
    [
        (MOCK, OTHER_RED, (17, 27, 22, 24)),
        (BROKEN, OTHER_RED, (5, 27, 22, 24)),
        ("[camera]\nfps = 900\n" + MOCK + "red = 6\n", OTHER_RED, (5, 27, 22, 24)),
        ("[camera]\nfps = 900\n" + MOCK + "red = 6\n", None, (6, 27, 22, 24)),
        ("fsp = 15\n", None, (17, 27, 22, 24)),
        # Nothing is known: no lamp of ours was ever lit, and no pin is touched.
        (BROKEN, None, ()),
        (MOCK + "red = 99\n", None, ()),
    ],
)
def test_damaged_settings_keep_no_lamp_lit(
    board: Board, text: str, last_used: Pins | None, pins: tuple[int, ...]
) -> None:
    if last_used:
        gpio.Gpio(last_used).close()
    board.config.write_text(text)
    board.light(*range(28))
    assert board.put_out() == (0 if pins else 3)
    dark = [number for number in range(28) if 0.0 in board.driven(number)[1:]]
    assert dark == sorted(pins)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"red": 99}', b"\xff", b'{"single": ' + b"[" * 100_000])
def test_damaged_memory_is_none(board: Board, content: bytes) -> None:
    (board.state / "pins.json").write_bytes(content)
    assert gpio.remembered() is None


def test_the_pins_are_written_when_they_change(board: Board) -> None:
    file = board.state / "pins.json"
    gpio.Gpio(OTHER_RED).close()
    assert gpio.remembered() == OTHER_RED
    before = file.stat().st_ino
    gpio.Gpio(OTHER_RED).close()
    assert file.stat().st_ino == before
    single = msgspec.structs.replace(OTHER_RED, single=(settings.SingleLed(pin=5, colour="#FF0000"),), button="none")
    gpio.Gpio(single).close()
    assert gpio.remembered() == single


def test_outside_the_service_nothing_is_written(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY")
    gpio.Gpio(OTHER_RED).close()
    assert gpio.remembered() is None
    assert list(board.state.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_keeps_no_lamp_from_working(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(board.state / "nowhere"))
    gpio.Gpio(OTHER_RED).close()
    assert gpio.remembered() is None


def test_a_pipe_in_place_of_the_stored_pins_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pins.json")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    gpio.Gpio(Pins(factory="mock")).close()
    assert gpio.remembered() is None
