"""The glasses of the soak: their process, their folders, and what the kernel says about them."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from cuelens.link import client
from cuelens.link.replies import Glasses as Watched
from cuelens.link.replies import Reply
from cuelens.link.requests import Request, Watch
from cuelens.story import store
from cuelens_models.errors import CuelensError

START_S: Final = 60.0
"""Deadline of a start, on a machine with much else to do."""
PROFILE: Final = '{"session": {"minutes": 1}, "sound": {"on": true, "say": "earcons"}, "policy": {"gap_s": 1.0}}'
"""Sessions of a minute, so that many of them begin and end, and sound."""
_APLAY: Final = """#!/bin/sh
echo "$$" >> "{folder}/played"
case "$(cat "{folder}/sound")" in
fail) echo "aplay: main:831: audio open error: No such file or directory" >&2; exit 1 ;;
hang) exec sleep 600 ;;
esac
exec cat > /dev/null
"""
UNIT: Final = Path(__file__).resolve().parents[2] / "systemd" / "cuelens.service"
_DISK: Final = "size=24m"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process takes.

    Attributes:
        rss: resident memory, in kB. pss: the same, with shared pages in shares.
        own: of it and of the swap, what is in no file, in kB: it can run out.
        files: of it, pages of files, in kB. The kernel may take them back at any time.
        descriptors: that are open. threads: that live. zombies: children that nobody awaited.
    """

    rss: int
    pss: int
    own: int
    files: int
    descriptors: int
    threads: int
    zombies: int


class Worn:
    """Running glasses. They are started again when they end, as systemd does.

    Attributes:
        folder: of everything about them.
        state: their state folder.
        lives: the numbers of their processes, in order.
        ends: how their processes ended, by exit status.
        refused: what was refused last.
    """

    def __init__(self, folder: Path, faster: float) -> None:
        """Write what they need. faster: how much faster than life their camera's clock runs."""
        self.folder = folder
        self.state = folder / "state"
        self.link = folder / "run" / "cuelens" / "link.sock"
        self.lives: list[int] = []
        self.ends: Counter[int] = Counter()
        self.refused = ""
        self._faster = faster
        (folder / "bin").mkdir()
        for place in (folder / "run", self.state):
            place.mkdir(exist_ok=True)
        aplay = folder / "bin" / "aplay"
        aplay.write_text(_APLAY.format(folder=folder))
        aplay.chmod(0o755)
        (folder / "played").touch()
        self.wrong(camera="", sound="")
        # Named by the settings, so that they wait for it: one that is typed must be there.
        (folder / "cuelens.toml").write_text(f'[camera]\nsource = "v4l2:77"\n[places]\nstate = "{self.state}"\n')
        self.write_profile(PROFILE)
        self._process: subprocess.Popen[bytes] | None = None

    def wrong(self, *, camera: str | None = None, sound: str | None = None) -> None:
        """Say what is wrong with a device from now on: a word of `worn.TROUBLES`; fail or hang; "" for nothing."""
        for name, word in (("camera", camera), ("sound", sound)):
            if word is not None:
                fresh = self.folder / f".{name}"
                fresh.write_text(word)
                fresh.replace(self.folder / name)

    def write_profile(self, text: str) -> None:
        """Write the profile that is in use when no calibration has made another one active."""
        (self.state / "profiles").mkdir(exist_ok=True)
        (self.state / "profiles" / "default.json").write_text(text)

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """Return the environment of the glasses, and of everything that speaks with them."""
        folder = str(self.folder)
        mine = {"HOME": folder, "XDG_RUNTIME_DIR": f"{folder}/run", "XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": folder}
        return os.environ | heaps_of_unit() | mine | {"PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def start(self) -> None:
        """Start them, and wait until they answer."""
        command = [sys.executable, "-m", "benchmarks.soak.worn", str(self.folder), str(self._faster)]
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(command, env=self.environment(), stdout=said, stderr=said)
        self.lives.append(self.pid)
        await_(lambda: self.watch() is not None or self._process_ended(), START_S, self.said)
        assert not self._process_ended(), self.said()

    def kill(self) -> None:
        """Kill them, as a power cut would."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self.ends["killed"] += 1

    def keep_up(self) -> bool:
        """Start them again if they have ended. Returns whether they had."""
        if not self._process_ended():
            return False
        assert self._process
        self.ends[f"status {self._process.returncode}"] += 1
        self.start()
        return True

    def end(self) -> int:
        """End them, and return their exit status."""
        assert self._process
        self._process.terminate()
        return self._process.wait(START_S)

    def said(self) -> str:
        """Return the last that they said on standard error."""
        return (self.folder / "said").read_text()[-2000:]

    def _process_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def hang_up(self) -> None:
        """Have the profile read again (SIGHUP)."""
        assert self._process
        self._process.send_signal(1)

    def ask(self, request: Request) -> Reply | None:
        """Return the answer to a request; None if they refuse, or are not there."""
        try:
            return client.exchange(request, [self.link])
        except CuelensError as error:
            self.refused = str(error)
            return None

    def watch(self) -> Watched | None:
        """Return their state; None if they do not answer."""
        reply = self.ask(Watch())
        return reply if isinstance(reply, Watched) else None

    def events(self, pid: int) -> Iterator[dict[str, Any]]:
        """Return what happened in a life. A line that a kill has cut is left out."""
        for line in (self.folder / f"events-{pid}.jsonl").open():
            with suppress(ValueError):
                yield json.loads(line)

    def ages_ms(self, pid: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the age of each frame of a life when it was decided on."""
        raw = (self.folder / f"beats-{pid}").read_bytes()
        return np.frombuffer(raw[: len(raw) // 4 * 4], np.float32)

    def state_kb(self) -> float:
        """Return what the state folder takes on its disk, in kB."""
        return sum(file.lstat().st_blocks for file in self.state.rglob("*")) / 2

    def story_is_whole(self) -> bool:
        """Whether the story can be opened, and SQLite finds nothing wrong with it."""
        db = store.open_to_read(self.state / store.FILE)
        try:
            return db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        finally:
            db.close()


def heaps_of_unit() -> dict[str, str]:
    """Return what the service's unit says about memory."""
    said = re.findall(r"\b(MALLOC_\w+)=(\w+)", UNIT.read_text())
    assert said, f"{UNIT} says nothing about memory"
    return dict(said)


def figures(pid: int) -> Figures:
    """Return what a process takes now."""
    proc = Path("/proc", str(pid))
    pages = dict(line.split(":", 1) for line in (proc / "smaps_rollup").read_text().splitlines()[1:])
    rss, pss, in_no_file, swapped = (int(pages[name].split()[0]) for name in ("Rss", "Pss", "Anonymous", "Swap"))
    children = (proc / "task" / str(pid) / "children").read_text().split()
    return Figures(
        rss=rss,
        pss=pss,
        own=in_no_file + swapped,
        files=rss - in_no_file,
        descriptors=len(list((proc / "fd").iterdir())),
        threads=len(list((proc / "task").iterdir())),
        zombies=sum(_is_zombie(child) for child in children),
    )


def _is_zombie(pid: str) -> bool:
    with suppress(OSError):
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Put a folder on a small disk of its own, in memory, if root runs this. Yields whether it is one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", _DISK, "soak", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def await_(true: Callable[[], object], seconds: float, trouble: Callable[[], str]) -> None:
    """Wait until something is true, for so long at most."""
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, trouble()
        time.sleep(0.1)
