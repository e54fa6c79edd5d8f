"""What the service leaves for the programs that act when it is gone: plain, whole, and only where it is a service."""

import os
import re
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cuelens.adapters import last_resort
from cuelens.profile import language
from cuelens.profile.profile import Profile, Sound
from cuelens.settings import Pins, SingleLed
from cuelens.sound.clip import Clip

SINGLE = (SingleLed(pin=5, colour="#0000FF"), SingleLed(pin=6, colour="#FFC000"))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("chip", "pins", "lamps"),
    [
        (0, Pins(), "chip 0\n17 0 1000\n27 0 438\n22 0 0\n24 0 0\n"),
        (4, Pins(active_high=False), "chip 4\n17 1 1000\n27 1 438\n22 1 0\n24 0 0\n"),
        (0, Pins(single=SINGLE, capture="none"), "chip 0\n5 0 0\n6 0 1000\n"),
    ],
)
def test_the_lamps_are_plain_numbers(state: Path, chip: int, pins: Pins, lamps: str) -> None:
    last_resort.leave_lamps(chip, pins)
    assert (state / "lamps").read_text() == lamps


def test_a_file_is_written_when_it_changes(state: Path) -> None:
    last_resort.leave_lamps(0, Pins())
    before = (state / "lamps").stat().st_ino
    last_resort.leave_lamps(0, Pins())
    assert (state / "lamps").stat().st_ino == before
    last_resort.leave_lamps(0, Pins(red=5))
    assert (state / "lamps").stat().st_ino != before
    assert [path.name for path in state.iterdir()] == ["lamps"]


@pytest.mark.parametrize("place", ["", "/nowhere/at/all"])
def test_without_a_folder_of_the_service_nothing_is_left_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STATE_DIRECTORY", place)
    last_resort.leave_lamps(0, Pins())
    last_resort.leave_profile(Profile(sound=Sound(on=True)), device="default")
    assert [word for word, _ in last_resort.leave_alarm(spoken(), 1.0)] == ["happy", "sad"]
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_in_its_place_is_left_alone(state: Path) -> None:
    os.mkfifo(state / "lamps")
    last_resort.leave_lamps(0, Pins())
    assert (state / "lamps").is_fifo()


def spoken() -> Iterator[tuple[str, Clip]]:
    for word in ("happy", last_resort.STOPPED, "sad"):
        yield word, Clip(np.full(2205, 10_000, np.int16), 22050)


def test_the_alarm_is_left_at_the_volume_of_the_profile_and_not_passed_on(state: Path) -> None:
    last_resort.leave_profile(Profile(sound=Sound(on=True)), device="plughw:1,0")
    words = [word for word, _ in last_resort.leave_alarm(spoken(), 0.25)]
    assert words == ["happy", "sad"]
    assert (state / "alarm.device").read_text() == "plughw:1,0\n"
    with wave.open(str(state / "alarm.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22050)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    assert samples.max() == 2500
    # The tone that wakes the sink comes first.
    assert len(samples) > 2205 + 0.25 * 22050


@pytest.mark.parametrize(
    ("on", "device", "stays"), [(True, "default", True), (False, "default", False), (True, None, False)]
)
def test_the_alarm_goes_when_sound_goes(state: Path, on: bool, device: str | None, stays: bool) -> None:
    (state / "alarm.device").write_text("default\n")
    (state / "alarm.wav").write_bytes(b"RIFF")
    last_resort.leave_profile(Profile(sound=Sound(on=on)), device=device)
    assert [(state / name).exists() for name in ("alarm.device", "alarm.wav")] == [stays, stays]


def test_an_alarm_that_is_rendered_when_sound_goes_is_not_left(state: Path) -> None:
    last_resort.leave_profile(Profile(sound=Sound(on=True)), device="default")
    clips = last_resort.leave_alarm(spoken(), 1.0)
    assert next(clips)[0] == "happy"
    last_resort.leave_profile(Profile(), device="default")
    assert next(clips)[0] == "sad"
    assert not (state / "alarm.wav").exists()


@pytest.mark.parametrize("code", language.available())
def test_every_language_says_that_the_glasses_stopped(code: str) -> None:
    assert re.fullmatch(r"\S+ \S+", language.read(code).says()[last_resort.STOPPED])
