"""`cuelens press`, `try` and `profile` against running glasses: real processes, a real socket, real signals."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.commands.try_cue import try_cue
from cuelens.link import messages
from cuelens.link.replies import Done
from cuelens.link.requests import Reload
from cuelens_models.errors import BadInput

pytestmark = pytest.mark.slow


class Home:
    """A user with an own home and runtime folder. frames: a folder of grey pictures, two minutes long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.runtime.mkdir(mode=0o700)
        self.state = folder / "state"
        self.profile = self.state / "profiles" / "default.json"
        self.frames = folder / "frames"
        self.frames.mkdir()
        for n in range(1800):
            cv2.imwrite(str(self.frames / f"{n:04}.pgm"), np.full((48, 64), 99, np.uint8))
        (folder / "c.toml").write_text(f'[places]\nstate = "{self.state}"\n')
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STATE_"))}
        self.environment = environment | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONUNBUFFERED": "1",
        }
        (folder / "config" / "cuelens").mkdir(parents=True)
        (folder / "c.toml").rename(folder / "config" / "cuelens" / "cuelens.toml")
        self.running: list[Glasses] = []

    @property
    def socket(self) -> Path:
        return self.runtime / "cuelens" / "link.sock"

    def cuelens(self, *words: object, **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cuelens", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=self.environment | given,
        )

    def said(self, *words: object) -> str:
        done = self.cuelens(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *words: object) -> str:
        done = self.cuelens(*words)
        assert (done.returncode, done.stdout) == (3, ""), done.stdout
        (line,) = done.stderr.splitlines()
        return line.removeprefix("cuelens: ")

    def start(self, *words: object) -> "Glasses":
        self.running.append(Glasses(self, *words))
        return self.running[-1]


class Glasses:
    """A worn run without a terminal. events: what it has told so far."""

    def __init__(self, home: Home, *words: object) -> None:
        number = len(home.running)
        self.file = home.folder / f"events-{number}.jsonl"
        self.output = (home.folder / f"output-{number}.txt").open("w+")
        self.run = subprocess.Popen(
            [
                *(sys.executable, "-m", "cuelens", "run", "--source", str(home.frames), "--worn"),
                *("--events", str(self.file), *map(str, words)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            env=home.environment,
            start_new_session=True,
            # Tests that nohup has started hand down that SIGHUP is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
        )
        assert self.tells(lambda event: event["event"] == "state" or event["event"] == "session")

    def events(self) -> list[dict[str, object]]:
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def tells(self, wanted: Callable[[dict[str, object]], bool]) -> bool:
        """Whether an event comes within a minute."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.run.poll() is None:
            if any(wanted(event) for event in self.events()):
                return True
            time.sleep(0.05)
        return any(wanted(event) for event in self.events())

    def fault(self, name: str) -> str:
        assert self.tells(lambda event: event.get("fault") == name)
        (detail,) = [str(event["detail"]) for event in self.events() if event.get("fault") == name]
        return detail

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.run.poll() is None:
            self.run.send_signal(number)
        status = self.run.wait(20)
        self.output.close()
        return status


@pytest.fixture
def home() -> Iterator[Home]:
    """The path of a UNIX socket has 107 bytes at most, so the name is short."""
    with tempfile.TemporaryDirectory(prefix="cue") as name:
        made = Home(Path(name))
        yield made
        for glasses in made.running:
            glasses.end(signal.SIGKILL)


NONE_RUNNING = "no glasses are running: start them with `cuelens run`, or the service"


def test_presses_and_trials_reach_running_glasses(home: Home) -> None:
    glasses = home.start()
    assert home.said("press", "ask") == "asked: the answer comes as a cue"
    assert home.said("press", "mute").startswith("muted")
    assert home.said("press", "mute") == "no longer muted"
    assert home.said("press", "pause").startswith("paused")
    assert home.refused("press", "ask").startswith("nothing was asked, since the camera is off")
    assert home.said("press", "pause").startswith("no longer paused")
    assert home.said("press", "calibrate") == "the calibration begins"
    assert home.said("try", "happy") == "happy was given by console"
    assert home.refused("try", "hapy").startswith("'hapy' is no word of these glasses: expected one of angry,")
    assert glasses.tells(lambda event: event["event"] == "cue" and event["kind"] == "try" and event["word"] == "happy")
    pressed = [event["gesture"] for event in glasses.events() if event["event"] == "press"]
    assert pressed == ["ask", "mute", "unmute", "pause", "ask", "pause", "calibrate"]
    assert glasses.end() == 0
    assert not home.socket.parent.exists()
    assert home.refused("press", "ask") == NONE_RUNNING


@pytest.mark.parametrize("word", ["", "x" * 41, "\udce9", "a\nb"])
def test_what_is_no_word_is_refused_before_glasses_are_asked(word: str) -> None:
    with pytest.raises(BadInput, match="is no word of the glasses: expected one such as happy"):
        try_cue(word, None)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["press"], 2),
        (["press", "wink"], 2),
        (["try"], 2),
        (["profile"], 2),
        (["profile", "burn"], 2),
        (["press", "ask"], 3),
        (["try", "happy"], 3),
        (["try", "x" * 41], 3),
        (["press", "ask", "--config", "/nowhere.toml"], 3),
    ],
)
def test_without_glasses_a_command_is_one_sentence_and_a_status(home: Home, words: list[str], status: int) -> None:
    done = home.cuelens(*words)
    assert done.returncode == status
    if status == 3:
        (line,) = done.stderr.splitlines()
        assert line.startswith("cuelens: ")


def test_killed_glasses_are_replaced_and_living_ones_are_not(home: Home) -> None:
    first = home.start()
    second = home.start()
    detail = second.fault("no link")
    assert detail.startswith(f"{home.socket} is taken")
    assert home.said("press", "mute").startswith("muted")
    assert [event for event in second.events() if event["event"] == "press"] == []
    assert second.end() == 0
    # The second has not taken the first's socket along.
    assert home.said("press", "mute") == "no longer muted"
    assert first.end(signal.SIGKILL) == -signal.SIGKILL
    assert home.socket.is_socket()
    assert home.refused("press", "ask") == NONE_RUNNING
    third = home.start()
    assert home.said("press", "ask").startswith("asked")
    assert third.end() == 0


def test_no_client_holds_up_a_beat(home: Home) -> None:
    glasses = home.start()
    crowd = []
    for n in range(12):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(10)
        crowd.append(client)
        # The kernel turns one away when too many wait, and the glasses end the talk with a long one.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            client.connect(str(home.socket))
            client.sendall(b"{" if n % 2 else b"x" * 70_000 if n % 3 else b"\xff\n")
    assert home.said("try", "happy") == "happy was given by console"
    assert glasses.tells(lambda event: event["event"] == "state" and float(str(event["t"])) >= 5)
    for client in crowd:
        client.close()
    states = [event for event in glasses.events() if event["event"] == "state"]
    assert {state["state"] for state in states} == {"running"}
    assert not [event for event in glasses.events() if event["event"] == "fault"]
    assert glasses.end() == 0


def test_glasses_that_hang_are_a_sentence(home: Home) -> None:
    glasses = home.start()
    glasses.run.send_signal(signal.SIGSTOP)
    assert "do not answer" in home.refused("press", "ask")
    new = home.folder / "new.json"
    new.write_text('{"mode": "quiet"}')
    done = home.cuelens("profile", "import", new)
    assert (done.returncode, done.stdout) == (3, f"{home.profile} is {new} now.\n")
    assert "do not answer" in done.stderr
    assert done.stderr.endswith("they take the profile at their next start\n")
    glasses.run.send_signal(signal.SIGCONT)
    assert home.said("press", "ask").startswith("asked")
    assert glasses.end() == 0


def test_a_hang_up_takes_a_new_profile_and_keeps_the_last_good_one(home: Home) -> None:
    home.profile.parent.mkdir(parents=True)
    glasses = home.start()
    home.profile.write_text('{"mode": "quiet"}')
    glasses.run.send_signal(signal.SIGHUP)
    assert glasses.tells(lambda event: event["event"] == "mode" and event["mode"] == "quiet")
    home.profile.write_text('{"mode": "loud"}')
    glasses.run.send_signal(signal.SIGHUP)
    detail = glasses.fault("profile damaged")
    assert "mode is 'loud'" in detail
    assert detail.endswith("; the profile in force stays")
    assert home.profile.read_text() == '{"mode": "loud"}'
    assert glasses.end() == 0


def test_import_and_reset_are_taken_by_running_glasses_at_once(home: Home, soon: Callable[..., bool]) -> None:
    glasses = home.start()
    new = home.folder / "new.json"
    new.write_text('{"mode": "explore"}')
    assert home.said("profile", "import", new).splitlines() == [
        f"{home.profile} is {new} now.",
        f"{home.profile} is in force",
    ]
    assert glasses.tells(lambda event: event["event"] == "mode" and event["mode"] == "explore")
    assert home.said("profile", "reset").splitlines()[-1] == f"{home.profile} is in force"
    # Another thread writes the events, a moment after the answer.
    assert soon(lambda: [event["mode"] for event in glasses.events() if event["event"] == "mode"][-1] == "companion")
    assert glasses.end() == 0


def test_a_profile_named_on_the_command_line_is_read_again(home: Home) -> None:
    named = home.folder / "named.json"
    named.write_text("{}")
    glasses = home.start("--profile", named)
    named.write_text('{"mode": "quiet"}')
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(20)
    client.connect(str(home.socket))
    client.sendall(messages.encode(Reload()))
    assert client.recv(4096) == messages.encode(Done(text=f"{named} is in force"))
    client.close()
    named.unlink()
    glasses.run.send_signal(signal.SIGHUP)
    assert "named.json" in glasses.fault("profile damaged")
    assert glasses.end() == 0


def test_a_run_as_fast_as_it_goes_opens_no_link(home: Home) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "cuelens", "run", "--source", str(home.frames), "--as-fast", "--events", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=home.environment,
    )
    assert run.stdout
    run.stdout.readline()
    assert not home.socket.exists()
    run.kill()
    run.communicate()
