"""The unit by systemd's own judgement, and the daemon's side of the conversation with it."""

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

UNIT = Path(__file__).parents[2] / "systemd" / "cuelens.service"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit with its program where this machine has one: `verify` wants to see it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = re.sub(r"/opt/cuelens/bin/\w+", shutil.which("true") or "/bin/true", UNIT.read_text())
    assert "/opt/cuelens" not in text
    unit = tmp_path / "cuelens.service"
    unit.write_text(text)
    return unit


def test_systemd_finds_nothing_to_complain_about(installed: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(installed)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_exposure_is_at_most_2_5(installed: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", "--no-pager", str(installed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-400:]
    level = re.search(r"Overall exposure level for cuelens.service: ([\d.]+)", done.stdout)
    assert level
    assert float(level[1]) <= 2.5


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
    assert told[0] == "READY=1"
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


def test_the_light_is_put_out_without_waiting_for_opencv() -> None:
    code = "import sys, cuelens.adapters.lights_out; sys.exit('cv2' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_beat_that_hangs_starves_the_watchdog() -> None:
    """Only `Daemon.run` calls `turned`, after a turn has ended: no timer and no other thread can feed the dog."""
    sources = Path(__import__("cuelens").__file__).parent.rglob("*.py")
    callers = [path.name for path in sources if ".turned()" in path.read_text()]
    assert callers == ["loop.py"]
