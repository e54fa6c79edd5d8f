"""The very image on an emulated board: from switching on to a cue, and what a child and a caregiver do with it.

One board is switched on for all tests of this file, and they run in their order. At last its battery is pulled.
"""

import base64
import io
import os
import random
import re
import tarfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.image.emulator import Board
from tests.image.firmware import Card

pytestmark = pytest.mark.usefixtures("boots")
_SETTINGS = 'language = "de"\r\ncountry = "DE"\r\n[speaker]\r\ndevice = "plughw:Loopback,0,0"\r\n'
_PINS = "/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio"


@pytest.fixture(scope="module")
def board(card: Path, guest: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board that is switched on with a card whose settings somebody has changed on a computer."""
    Card(card).write("cuelens.toml", _SETTINGS.encode())
    with Board(card, tmp_path_factory.mktemp("board"), tests=guest) as switched_on:
        yield switched_on


def soon(true: Callable[[], bool], within_s: float = 120) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(1)
    return True


def press(board: Board, *seconds: float) -> None:
    """Press the wearer's button: once for each number of seconds, with short breaks between."""
    board.run(f"python3 /run/tests/press.py {' '.join(map(str, seconds))}")


def test_the_glasses_are_ready(board: Board) -> None:
    board.run("systemctl is-system-running --wait || true; systemctl start --wait cuelens-card", 400)
    assert board.run("systemctl is-active cuelens.service").strip() == "active"
    assert board.run("systemctl --failed --no-legend --plain").strip() == ""
    ready = board.run("journalctl -b -u cuelens.service -o short-monotonic --no-pager | grep Started")
    print(f"\nkernel start to READY: {re.findall(r'[0-9.]+', ready)[0]} s emulated")


def test_the_root_is_read_only_and_what_lasts_is_on_the_data_partition(board: Board) -> None:
    mounts = board.run("findmnt -rn -o TARGET,FSTYPE,SOURCE")
    assert "/ overlay " in mounts
    for folder in ("/data", "/etc/cuelens", "/var/lib/cuelens", "/var/log/journal"):
        assert re.search(rf"^{folder} ext4 /dev/vda4", mounts, re.MULTILINE), mounts
    # It is grown to the end of the card.
    assert int(board.run("blockdev --getsize64 /dev/vda4")) > 900 << 20
    assert int(board.run("df --output=size -B1 /data | tail -n 1")) > 800 << 20


def test_nobody_can_log_in_and_no_port_is_open(board: Board) -> None:
    shadow = board.run("cut -d: -f1,2 /etc/shadow").split()
    assert all(re.fullmatch(r"[^:]+:[!*]+", line) for line in shadow), shadow
    assert board.run("systemctl list-units --no-legend 'getty@*' 'serial-getty@*'") == ""
    # 0A is a socket that listens.
    assert board.run("cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\"'") == ""


def test_the_card_is_answered(board: Board) -> None:
    answer = board.run("cat /boot/firmware/cuelens-answer.txt")
    assert "\r\n" in answer
    assert board.run("cat /etc/cuelens/country").strip() == "DE"
    assert "plughw:Loopback,0,0" in board.run("cat /etc/cuelens/cuelens.toml")
    assert '"de"' in board.run("cat /var/lib/cuelens/profiles/default.json")


def test_a_face_is_seen_and_the_light_tells_it(board: Board) -> None:
    # A newcomer is told once, for a second: a program on the board watches from before the glasses start anew.
    # They start with sound, so that the phrases are rendered meanwhile.
    pins = " ".join(f"{_PINS}{pin}/value" for pin in (17, 27, 22))
    board.run(
        f"""systemctl stop cuelens
python3 - <<'END'
import json, pathlib
file = pathlib.Path("/var/lib/cuelens/profiles/default.json")
profile = json.loads(file.read_text())
profile.setdefault("sound", {{}})["on"] = True
file.write_text(json.dumps(profile))
END
timeout 240 sh -c 'until cat {pins} | grep -q 1; do sleep 0.1; done; echo lit >/run/lit' >/dev/null 2>&1 &
systemctl start cuelens""",
        400,
    )
    assert soon(lambda: "lit" in board.run("cat /run/lit 2>/dev/null || true"), 240)
    # The capture light, for the person in front.
    assert soon(lambda: board.run(f"cat {_PINS}24/value").strip() == "1", 30)
    assert "picamera2" in board.run("journalctl -b -u cuelens --no-pager")


def test_a_press_is_answered_by_the_word_on_the_sound_card(board: Board, tmp_path: Path) -> None:
    assert soon(lambda: int(board.run("ls /var/lib/cuelens/phrases 2>/dev/null | wc -l")) >= 12, 600)
    # Where an emulated processor stands still, a short press may be read as a long one: whoever hears nothing, repeats.
    heard = 0.0
    for presses in range(1, 4):
        heard = max(heard, word_after_press(board, tmp_path / str(presses)))
        if heard > 0.9:
            break
    print(f"\ncorrelation of what was heard with the phrase: {heard:.3f}, after presses: {presses}")
    assert heard > 0.9


def word_after_press(board: Board, folder: Path) -> float:
    """Press the button, record the sound card, and return how much it sounds like one of the phrases: up to 1."""
    board.run("arecord -q -D hw:Loopback,1,0 -f S16_LE -r 22050 -c 1 -d 12 /run/said.wav & sleep 1")
    press(board, 0.3)
    # A recording that is still written would make tar complain in the midst of the answer.
    board.run("while pidof arecord; do sleep 0.5; done", 300)
    packed = board.run("tar -C / -czf - run/said.wav var/lib/cuelens/phrases 2>/run/tar.log | base64 -w 0", 300)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed))) as sounds:
        sounds.extractall(folder, filter="data")
    said = samples(folder / "run" / "said.wav")
    return max(likeness(said, samples(clip)) for clip in (folder / "var/lib/cuelens/phrases").glob("*.wav"))


def samples(file: Path) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return the samples of a WAV."""
    with wave.open(str(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(float)


def likeness(said: "np.ndarray[Any, Any]", clip: "np.ndarray[Any, Any]") -> float:
    """Return the highest normalised correlation of a clip with any part of what was recorded."""
    size = 1 << (len(said) + len(clip)).bit_length()
    product = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(clip, size)))[: len(said)]
    energy = np.concatenate([[0.0], np.cumsum(said**2)])
    under = np.sqrt(np.maximum(energy[len(clip) :] - energy[: -len(clip)], 1.0) * (clip**2).sum())
    return float((product[: len(under)] / under).max())


def test_a_daemon_that_hangs_is_started_anew(board: Board) -> None:
    pid = board.run("systemctl show -P MainPID cuelens").strip()
    board.run(f"kill -STOP {pid}")
    assert soon(lambda: board.run("systemctl show -P MainPID cuelens").strip() not in {pid, "0"}, 240)
    assert "Watchdog timeout" in board.run("journalctl -b -u cuelens --no-pager")
    assert soon(lambda: board.run("systemctl is-active cuelens || true").strip() == "active", 240)
    # One hang is no reason for a reboot.
    assert "reboots" not in board.run("journalctl -b -u cuelens-reboot --no-pager")


def test_the_page_answers_after_calibrating_was_asked_for_and_not_before(board: Board) -> None:
    assert board.run("systemctl is-active cuelens-page || true").strip() == "inactive"
    assert soon(lambda: "beats/s" in board.run("journalctl -u cuelens --no-pager -n 1"), 120)
    ask = "/opt/cuelens/bin/python -c 'import urllib.request as u; print(u.urlopen(\"http://10.42.0.1/\").status)'"
    # Where an emulated processor stands still between two presses, they are read as others: whoever sees that, repeats.
    for _ in range(4):
        press(board, 0.15, 0.15, 4.0)
        if soon(lambda: board.attempt(ask)[1].strip().endswith("200"), 90):
            return
    pytest.fail(board.run("journalctl -b --no-pager -n 60"))


def test_power_cuts_at_random_moments_leave_a_board_that_starts(
    board: Board, card: Path, guest: Path, tmp_path: Path
) -> None:
    board.pull()
    cuts = int(os.environ.get("CUELENS_POWER_CUTS", "5"))
    seed = int(os.environ.get("CUELENS_SEED", "1969"))
    moments = random.Random(seed)  # noqa: S311
    for number in range(cuts):
        with Board(card, tmp_path / str(number), tests=guest) as again:
            time.sleep(moments.uniform(4, 90))
            assert again.process.poll() is None, again.console()[-2000:]
    with Board(card, tmp_path / "after", tests=guest) as again:
        again.run("systemctl is-system-running --wait || true", 400)
        assert again.run("systemctl is-active cuelens").strip() == "active"
        assert again.run("systemctl --failed --no-legend --plain").strip() == ""
        assert "error" not in again.run("dmesg | grep EXT4-fs || true")
        assert len(again.run("ls /data/last").split()) == 2
    print(f"\npower cuts survived: {cuts} of {cuts} (seed {seed})")
