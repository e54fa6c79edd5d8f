"""The unit by systemd's own judgement, and the daemon's side of the conversation with it."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.health.systemd import NotRetried
from cuelens.story.query import sessions
from cuelens_models import errors

UNIT = Path(__file__).parents[2] / "systemd" / "cuelens.service"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit with its program where this machine has one: `verify` wants to see it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("cuelens.service", "cuelens-alarm.service"):
        programs = r"/opt/cuelens/bin/\w+|/usr/lib/cuelens/[\w-]+"
        text = re.sub(programs, shutil.which("true") or "/bin/true", (UNIT.parent / name).read_text())
        assert "/opt/cuelens" not in text
        (tmp_path / name).write_text(text)
    return tmp_path / "cuelens.service"


def test_systemd_finds_nothing_to_complain_about(installed: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(installed)], capture_output=True, text=True, check=False)
    version = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
    unknown = () if int(version.split()[1]) >= 254 else ("RestartSteps", "RestartMaxDelaySec", "RestartMode")
    warned = [line.split(": ", 1)[1] for line in done.stderr.splitlines()]
    assert (done.returncode, warned) == (
        0,
        [f"Unknown key '{key}' in section [Service], ignoring." for key in unknown],
    )


def option(name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)
    return value


def test_every_restart_waits_longer_and_there_is_always_another() -> None:
    assert (option("Restart"), option("StartLimitIntervalSec")) == ("always", "0")
    assert int(option("RestartSec")) == 1
    assert int(option("RestartMaxDelaySec")) <= 20
    assert int(option("RestartSteps")) > 1


def test_only_a_missing_package_is_not_retried() -> None:
    (status,) = option("RestartPreventExitStatus").split()
    assert int(status) == NotRetried.exit_status
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    retried = {error.exit_status for error in classes if issubclass(error, errors.CuelensError)}
    assert int(status) not in retried | {0, 1, 2, 130, 141}


@pytest.mark.parametrize(
    ("settings", "service", "status"),
    [
        ('[camera]\nsource = "picamera2"\n', True, 69),
        ('[camera]\nsource = "picamera2"\n', False, 3),
        ("[camera\n", True, 3),
        ('[places]\nbundle = "/nowhere"\n[camera]\nsource = "v4l2:0x"', True, 3),
    ],
)
def test_a_start_that_no_retry_can_mend_has_a_status_of_its_own(
    tmp_path: Path, settings: str, service: bool, status: int
) -> None:
    if "picamera2" in settings and importlib.util.find_spec("picamera2"):
        pytest.skip("picamera2 is installed")
    file = tmp_path / "cuelens.toml"
    file.write_text(settings)
    environment = {key: value for key, value in os.environ.items() if key != "NOTIFY_SOCKET"}
    environment |= {"NOTIFY_SOCKET": "/nowhere/notify"} if service else {}
    done = subprocess.run(
        [sys.executable, "-m", "cuelens", "run", "--config", str(file), "--seconds", "5"],
        env=environment | {"STATE_DIRECTORY": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (status, 1), done.stderr
    assert not (tmp_path / "state" / "story.sqlite").exists() or sessions(tmp_path / "state" / "story.sqlite") == []


def test_the_unit_starts_the_command_that_a_person_starts() -> None:
    (start,) = re.findall(r"^ExecStart=/opt/cuelens/bin/cuelens (.*)$", UNIT.read_text(), re.MULTILINE)
    done = subprocess.run([sys.executable, "-m", "cuelens", *start.split(), "--help"], capture_output=True, check=False)
    assert done.returncode == 0


def test_what_sees_faces_has_no_network() -> None:
    text = UNIT.read_text()
    assert re.findall(r"^RestrictAddressFamilies=(.*)$", text, re.MULTILINE) == ["AF_UNIX AF_NETLINK"]
    assert "IPAddressDeny=any" in text


def test_a_run_tells_systemd_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.full((48, 64), 99, np.uint8))
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(10)
        run = subprocess.Popen(
            [sys.executable, "-m", "cuelens", "run", "--source", str(still), "--seconds", "2"],
            env=os.environ | {"NOTIFY_SOCKET": str(address), "HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
        )
        told = []
        while not told or told[-1] != "STOPPING=1":
            told.append(listener.recv(4096).decode())
        assert run.wait(10) == 0
    serving = [one for one in told if not one.startswith("STATUS=starting: ")]
    assert serving[0].splitlines()[0] == "READY=1"
    # One at the first turn, and one every half second after it.
    assert told.count("WATCHDOG=1") in (4, 5)


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody-listens"])
def test_a_listener_that_is_not_there_is_no_fault(tmp_path: Path, address: str) -> None:
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.full((48, 64), 99, np.uint8))
    done = subprocess.run(
        [sys.executable, "-m", "cuelens", "run", "--source", str(still), "--as-fast"],
        env=os.environ | {"NOTIFY_SOCKET": address, "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_beat_that_hangs_starves_the_watchdog() -> None:
    """Only `Daemon.run` calls `turned`, after a turn has ended: no timer and no other thread can feed the dog."""
    sources = Path(__import__("cuelens").__file__).parent.rglob("*.py")
    callers = [path.name for path in sources if ".turned()" in path.read_text()]
    assert callers == ["loop.py"]
