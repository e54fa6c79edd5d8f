"""Keys of a terminal: what each does, and that the terminal is as it was, however the run ends."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.commands.keys import keys

BEGIN = """
import fcntl, os, runpy, signal, sys, termios
# Tests that run in the background ignore these signals, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.argv = ["cuelens", *sys.argv[1:]]
runpy.run_module("cuelens", run_name="__main__")
"""


class Terminal:
    """A run whose standard input and output is a terminal of its own."""

    def __init__(self, home: Path, *words: object) -> None:
        self.leader, self.follower = pty.openpty()
        self.before = termios.tcgetattr(self.follower)
        self.text = ""
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STATE_"))}
        self.run = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *map(str, words)],
            stdin=self.follower,
            stdout=self.follower,
            stderr=self.follower,
            env=environment | {"HOME": str(home)},
        )

    def shows(self, text: str) -> bool:
        """Whether a text comes within a minute."""
        end = time.monotonic() + 60
        while text not in self.text and time.monotonic() < end:
            if select.select([self.leader], [], [], 0.2)[0]:
                self.text += os.read(self.leader, 4096).decode(errors="replace")
            elif self.run.poll() is not None:
                break
        return text in self.text

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def ended(self) -> int:
        """The exit status. The terminal is as it was before."""
        self.shows("never shown")
        status = self.run.wait(20)
        assert termios.tcgetattr(self.follower) == self.before
        return status

    def close(self) -> None:
        self.run.kill()
        self.run.wait()
        os.close(self.leader)
        os.close(self.follower)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A minute of grey pictures."""
    frames = tmp_path / "frames"
    frames.mkdir()
    for n in range(900):
        cv2.imwrite(str(frames / f"{n:03}.pgm"), np.full((48, 64), 99, np.uint8))
    return frames


@pytest.fixture
def terminal(tmp_path: Path, folder: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, "run", "--source", folder)
    yield made
    made.close()


def test_keys_ask_mute_pause_and_end_a_run(terminal: Terminal) -> None:
    assert terminal.shows("keys: a asks what a face shows, m mutes, p pauses, q ends")
    assert terminal.shows("source ")
    for key, shown in (
        ("a", "button: ask"),
        ("m", "button: mute"),
        ("m", "no longer muted"),
        ("p", "camera off"),
        ("p", "camera on again"),
        ("xq", " beats"),
    ):
        terminal.type(key)
        assert terminal.shows(shown), terminal.text
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGHUP, 0)], ids=["term", "int", "hup"]
)
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, number: signal.Signals, status: int) -> None:
    assert terminal.shows("keys: ")
    assert termios.tcgetattr(terminal.follower) != terminal.before
    terminal.run.send_signal(number)
    assert terminal.ended() == status


def test_ctrl_c_still_ends_the_run(terminal: Terminal) -> None:
    assert terminal.shows("keys: ")
    terminal.type("\x03")
    assert terminal.ended() == 130


@pytest.mark.parametrize("words", [["--as-fast"], ["--cues", "light"]])
def test_a_run_without_a_clock_or_a_console_takes_no_keys(tmp_path: Path, folder: Path, words: list[str]) -> None:
    if "light" in words:
        pytest.importorskip("gpiozero", reason="the light comes with the extra pi")
    terminal = Terminal(tmp_path, "run", "--source", folder, *words, "--seconds", "2")
    assert terminal.ended() == 0
    assert "keys:" not in terminal.text
    terminal.close()


def test_without_a_terminal_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with keys(lambda gesture: None, lambda: None) as listening:
            assert not listening


BACKGROUND = """
import fcntl, os, signal, sys, termios, time
from cuelens.commands.keys import keys
if os.fork():
    # The leader of the session stays in the foreground, as a shell would.
    _, status = os.wait()
    print("ended", os.waitstatus_to_exitcode(status))
else:
    os.setpgid(0, 0)
    with keys(print, print) as listening:
        print("keys", listening, flush=True)
"""


def test_in_the_background_there_are_no_keys_and_the_run_is_not_stopped() -> None:
    leader, follower = pty.openpty()
    begin = "import fcntl, os, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    done = subprocess.run(
        [sys.executable, "-c", begin + BACKGROUND],
        stdin=follower,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(leader)
    os.close(follower)
    assert done.stdout.splitlines() == ["keys False", "ended 0"], done.stderr
