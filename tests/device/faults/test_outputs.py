"""Faults of light, sound, pins and button, in worn runs: what still reaches the wearer."""

import json
import shutil
import time
import wave
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cuelens import events
from cuelens.link.requests import Reload

pytestmark = pytest.mark.slow

EARCONS = '{"sound": {"on": true, "say": "earcons"}}'
APLAY = """#!/bin/sh
# Stands in for a sound card: it keeps what it is given to play, or hangs as aplay does with a broken card.
[ "$(cat "$BENCH/aplay")" = hangs ] && exec sleep 100000
cat > "$BENCH/playing" && mv "$BENCH/playing" "$BENCH/played"
"""


def with_card(glasses: Any) -> None:
    """Put a stand-in for aplay on the path of glasses."""
    folder = glasses.bench / "bin"
    folder.mkdir()
    (folder / "aplay").write_text(APLAY)
    (folder / "aplay").chmod(0o755)
    glasses.make("aplay", "plays")
    glasses.environment |= {"PATH": f"{folder}:/usr/bin:/bin", "BENCH": str(glasses.bench)}


def heard(glasses: Any) -> tuple[bytes, float]:
    """Have a cue given until its sound was played: one that is not ready yet is dropped. Returns it, and how long."""
    file = glasses.bench / "played"
    file.unlink(missing_ok=True)
    end_s = time.monotonic() + 30
    while True:
        asked_s = glasses.cue()
        while not file.exists() and time.monotonic() < asked_s + 3:
            time.sleep(0.01)
        if file.exists():
            return file.read_bytes(), time.monotonic() - asked_s
        assert time.monotonic() < end_s


def test_a_card_that_hangs_leaves_the_light(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn(cues="light,voice", profile=EARCONS)
    with_card(glasses)
    killed, lit = [], []
    for _ in range(2):
        glasses.make("aplay", "hangs")
        glasses.start()
        asked_s = glasses.cue()
        lit.append(glasses.lit(asked_s))
        killed.append(glasses.wait(lambda: glasses.count("no sound")) - asked_s)
        assert glasses.fault("no sound").startswith("sound device default hung: playback was stopped after")
        lit.append(glasses.lit(glasses.cue("sad")))
        glasses.make("aplay", "plays")
        assert heard(glasses)[0].startswith(b"RIFF")
        # It is told once.
        assert glasses.count("no sound") == 1
        glasses.stop()
    fault_table.row(
        "sound card absent or hung",
        injected="an aplay that never returns",
        noticed="the light, as ever; no sound",
        happens="playback is killed at its deadline, and a fault is reported once; the next cue is played again",
        seconds={"until the light of a cue": lit, "until the playback is killed": killed},
        left="nothing but the story",
        survived=2,
    )


@pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is not installed")
def test_a_card_that_is_not_there_leaves_the_light(worn: Callable[..., Any], fault_table: Any) -> None:
    # The real aplay, and a card that no machine has.
    glasses = worn(cues="light,voice", profile=EARCONS, settings='[speaker]\ndevice = "plughw:CARD=cuelens_absent"')
    lit, told = [], []
    for _ in range(2):
        glasses.start()
        asked_s = glasses.cue()
        lit.append(glasses.lit(asked_s))
        told.append(glasses.wait(lambda: glasses.count("no sound")) - asked_s)
        assert glasses.fault("no sound").startswith("plughw:CARD=cuelens_absent cannot be played to: aplay: ")
        lit.append(glasses.lit(glasses.cue()))
        glasses.stop()
        assert glasses.count("no sound") == 1
    fault_table.row(
        "sound card absent or hung",
        injected="settings with a card that is not there, and the real aplay",
        noticed="the light, as ever; no sound",
        happens="a fault is reported once, with what aplay says",
        seconds={"until the light of a cue": lit, "until the fault is reported": told},
        left="nothing but the story",
        survived=2,
    )


def test_a_light_that_fails_leaves_the_voice(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn(cues="light,voice", profile=EARCONS)
    with_card(glasses)
    glasses.start()
    # The light of the session is shown before it fails.
    glasses.wait(lambda: glasses.seen("light"))
    played, lit = [], []
    for _ in range(2):
        failing_s = glasses.make("light", "fails")
        sound, after_s = heard(glasses)
        assert sound.startswith(b"RIFF")
        played.append(after_s)
        glasses.wait(lambda since_s=failing_s: glasses.seen("light fails", since_s))
        assert glasses.seen("light", failing_s) == []
        glasses.make("light", "works")
        lit.append(glasses.lit(glasses.cue()))
    glasses.stop()
    assert glasses.faults() == {"no light": "OSError: [Errno 5] Input/output error"}
    assert glasses.count("no light") == 1
    fault_table.row(
        "an output fails",
        injected="the light answers each pattern with EIO",
        noticed="the voice, as ever; no light",
        happens="a fault is reported once; the light is tried again at the next cue",
        seconds={"until a cue was played": played, "until the light of the next cue": lit},
        left="nothing but the story",
        survived=2,
    )


@pytest.mark.parametrize(("busy", "key"), [(17, "red"), (22, "blue")])
def test_a_pin_that_another_process_holds_leaves_the_voice(
    worn: Callable[..., Any], fault_table: Any, busy: int, key: str
) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    glasses = worn(cues="light,voice", profile=EARCONS)
    with_card(glasses)
    played = []
    for _ in range(2):
        glasses.make("board", f"busy {busy}")
        glasses.start()
        assert glasses.fault("no light").startswith(f"pin {busy} (pins.{key}) cannot be used: 'GPIO busy'")
        sound, after_s = heard(glasses)
        assert sound.startswith(b"RIFF")
        played.append(after_s)
        glasses.stop()
        assert glasses.seen("light") == []
        # The camera and its light work without.
        assert glasses.seen("first frame")
        # The holder is gone: the next start has its light.
        glasses.make("board", "busy")
        glasses.start()
        glasses.lit(glasses.cue())
        glasses.stop()
        assert glasses.faults() == {}
    fault_table.row(
        "pin busy or forbidden",
        injected=f"on a board of mock pins, the pin pins.{key} answers with lgpio's 'GPIO busy'",
        noticed="voice only; the light again after a restart without the other process",
        happens="a fault names the pin and the remedy, once",
        seconds={"until a cue was played": played},
        left="nothing but the story",
        survived=2,
    )


def test_a_board_without_gpio_keeps_its_camera_shut(worn: Callable[..., Any], fault_table: Any) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    glasses = worn(cues="light,voice", profile=EARCONS)
    with_card(glasses)
    played = []
    for _ in range(2):
        glasses.make("board", "no gpio")
        glasses.start()
        glasses.wait(lambda: glasses.now() == "no camera")
        assert "can not open gpiochip" in glasses.fault("no light, no button")
        assert "the camera stays shut without its capture light" in glasses.fault("no camera")
        sound, after_s = heard(glasses)
        assert sound.startswith(b"RIFF")
        played.append(after_s)
        glasses.stop()
        assert glasses.seen() == []
    fault_table.row(
        "no GPIO at all on a board",
        injected="on a Raspberry Pi by its device tree, lgpio cannot open the chip",
        noticed="no light at all; a cue that is tried is heard",
        happens="two faults are reported; the camera stays closed",
        seconds={"until a cue was played": played},
        left="nothing but the story",
        survived=2,
    )


def test_without_a_button_a_session_has_no_end(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn(cues="light", profile='{"session": {"minutes": 1}}')
    (glasses.state / "wearer.json").write_text('{"muted": true, "paused": true}')
    lit = []
    for _ in range(2):
        glasses.make("button", "absent")
        glasses.start()
        glasses.wait(lambda: glasses.seen("first frame"))
        glasses.fault("no button")
        assert glasses.faults() == {
            "no button": "a mute or pause asked for earlier is passed over: nobody could end it"
        }
        lit.append(glasses.lit(glasses.cue()))
        glasses.stop()
        assert glasses.count("no button") == 1
        assert glasses.told(events.Mute) == glasses.told(events.Pause) == []
        # What was asked for is kept, for the day on which the button is there again.
        assert json.loads((glasses.state / "wearer.json").read_text()) == {"muted": True, "paused": True}
        glasses.make("button", "present")
        glasses.start()
        glasses.wait(lambda: glasses.told(events.Pause))
        assert glasses.seen("camera opened") == []
        glasses.stop()
    fault_table.row(
        "button absent",
        injected="no button at the start, after a mute and a pause were stored",
        noticed="cues as if nothing had been asked for; a session has no end",
        happens="a fault is reported once",
        seconds={"until the light of a cue": lit},
        left="wearer.json as it was",
        survived=2,
    )


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_a_recording_that_cannot_be_read_gives_way_to_the_phrase(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn(
        cues="light,voice",
        profile='{"sound": {"on": true}, "cues": {"happy": {"phrase": "looks glad", "recording": "happy.wav"}}}',
    )
    with_card(glasses)
    recording = glasses.profile_file.parent / "happy.wav"

    def record() -> None:
        with wave.open(str(recording), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(22050)
            file.writeframes((8000 * np.sin(np.arange(22050) * 0.2)).astype(np.int16).tobytes())

    record()
    glasses.start()
    glasses.wait(lambda: list((glasses.state / "phrases").glob("*.wav")))
    whole, _ = heard(glasses)
    glasses.stop()
    assert glasses.faults() == {}
    played = []
    for damage in (None, b"", whole[:300]):
        recording.unlink()
        if damage is not None:
            recording.write_bytes(damage)
        glasses.start()
        glasses.wait(lambda: "not as chosen" in glasses.faults())
        said, after_s = heard(glasses)
        played.append(after_s)
        assert said.startswith(b"RIFF")
        assert said != whole
        assert glasses.fault("not as chosen").endswith("; the phrase is said in its place")
        assert set(glasses.faults()) == {"not as chosen"}
        assert recording.exists() is (damage is not None)
        assert damage is None or recording.read_bytes() == damage
        record()
        glasses.ask(Reload())
        glasses.wait(lambda: heard(glasses)[0] == whole)
        glasses.stop()
    fault_table.row(
        "a recording that is missing or cannot be read",
        injected="a recording that is deleted, one that is empty, and one that is cut off",
        noticed="the phrase in its place",
        happens="a fault is reported, and the phrase is said; the rest of the profile is used",
        seconds={"until the phrase was played": played},
        left="the recording as it is",
        survived=3,
    )
