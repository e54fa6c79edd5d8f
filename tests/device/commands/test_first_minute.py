"""A service that cannot start with what was changed: it takes the change back, and says so. Real processes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cuelens_models.bundle.file import SHIPPED

GOOD = '[look]\nfarthest_m = 1.5\n[camera]\nsource = "{pictures}"\n'


class Service:
    """Starts of the service on one home, with a socket for systemd that nobody reads."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.state = home / "state"
        self.config = home / ".config" / "cuelens" / "cuelens.toml"
        self.config.parent.mkdir(parents=True)
        pictures = home / "pictures"
        pictures.mkdir()
        # More than a minute of frames: a picture stands for four seconds.
        for number in range(17):
            level = 40 + 97 * number % 200
            (pictures / f"{number:02}.pgm").write_bytes(b"P5 64 48 255\n" + bytes([level, 120] * (32 * 48)))
        self.good = GOOD.format(pictures=pictures)
        self.config.write_text(self.good)

    def start(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a minute of frames, as fast as they come."""
        return subprocess.run(
            [sys.executable, "-m", "cuelens", "run", "--worn", "--as-fast", "--events", "-", *words],
            env=os.environ
            | {"HOME": str(self.home), "STATE_DIRECTORY": str(self.state), "NOTIFY_SOCKET": "/nowhere/notify"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def faults(self, done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
        assert done.returncode == 0, done.stderr
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return {event["fault"]: event["detail"] for event in events if event["event"] == "fault"}

    def record(self) -> dict[str, object]:
        record: dict[str, object] = json.loads((self.state / "starts.json").read_text())
        return record


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_settings_that_cannot_be_read_are_taken_back_at_the_third_start(service: Service) -> None:
    assert service.faults(service.start()) == {}
    assert (service.state / "good" / "cuelens.toml").read_text() == service.good
    service.config.write_text("[camera\n")
    for _ in range(2):
        failed = service.start()
        assert (failed.returncode, len(failed.stderr.splitlines())) == (3, 1)
    faults = service.faults(service.start())
    assert list(faults) == ["safe mode"]
    assert "what was changed in settings is taken back" in faults["safe mode"]
    # Nobody's file is touched, and the next start does not fail again.
    assert service.config.read_text() == "[camera\n"
    assert list(service.faults(service.start())) == ["safe mode"]
    service.config.write_text(service.good.replace("1.5", "1.6"))
    assert service.faults(service.start()) == {}
    assert "1.6" in (service.state / "good" / "cuelens.toml").read_text()


def test_a_network_that_kills_the_process_is_taken_back(service: Service, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.tflite"
    chosen.write_bytes(SHIPPED.read_bytes())
    service.config.write_text(f'{service.good}[places]\nbundle = "{chosen}"\n')
    assert service.faults(service.start()) == {}
    # In place of a network on which the interpreter dies: the record of two such deaths, and other content.
    chosen.write_bytes(SHIPPED.read_bytes() + b"\0")
    for _ in range(2):
        record = service.record()
        record["unfinished"] = int(str(record["unfinished"])) + 1
        (service.state / "starts.json").write_text(json.dumps(record))
    faults = service.faults(service.start())
    assert list(faults) == ["safe mode"]
    assert "changed in bundle" in faults["safe mode"]
    assert (service.state / "good" / "bundle.tflite").read_bytes() == SHIPPED.read_bytes()


def test_a_profile_is_good_after_its_minute_and_not_before(service: Service) -> None:
    profile = service.state / "profiles" / "default.json"
    profile.parent.mkdir(parents=True)
    profile.write_text('{"mode": "quiet"}')
    good = service.state / "good" / "default.json"
    service.start("--seconds", "30")
    assert not good.exists()
    service.start()
    assert good.read_text() == '{"mode": "quiet"}'


def test_the_image_is_told_of_the_first_minute(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = service.home / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(runtime))
    service.start("--seconds", "30")
    assert not (runtime / "good").exists()
    service.start()
    assert (runtime / "good").exists()


def test_who_types_a_command_gets_no_safe_mode(service: Service) -> None:
    service.start()
    service.config.write_text("[camera\n")
    for _ in range(3):
        done = service.start("--config", str(service.config))
        assert done.returncode == 3
    assert service.record()["unfinished"] == 0


def test_a_start_says_what_it_is_at_and_asks_for_time(tmp_path: Path, service: Service) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(20)
        run = subprocess.Popen(
            [sys.executable, "-m", "cuelens", "run", "--worn", "--as-fast", "--seconds", "6"],
            env=os.environ
            | {"HOME": str(service.home), "STATE_DIRECTORY": str(service.state), "NOTIFY_SOCKET": str(address)},
            stdout=subprocess.DEVNULL,
        )
        told: list[str] = []
        while not told or told[-1] != "STOPPING=1":
            told.append(listener.recv(4096).decode())
        assert run.wait(20) == 0
    begin = told[: next(place for place, one in enumerate(told) if one.startswith("READY=1\n"))]
    assert begin
    assert all(one.startswith("STATUS=starting: ") and "\nEXTEND_TIMEOUT_USEC=60000000" in one for one in begin)
    assert any(one.startswith("STATUS=running: they see, and cues come; ") for one in told)
