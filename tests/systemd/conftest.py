"""A real systemd that boots in a container on this machine's own files, with the units that `make install-units` puts.

Nothing is downloaded, and nothing of this machine changes: the container writes into memory, in a mount namespace that
ends with it. What stands in for hardware is said beside each part.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import cuelens
import cuelens_models
from cuelens.adapters import last_resort
from cuelens.settings import Pins

ROOT = Path(__file__).parents[2]
BOOT = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/work" "$1/root"
cp -a "$2" "$1/up"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
cd "$1"
shift 2
status=133
while [ $status = 133 ]; do
    status=0
    systemd-nspawn --quiet --boot --directory=root --register=no --keep-unit --private-network "$@" || status=$?
done
exit $status
"""
"""With --keep-unit the status 133 tells of a reboot."""
PROGRAM = """#!/opt/cuelens/bin/python
from cuelens.cli import main
main()
"""
SPINNING = """
import signal
def spin(*_):
    while True:
        pass
signal.signal(signal.SIGUSR2, spin)
"""
"""At SIGUSR2 the thread of the beats computes for ever, while the others go on."""
STILL_S = 300
DEADLINE_S = 60.0


class Container:
    """A machine that systemd runs."""

    def __init__(self, folder: Path, layer: Path, binds: dict[Path, str]) -> None:
        """Begin to boot.

        Args:
            folder: for its mounts.
            layer: files over those of this machine.
            binds: folders of this machine, and where they are inside.
        """
        folder.mkdir()
        self._console = (folder.parent / "console").open("wb+")
        bound = [f"--bind-ro={source}:{place}" for source, place in binds.items()]
        command = ["unshare", "--mount", "sh", "-c", BOOT, "boot", str(folder), str(layer)]
        self._power = subprocess.Popen(
            [*command, *bound, "systemd.unit=test.target"],
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._since_s = 0.0

    def booted(self, seconds: float = DEADLINE_S) -> bool:
        """Wait until it is up; False if it ends."""
        return self.until(lambda: self._power.poll() is not None or self._is_up(), seconds) and self._is_up()

    def _is_up(self) -> bool:
        return self.leader() is not None and self.run("systemctl", "is-active", "test.target").stdout == "active\n"

    def leader(self) -> int | None:
        """Return the number of its first process, on this machine."""
        for pid in _children(_first(_children(self._power.pid))):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                    return pid
        return None

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root and outside of any unit."""
        enter = ["nsenter", "--target", str(self.leader()), "--all", "--"]
        return subprocess.run([*enter, *command], input=text, capture_output=True, text=True, timeout=120, check=False)

    def does(self, *command: str, text: str | None = None) -> str:
        """Run a command that must succeed, and return what it said."""
        done = self.run(*command, text=text)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file, and make its folder."""
        self.does("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "write", path, text=text)

    def shown(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.does("systemctl", "show", "--property", name, "--value", unit).strip()

    def journal(self, unit: str = "") -> str:
        """Return what the journal has, about a unit or all of them, since `look_from_now_on`."""
        about = [f"--unit={unit}"] if unit else []
        self._take_all_that_was_said()
        return self.does("journalctl", "--no-pager", f"--since=@{self._since_s:.6f}", "--output=cat", *about)

    def look_from_now_on(self) -> None:
        """Pass over what the journal has already."""
        self._take_all_that_was_said()
        self._since_s = time.time()

    def _take_all_that_was_said(self) -> None:
        """Wait for the journal: a unit's own lines and those of its programs come by different sockets."""
        self.does("journalctl", "--sync")

    def until(self, holds: Callable[[], Any], seconds: float = DEADLINE_S) -> bool:
        """Wait until something holds. Returns False if it never does: then something hangs."""
        end_s = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end_s:
                return False
            time.sleep(0.05)
        return True

    def console(self) -> str:
        """Return what it printed."""
        self._console.seek(0)
        return self._console.read().decode(errors="replace")

    def end(self) -> None:
        """Kill it."""
        for pid in (_first(_children(self._power.pid)), self.leader()):
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            self._power.wait(30)
        finally:
            self._power.kill()
            self._power.wait()
            self._console.close()


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The glasses, as far as a machine without their hardware can be they."""
    if os.geteuid() != 0:
        pytest.skip("only root may start a container")
    for name in ("systemd-nspawn", "unshare", "nsenter", "make"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("board", numbered=True)
    layer = folder / "layer"
    _program(layer / "opt" / "cuelens")
    _machine(layer)
    site = Path(sysconfig.get_paths()["purelib"]).resolve()
    container = Container(
        folder / "mounts",
        layer,
        {
            Path(sys.base_prefix): "/opt/cuelens/python",
            site: "/opt/cuelens/site",
            ROOT: "/opt/cuelens/checkout",
            Path(cuelens.__file__).parent: "/opt/cuelens/own/cuelens",
            Path(cuelens_models.__file__).parent: "/opt/cuelens/own/cuelens_models",
        },
    )
    try:
        if not container.booted():
            pytest.skip(f"no container boots here: {' '.join(container.console().split())[-300:]}")
        container.does("systemd-sysusers")
        container.does("systemd-tmpfiles", "--create", "--prefix=/var/lib/cuelens", "--prefix=/etc/cuelens")
        yield container
    finally:
        container.end()


def _children(pid: int | None) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _first(pids: list[int]) -> int | None:
    return pids[0] if pids else None


def _program(place: Path) -> None:
    """A virtual environment in the place of the glasses', with the interpreter and the packages of this test."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own_site = place / "lib" / version / "site-packages"
    for made in ("bin", "python", "site", "checkout", "own/cuelens", "own/cuelens_models"):
        (place / made).mkdir(parents=True)
    own_site.mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home = /opt/cuelens/python/bin\ninclude-system-site-packages = false\n")
    (place / "bin" / "python").symlink_to(f"/opt/cuelens/python/bin/{version}")
    _executable(place / "bin" / "cuelens", PROGRAM)
    (own_site / "spinning.py").write_text(SPINNING)
    (own_site / "test.pth").write_text("/opt/cuelens/own\n/opt/cuelens/site\nimport spinning\n")


def _machine(layer: Path) -> None:
    """The units, and what stands in for hardware and for the network."""
    done = subprocess.run(
        ["make", "-s", "install-units", f"DESTDIR={layer}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    units = layer / "etc" / "systemd" / "system"
    (units / "test.target").write_text("[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n")
    # The interpreter of the test is somewhere else, and so is its library.
    of_python = ("cuelens.service", "cuelens-page.service", "cuelens-card.service", "cuelens-card-check.service")
    for unit in (*of_python, "probe.service"):
        (units / f"{unit}.d").mkdir(exist_ok=True)
        (units / f"{unit}.d" / "library.conf").write_text(
            "[Service]\nEnvironment=LD_LIBRARY_PATH=/opt/cuelens/python/lib\n"
        )
    # No camera: a video without anybody in it.
    settings = layer / "etc" / "cuelens" / "cuelens.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[camera]\nsource = "/opt/cuelens/still.avi"\n')
    video = cv2.VideoWriter(str(layer / "opt/cuelens/still.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, (160, 120))
    for _ in range(15 * STILL_S):
        video.write(np.full((120, 160, 3), 99, np.uint8))
    video.release()
    # No pins: the lamps of a board, and a gpioset that tells the journal what it is asked for. No sound card either.
    state = layer / "var" / "lib" / "cuelens"
    state.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(state))
        last_resort.leave_lamps(0, Pins())
    shutil.copy(Path(__file__).parent / "gpioset", layer / "opt" / "cuelens" / "gpioset")
    _executable(layer / "usr/local/bin/gpioset", '#!/bin/sh\nGPIOSET_LOG=- exec /opt/cuelens/gpioset "$@"\n')
    _executable(layer / "usr/local/bin/aplay", '#!/bin/sh\necho "aplay $*" >&2\n')
    # No radio: the address alone is the access point, and the journal gets what a radio would be told.
    _executable(layer / "usr/local/bin/iw", '#!/bin/sh\necho "iw $*" >&2\n')
    (units / "NetworkManager.service").write_text("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n")
    access = units / "cuelens-access-point.service.d" / "no-radio.conf"
    access.parent.mkdir()
    ip = shutil.which("ip") or "/usr/sbin/ip"
    access.write_text(
        f"[Service]\nExecStart=\nExecStart={ip} address add 10.42.0.1/24 dev lo\nExecStop=\nExecStopPost=\n"
        f"ExecStopPost={ip} address del 10.42.0.1/24 dev lo\n"
    )


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
