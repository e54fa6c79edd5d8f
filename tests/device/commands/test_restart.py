"""Changed settings: taken whole by a process that begins anew, or refused whole. Real processes and signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cuelens.link import messages
from cuelens.link.replies import Done
from cuelens.link.requests import Calibrate, Reload, Request
from cuelens.story import query

pytestmark = pytest.mark.slow

STAY = "; the settings in force stay"
LIGHT = b"P5 64 48 255\n" + bytes([199]) * (64 * 48)


def frames(folder: Path) -> Path:
    """Make a folder of grey pictures, two minutes long."""
    folder.mkdir()
    for n in range(1800):
        cv2.imwrite(str(folder / f"{n:04}.pgm"), np.full((48, 64), 99, np.uint8))
    return folder


class Worn:
    """A worn run without a terminal, whose settings name its source, and a listener in systemd's place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        (self.state / "profiles").mkdir(parents=True)
        self.settings = folder / "cuelens.toml"
        self.file = folder / "events.jsonl"
        self.errors = folder / "errors.txt"
        self.first, self.second = frames(folder / "first"), frames(folder / "second")
        self.set(self.first)
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(folder / "notify"))
        self.systemd.setblocking(False)
        self.told: list[str] = []
        self.hearing = threading.Lock()
        self.over = threading.Event()
        self.listener = threading.Thread(target=self.listen)
        self.listener.start()
        self.run: subprocess.Popen[bytes] | None = None

    def set(self, source: Path | str, more: str = "") -> None:
        self.settings.write_text(f'[places]\nstate = "{self.state}"\n{more}\n[camera]\nsource = "{source}"\n')

    def start(self, *words: str, events: Path | None = None) -> "subprocess.Popen[bytes]":
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STATE_", "RUNTIME_"))}
        with self.errors.open("ab") as errors:
            self.run = subprocess.Popen(
                [
                    *(sys.executable, "-m", "cuelens", "run", "--config", str(self.settings), "--worn"),
                    *("--events", str(events or self.file), *words),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=kept | {"NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "3000000"},
                start_new_session=True,
                # Tests that nohup has started hand down that SIGHUP is ignored.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
            )
        return self.run

    def hang_up(self) -> None:
        assert self.run
        self.run.send_signal(signal.SIGHUP)

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = self.file.read_text().splitlines(keepends=True) if self.file.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if event["event"] == kind]

    def sources(self) -> list[str]:
        """The sources of the runs so far."""
        return [event["source"] for event in self.events("start")]

    def ask(self, request: Request) -> object:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(30)
            client.connect(str(self.state / "link.sock"))
            client.sendall(messages.encode(request))
            return messages.reply(client.recv(8192))

    def hears(self) -> list[str]:
        """All that systemd has been told."""
        with self.hearing:
            try:
                while True:
                    self.told += self.systemd.recv(4096).decode().splitlines()
            except BlockingIOError:
                return list(self.told)

    def listen(self) -> None:
        """Hear what systemd is told all along: a socket holds few messages, and the next ones are lost."""
        while not self.over.wait(0.01):
            self.hears()

    def close(self) -> None:
        """End the run, whatever its state."""
        if self.run and self.run.poll() is None:
            self.run.kill()
            self.run.wait()
        self.over.set()
        self.listener.join()
        self.systemd.close()

    def end(self) -> int:
        assert self.run
        self.run.send_signal(signal.SIGTERM)
        return self.run.wait(30)


@pytest.fixture
def worn(tmp_path: Path) -> Iterator[Worn]:
    run = Worn(tmp_path)
    yield run
    run.close()


def test_changed_settings_are_taken_by_the_same_process(worn: Worn, soon: Callable[..., bool]) -> None:
    run = worn.start()
    assert soon(lambda: worn.events("state"))
    worn.set(worn.second)
    worn.hang_up()
    assert soon(lambda: len(worn.sources()) == 2)
    assert run.poll() is None
    assert soon(lambda: worn.hears().count("READY=1") == 2)
    assert soon(lambda: worn.events("session")[2:])
    # The same process: it answers to the same number, and holds the lock of the link again.
    assert worn.ask(Reload()) == Done(text="the factory profile is in force")
    assert f"cuelens\0run\0--config\0{worn.settings}".encode() in Path(f"/proc/{run.pid}/cmdline").read_bytes()
    assert worn.end() == 0
    # What the first run told is still there, and each run has its session.
    assert worn.sources() == [worn.first.name, worn.second.name]
    assert [(event["state"], event["why"]) for event in worn.events("session")] == 2 * [
        ("began", ""),
        ("ended", "stopped"),
    ]
    assert len(query.sessions(worn.state / "story.sqlite")) == 2
    assert "the settings are others now: the glasses begin anew with them" in worn.errors.read_text()


def test_the_watchdog_waits_for_the_new_start_as_for_any(worn: Worn, soon: Callable[..., bool]) -> None:
    worn.start()
    assert soon(lambda: worn.events("state"))
    worn.set(worn.second)
    worn.hang_up()
    assert soon(lambda: worn.hears().count("READY=1") == 2)
    assert worn.end() == 0
    told = [line for line in worn.hears() if not line.startswith(("WATCHDOG=", "STATUS=", "MONOTONIC_USEC="))]
    started = [*2 * ["EXTEND_TIMEOUT_USEC=60000000"], "READY=1", "WATCHDOG_USEC=3000000"]
    assert told == [*started, "RELOADING=1", "WATCHDOG_USEC=60000000", *started, "STOPPING=1"]
    (began,) = [line for line in worn.hears() if line.startswith("MONOTONIC_USEC=")]
    assert 0 < int(began.partition("=")[2]) <= time.monotonic_ns() // 1000


def test_nothing_of_the_first_run_is_left_in_the_second(worn: Worn, soon: Callable[..., bool]) -> None:
    run = worn.start()
    files, children = Path(f"/proc/{run.pid}/fd"), Path(f"/proc/{run.pid}/task/{run.pid}/children")

    def links() -> list[str]:
        return [str(file.readlink()) for file in files.iterdir() if file.is_symlink()]

    seen: list[int] = []

    def steady() -> bool:
        """Whether as many files have been open for a second: at the start some are opened late, or for a moment."""
        time.sleep(0.05)
        seen.append(len(links()))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    counts: list[int] = []
    for source in (worn.first, worn.second, worn.first):
        worn.set(source)
        if counts:
            worn.hang_up()
        assert soon(lambda: len(worn.events("session")) == 1 + 2 * len(counts))
        seen.clear()
        assert soon(steady), (seen, links())
        counts.append(seen[-1])
        assert sum("events.jsonl" in link for link in links()) == 1
    assert counts[2] == counts[1]
    assert children.read_text() == ""
    assert worn.end() == 0


def test_unchanged_settings_are_a_reload_of_the_profile(worn: Worn, soon: Callable[..., bool]) -> None:
    worn.start()
    assert soon(lambda: worn.events("state"))
    # Written otherwise, and with a default spelt out: the values are the same.
    worn.set(worn.first, "# mine\nbundle = ''\n[lens]\nhorizontal_degrees = 62")
    (worn.state / "profiles" / "default.json").write_text('{"mode": "quiet"}')
    worn.hang_up()
    assert soon(lambda: [event["mode"] for event in worn.events("mode")] == ["companion", "quiet"])
    assert worn.end() == 0
    assert len(worn.sources()) == 1
    assert "RELOADING=1" not in worn.hears()


@pytest.mark.parametrize(
    ("source", "more", "profile", "fault", "sentence"),
    [
        (
            "second",
            "[lens]\nhorizontal_degrees = 7",
            "",
            "settings damaged",
            "line 4, column 1: lens.horizontal_degrees",
        ),
        (
            "http://cam",
            "",
            "",
            "settings damaged",
            "line 5, column 1: camera.source must be a camera, a file or a folder",
        ),
        ("second", "[pins", "", "settings damaged", "line 3, column 6: this cannot be read"),
        ("third", "", "", "settings damaged", "third is not there: a source is"),
        ("v4l2:x", "", "", "settings damaged", "source 'v4l2:x' names no camera"),
        ("second", 'bundle = "/nowhere.tflite"', "", "bundle damaged", "/nowhere.tflite"),
        ("second", "", '{"mode": "loud"}', "profile damaged", "mode is 'loud'"),
    ],
)
def test_what_no_run_could_begin_with_is_refused_whole_and_the_run_goes_on(
    worn: Worn, soon: Callable[..., bool], source: str, more: str, profile: str, fault: str, sentence: str
) -> None:
    worn.start()
    assert soon(lambda: worn.events("state"))
    worn.set(worn.folder / source if source.isalpha() else source, more)
    (worn.state / "profiles" / "default.json").write_text(profile or '{"mode": "quiet"}')
    before = worn.settings.read_text()
    worn.hang_up()
    assert soon(lambda: worn.events("fault")[-1:] and worn.events("fault")[-1]["fault"] == fault)
    detail = worn.events("fault")[-1]["detail"]
    assert sentence in detail
    assert detail.endswith(STAY)
    assert soon(lambda: detail in worn.errors.read_text())
    # The profile of the same reload is not taken either.
    assert [event["mode"] for event in worn.events("mode")] == ["companion"]
    assert worn.settings.read_text() == before
    # And once all is right, it is taken.
    worn.set(worn.second)
    (worn.state / "profiles" / "default.json").write_text('{"mode": "explore"}')
    worn.hang_up()
    assert soon(lambda: len(worn.events("mode")) == 2)
    assert worn.events("mode")[-1]["mode"] == "explore"
    assert worn.end() == 0


def test_a_calibration_is_not_interrupted(worn: Worn, soon: Callable[..., bool]) -> None:
    worn.start()
    assert soon(lambda: worn.events("state"))
    assert isinstance(worn.ask(Calibrate()), Done)
    worn.set(worn.second)
    worn.hang_up()
    refusal = f"the settings changed, but a calibration is on: end it first{STAY}"
    assert soon(lambda: refusal in worn.errors.read_text())
    assert worn.end() == 0
    assert len(worn.sources()) == 1
    assert not [event for event in worn.events("fault") if "damaged" in event["fault"]]


def test_a_stop_outweighs_new_settings(worn: Worn, soon: Callable[..., bool]) -> None:
    worn.start()
    assert soon(lambda: worn.events("state"))
    worn.set(worn.second)
    assert worn.ask(Reload()) == Done(text="the settings are others now: the glasses begin anew with them")
    assert worn.end() == 0
    assert len(worn.sources()) <= 2


def test_hang_ups_while_it_begins_anew_end_nothing(worn: Worn, soon: Callable[..., bool]) -> None:
    run = worn.start()
    assert soon(lambda: worn.events("state"))
    worn.set(worn.second)
    worn.hang_up()
    assert soon(lambda: "RELOADING=1" in worn.hears())
    while worn.hears().count("READY=1") < 2 and run.poll() is None:
        worn.hang_up()
        time.sleep(0.01)
    assert run.poll() is None
    assert soon(lambda: "the factory profile is in force" in worn.errors.read_text())
    assert worn.end() == 0
    assert len(worn.sources()) == 2


@pytest.mark.parametrize(("words", "bar"), [(["--as-fast"], "with --as-fast"), ([], "whoever reads the pipe")])
def test_a_run_that_would_not_be_whole_takes_settings_at_its_next_start(
    worn: Worn, soon: Callable[..., bool], words: list[str], bar: str
) -> None:
    pipe = worn.folder / "pipe"
    os.mkfifo(pipe)
    # As fast as it can, two minutes of frames are over in half a second. Photographs last for two hours.
    for file in sorted(worn.first.iterdir())[::2]:
        file.write_bytes(LIGHT)
    run = worn.start(*words, events=None if words else pipe)
    reader = None if words else pipe.open("rb")
    # Before the settings are read, there are none that could change.
    assert soon(lambda: "STATUS=starting: camera, lights, button and voice are opened" in worn.hears())
    worn.set(worn.second)
    worn.hang_up()
    assert soon(lambda: f"the settings changed, but {bar}" in worn.errors.read_text())
    run.kill()
    run.wait()
    if reader:
        assert reader.read().count(b'"event":"start"') == 1
        reader.close()


def test_the_length_of_the_command_line_counts_from_each_beginning(worn: Worn, soon: Callable[..., bool]) -> None:
    run = worn.start("--seconds", "15")
    assert soon(lambda: worn.events("state"))
    worn.set(worn.second)
    worn.hang_up()
    assert run.wait(60) == 0
    assert len(worn.sources()) == 2
    assert worn.events("state")[-1]["t"] > 13
