"""Glasses that a test breaks while they run, and the table of what came of it.

Each test of this folder injects one fault of docs/design.md, section 8, for real, twice in a row, and tells its row:

    def test_a_beat_that_hangs(worn: Callable[..., Worn], fault_table: FaultTable) -> None:
        glasses = worn(cues="light")
        ...                                          # inject, assert what the wearer notices, recover; and again
        fault_table.row(
            "a beat hangs",                          # the first column of the design's table, word for word
            injected="how this test does it",
            noticed="what the wearer notices",       # each of these is asserted above
            happens="what the glasses do",
            seconds={"until the light is out": [3.1, 3.0]},
            left="what is left on disk",
            survived=2,                              # so many injections, each with the recovery from it
        )

A fault may have several rows, of several tests. `make reliability` runs the folder and writes docs/reliability.md from
the rows; tests/test_reliability.py holds both tables to each other.
"""

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
from typing import Any

import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.link import client
from cuelens.link.replies import Reply
from cuelens.link.requests import Request, Try
from cuelens_models.errors import BadInput

TABLE = "CUELENS_FAULT_TABLE"
"""Environment variable: the folder into which each row is written."""
ORANGE_SECONDS = float("inf")
"""The orange breath of a fault has no end; no other light is so."""
_WORKS = {"camera": "textured", "light": "works", "button": "present", "beat": "works", "board": "none", "clock": "0"}


class Worn:
    """One `cuelens run` after another, in one household: the same state folder, settings and bench."""

    def __init__(
        self, home: Path, runtime: Path, *, cues: str = "light", settings: str = "", profile: str = ""
    ) -> None:
        """Lay the household out. Nothing runs yet.

        Args:
            home: an empty folder for everything.
            runtime: a folder with a short path, for sockets.
            cues: the outputs.
            settings: more lines of TOML.
            profile: JSON of the profile `default`; "" for none.
        """
        self.bench, self.state, self.runtime = home / "bench", home / "state", runtime / "run"
        self.events_file = home / "events.jsonl"
        self._cues, self._config = cues, home / "cuelens.toml"
        self.bench.mkdir(parents=True)
        for device, does in _WORKS.items():
            self.make(device, does)
        (self.bench / "seen.jsonl").touch()
        self._config.write_text(f'[camera]\nsource = "v4l2:0"\n[places]\nstate = "{self.state}"\n{settings}\n')
        if profile:
            self.profile_file.parent.mkdir(parents=True)
            self.profile_file.write_text(profile)
        self.environment: dict[str, str] = {"HOME": str(home)}
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(str(runtime / "notify"))
        self.notified.setblocking(False)
        self._notify = runtime / "notify"
        self._messages: list[tuple[float, str]] = []
        self._since = 0
        self.process: subprocess.Popen[str] | None = None

    @property
    def profile_file(self) -> Path:
        return self.state / "profiles" / "default.json"

    @property
    def link(self) -> Path:
        return self.runtime / "link.sock"

    def make(self, device: str, does: str) -> float:
        """Have a device do something from now on. Returns the time."""
        file = self.bench / device
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}")
        fresh.write_text(does)
        fresh.replace(file)
        return time.monotonic()

    def start(self, *given: str, ready: bool = True) -> float:
        """Start a run, and wait until it is ready. Returns when it was started."""
        assert self.process is None or self.process.poll() is not None
        self.events_file.write_text("")
        self._since = len((self.bench / "seen.jsonl").read_text().splitlines())
        self._messages.clear()
        began_s = time.monotonic()
        self.process = self.launch(*given, events_file=self.events_file, runtime=self.runtime)
        if ready:
            self.wait(lambda: any("READY=1" in text for _, text in self.messages()) or self.process.poll() is not None)
            assert self.process.poll() is None, self.process.communicate()[1]
        return began_s

    def launch(self, *given: str, events_file: Path, runtime: Path) -> "subprocess.Popen[str]":
        """Start a process."""
        foreign = ("XDG_", "STATE_", "RUNTIME_", "NOTIFY_", "JOURNAL_")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        # Not the folder itself: glasses make it, and remove it if they made it.
        environment |= {"RUNTIME_DIRECTORY": str(runtime), "NOTIFY_SOCKET": str(self._notify)} | self.environment
        breakable = Path(__file__).with_name("breakable.py")
        words = ["run", "--config", self._config, "--cues", self._cues, "--events", events_file, *given]
        return subprocess.Popen(
            [sys.executable, str(breakable), str(self.bench), *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ended(self, within_s: float = 30.0) -> tuple[int, str]:
        """Wait for the end. Returns the status and what was said on standard error."""
        assert self.process
        _, said = self.process.communicate(timeout=within_s)
        return self.process.returncode, said

    def stop(self) -> str:
        """End the run as systemd does. Returns what was said on standard error."""
        assert self.process
        self.process.terminate()
        status, said = self.ended()
        assert status == 0, said
        assert "Traceback" not in said
        return said

    def close(self) -> None:
        """End the run, whatever its state."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.communicate()
        self.notified.close()

    def wait(self, condition: Callable[[], Any], within_s: float = 30.0) -> float:
        """Wait until something is so; fail if it never is. Returns the time."""
        end_s = time.monotonic() + within_s
        while not condition():
            # Read at once, since their time is that of the reading.
            self.messages()
            assert time.monotonic() < end_s, f"not so within {within_s:g} s: {condition.__code__.co_names}"
            time.sleep(0.01)
        return time.monotonic()

    def messages(self) -> list[tuple[float, str]]:
        """Return what was sent to systemd, with the time at which it was read here."""
        while True:
            try:
                self._messages.append((time.monotonic(), self.notified.recv(4096).decode()))
            except BlockingIOError:
                return self._messages

    def told(self, kind: type[Any] = events.Event) -> list[Any]:
        """Return the events of this run so far, of one kind."""
        lines = self.events_file.read_bytes().splitlines(keepends=True)
        whole = [msgspec.json.decode(line, type=events.AnyEvent) for line in lines if line.endswith(b"\n")]
        return [event for event in whole if isinstance(event, kind)]

    def faults(self) -> dict[str, str]:
        """Return the details of the faults of this run, by name."""
        return {event.fault: event.detail for event in self.told(events.Fault)}

    def fault(self, name: str) -> str:
        """Wait for a fault. Returns what was said of it last."""
        self.wait(lambda: name in self.faults())
        return self.faults()[name]

    def details(self, fault: str) -> list[str]:
        """Return what was said of a fault in this run, each time."""
        return [event.detail for event in self.told(events.Fault) if event.fault == fault]

    def count(self, fault: str) -> int:
        """Return how often a fault was reported in this run."""
        return len(self.details(fault))

    def states(self) -> list[str]:
        """Return the states of this run, without repeats in a row."""
        states = [event.state for event in self.told(events.State)]
        return [state for place, state in enumerate(states) if not place or states[place - 1] != state]

    def now(self) -> str:
        """Return the last state of this run; "" before the first event of a state."""
        return (self.states() or [""])[-1]

    def seen(self, what: str = "", since_s: float = 0.0) -> list[dict[str, Any]]:
        """Return what the devices of this run saw since a time."""
        lines = (self.bench / "seen.jsonl").read_text().splitlines()[self._since :]
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if what in ("", entry["what"]) and entry["at"] >= since_s]

    def breathes_orange(self, since_s: float = 0.0) -> bool:
        """Whether the last light since a time is the orange breath of a fault."""
        lights = [entry for entry in self.seen("", since_s) if entry["what"].startswith("light")]
        return bool(lights) and lights[-1]["what"] == "light" and lights[-1]["seconds"] == ORANGE_SECONDS

    def ask(self, request: Request) -> Reply:
        """Ask the running glasses."""
        return client.exchange(request, [self.link])

    def cue(self, word: str = "happy") -> float:
        """Have a cue given, as soon as one may be. Returns when it was asked for."""
        end_s = time.monotonic() + 10
        while True:
            asked_s = time.monotonic()
            try:
                self.ask(Try(word=word))
            except BadInput as error:
                if "a moment ago" not in str(error) or time.monotonic() > end_s:
                    raise
                time.sleep(0.1)
            else:
                return asked_s

    def lit(self, since_s: float) -> float:
        """Wait for a light that is no orange breath. Returns the seconds since a time."""
        shown: list[dict[str, Any]] = []

        def is_shown() -> bool:
            shown[:] = [light for light in self.seen("light", since_s) if light["seconds"] != ORANGE_SECONDS]
            return bool(shown)

        self.wait(is_shown)
        return float(shown[0]["at"]) - since_s

    def files(self) -> list[str]:
        """Return the files of the state folder, sorted."""
        return sorted(str(path.relative_to(self.state)) for path in self.state.rglob("*") if path.is_file())


class FaultTable:
    """Takes the rows of one test."""

    def __init__(self, test: str) -> None:
        self.test = test
        self.rows: list[dict[str, Any]] = []

    def row(
        self,
        fault: str,
        *,
        injected: str,
        noticed: str,
        happens: str,
        left: str,
        survived: int,
        seconds: dict[str, list[float]] | None = None,
    ) -> None:
        """Tell a row.

        Args:
            fault: the first column of the design's table.
            injected: how this test makes it happen.
            noticed: what the wearer notices, as asserted.
            happens: what the glasses do.
            left: what is left on disk.
            survived: how often it was injected, and survived: a test that fails tells no row.
            seconds: what was measured, by what it is the time until or of.
        """
        row = {
            "fault": fault,
            "injected": injected,
            "noticed": noticed,
            "happens": happens,
            "seconds": seconds or {},
            "left": left,
            "survived": survived,
            "test": self.test,
        }
        assert all(text.strip() and "|" not in text for text in (fault, injected, noticed, happens, left))
        assert survived >= 2
        self.rows.append(row)


@pytest.fixture
def fault_table(request: pytest.FixtureRequest) -> Iterator[FaultTable]:
    """The table of this test's rows, written to the folder that the environment names once the test has passed."""
    file = Path(request.node.path)
    table = FaultTable(f"{file.name}::{request.node.originalname}")
    yield table
    if table.rows and (folder := os.environ.get(TABLE)):
        name = request.node.name.translate(str.maketrans("/[] ", "----"))
        Path(folder, f"{file.stem}-{name}.json").write_text(json.dumps(table.rows))


@pytest.fixture
def worn(tmp_path: Path) -> Iterator[Callable[..., Worn]]:
    """Lays out a household. options: as for `Worn`."""
    made: list[Worn] = []
    with tempfile.TemporaryDirectory(prefix="worn") as runtime:

        def lay_out(**options: Any) -> Worn:
            place = Path(runtime, str(len(made)))
            place.mkdir()
            made.append(Worn(tmp_path / f"home{len(made)}", place, **options))
            return made[-1]

        yield lay_out
        for glasses in made:
            glasses.close()


@pytest.fixture(scope="session")
def face() -> Callable[[Worn], None]:
    """Puts a face in front of the camera of glasses."""
    from cuelens.adapters.demo_scene import demo_scene

    picture = np.ascontiguousarray(demo_scene().picture(90)[0])

    def show(glasses: Worn) -> None:
        (glasses.bench / "face.grey").write_bytes(picture.tobytes())
        glasses.make("camera", "face")

    return show
