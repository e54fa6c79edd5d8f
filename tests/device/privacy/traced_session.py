"""A whole session of real glasses and the real page, traced: all that a wearer and a caregiver do."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import msgspec
import numpy as np
import system_calls

from cuelens.link import client, requests
from cuelens.link.replies import Corrected, Glasses, Reply
from cuelens.profile.profile import Profile
from cuelens.sound import clip
from cuelens.sound.clip import Clip

WAIT_S = 60.0
BUTTON = Path(__file__).resolve().parents[1] / "page" / "glasses_with_button.py"
"""`cuelens` with a button: without one, nobody could take a mute back, and none is stored."""
PROFILE = '{"sound": {"on": true}, "policy": {"gap_s": 1.0}}'


@dataclass
class Told:
    """What the session's other side saw.

    Attributes:
        glasses: what the daemon did, by the trace. page: what the page's process did.
        folders: by their names in docs/design.md: STATE, RUNTIME, TMP.
        chosen: the profile that the caregiver saved last.
        looked: pictures that came by the link.
        export: the story as CSV.
        said: what the glasses and the page printed.
    """

    glasses: Any
    page: Any
    folders: dict[str, Path]
    chosen: Profile
    looked: int
    export: str
    said: str


class Worn:
    """Traced glasses. With root, nothing but their own folders can be written to."""

    def __init__(self, folder: Path, frames: Path) -> None:
        self.folders = {"STATE": folder / "state", "RUNTIME": folder / "run", "TMP": folder / "tmp"}
        for place in (*self.folders.values(), folder / "home"):
            place.mkdir()
        (self.folders["STATE"] / "profiles").mkdir()
        self.profile = self.folders["STATE"] / "profiles" / "default.json"
        self.profile.write_text(PROFILE)
        self._link = self.folders["RUNTIME"] / "link.sock"
        config = folder / "home" / ".config" / "cuelens" / "cuelens.toml"
        config.parent.mkdir(parents=True)
        config.write_text('[speaker]\ndevice = "null"\n')
        # As the unit has it (systemd/cuelens.service).
        self.environment = os.environ | {
            "STATE_DIRECTORY": str(self.folders["STATE"]),
            "RUNTIME_DIRECTORY": str(self.folders["RUNTIME"]),
            "TMPDIR": str(self.folders["TMP"]),
            "HOME": str(folder / "home"),
            "NOTIFY_SOCKET": "/nowhere/notify",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._traces = folder / "traces"
        self._traces.mkdir()
        words = ["--source", str(frames), "--worn", "--cues", "light,voice,console"]
        self._said = folder / "said"
        self.process = self.start("glasses", str(BUTTON), "run", *words)

    def start(self, name: str, *words: str, **options: Any) -> "subprocess.Popen[str]":
        """Start Python, traced, on a read-only root if root runs this."""
        command = system_calls.traced([sys.executable, *words], self._traces / name)
        if os.geteuid() == 0:
            command = system_calls.on_read_only_root(command, [*self.folders.values(), self._traces])
        with self._said.open("a") as said:
            options = {"stdout": said, "stderr": said} | options
            return subprocess.Popen(command, env=self.environment, text=True, **options)

    def traced(self, name: str) -> Any:
        """Return what a program did."""
        return system_calls.read(self._traces / name)

    def said(self) -> str:
        """Return what they printed."""
        return self._said.read_text()

    def ask(self, request: Any) -> Reply:
        """Return the answer to a request. Raises BadInput if it is refused."""
        return client.exchange(request, [self._link])

    def watch(self) -> Glasses:
        """Return their state."""
        reply = self.ask(requests.Watch())
        assert isinstance(reply, Glasses)
        return reply

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait until something is true."""
        end_s = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < end_s, f"{what}: {self.said()[-2000:]}"
            assert self.process.poll() is None, self.said()[-2000:]
            time.sleep(0.1)

    def end(self, process: "subprocess.Popen[str]") -> int:
        """End a traced program as systemd does. strace hands the signal on to nobody, so it gets its own."""
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
        return process.wait(WAIT_S)


def run(folder: Path, frames: Path) -> Told:
    """Do everything once."""
    worn = Worn(folder, frames)
    try:
        worn.until((worn.folders["RUNTIME"] / "link.sock").exists, "the glasses do not start")
        wears(worn)
        looked = is_set_up_by_link(worn)
        with phone_on_page(worn) as phone:
            looked += sets_up(phone)
        worn.until(lambda: not worn.watch().calibrating, "the page does not leave")
        chosen = saved(worn)
        worn.profile.write_bytes(msgspec.json.encode(msgspec.structs.replace(chosen, wearer="Kim")))
        worn.ask(requests.Reload())
        export = exported(worn)
    finally:
        status = worn.end(worn.process)
    assert status == 0, worn.said()
    chosen = msgspec.structs.replace(chosen, wearer="Kim")
    return Told(worn.traced("glasses"), worn.traced("page"), worn.folders, chosen, looked, export, worn.said())


def wears(worn: Worn) -> None:
    """Wear them: a face comes, a press is answered by light and voice, and they are muted and paused for a while."""
    worn.until(lambda: worn.watch().faces, "no face is found")
    worn.until(lambda: list((worn.folders["STATE"] / "phrases").glob("*.wav")), "no phrase is rendered")
    worn.ask(requests.Press(gesture="ask"))
    worn.until(lambda: any(one.kind == "answer" for one in worn.watch().happenings), "no answer comes")
    worn.ask(requests.Try(word="happy"))
    for gesture in ("mute", "mute", "pause", "pause"):
        worn.ask(requests.Press(gesture=gesture))
    worn.until(lambda: worn.watch().faces, "no face is found after a pause")


def is_set_up_by_link(worn: Worn) -> int:
    """Calibrate: look, collect, correct, draft, record, save. Returns how many pictures came."""
    worn.ask(requests.Calibrate())
    worn.until(lambda: worn.watch().calibrating, "no calibration begins")
    for _ in range(3):
        worn.ask(requests.Look())
    for shown in ("neutral", "happy"):
        worn.ask(requests.Collect(shown=shown))
        worn.until(lambda: worn.watch().collected.seconds.get(shown, 0.0) > 3.2, f"{shown} is not collected")  # noqa: B023
    assert isinstance(worn.ask(requests.Correct()), Corrected)
    tone = Clip(np.round(8000 * np.sin(np.arange(8000) / 6)).astype(np.int16), 16000)
    worn.ask(requests.Record(word="happy", wav=clip.wav(tone)))
    worn.ask(requests.Save())
    worn.ask(requests.Create(name="school"))
    worn.ask(requests.Choose(name="default"))
    worn.ask(requests.ReadStory())
    worn.ask(requests.ReadTable())
    worn.ask(requests.Leave())
    return 3


@contextmanager
def phone_on_page(worn: Worn) -> Any:
    """Serve the traced page, and yield a paired phone: a function of a path, and of a form to post."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    link = str(worn.folders["RUNTIME"] / "link.sock")
    words = ["-m", "cuelens.page", "--host", "127.0.0.1", "--port", str(port), "--link", link, "--print-code"]
    page = worn.start("page", *words, stdout=subprocess.PIPE)
    assert page.stdout
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    here = f"http://127.0.0.1:{port}"

    def phone(path: str, screen: bytes = b"", **form: str) -> bytes:
        if screen:
            token = re.search(rb'name="(csrf|visitor)" value="([^"]+)"', screen)
            assert token
            data = urlencode(form | {"csrf": token[2].decode()}).encode()
            path = Request(here + path, data, {"Origin": here})  # type: ignore[assignment]  # noqa: S310
        answer: bytes = opener.open(path if screen else here + path, timeout=WAIT_S).read()
        return answer

    try:
        worn.until(lambda: _listens(port), "the page does not start")
        phone("/code", phone("/"))
        code = re.search(r"[1-6]{6}", page.stdout.readline())
        assert code
        phone("/pair", phone("/code"), code=code[0])
        yield phone
    finally:
        worn.end(page)
        page.stdout.close()


def sets_up(phone: Any) -> int:
    """Aim, try light and sound, save, look at the story, leave. Returns how many pictures came."""
    home = phone("/home")
    phone("/aim")
    seen = sum(phone("/aim/picture").startswith(b"\xff\xd8") for _ in range(4))
    phone("/cues/preset", home, preset="subtle")
    phone("/save", home)
    for screen in ("people", "cues", "check", "profiles", "story", "more"):
        phone(f"/{screen}")
    phone("/leave", home, then="session")
    return seen


def saved(worn: Worn) -> Profile:
    """Return the profile as the caregiver has left it."""
    return msgspec.json.decode(worn.profile.read_bytes(), type=Profile)


def exported(worn: Worn) -> str:
    """Export the story as CSV, as `cuelens story` does it."""
    words = ["-m", "cuelens", "story", "--csv", "-"]
    return subprocess.run(
        [sys.executable, *words], env=worn.environment, capture_output=True, text=True, check=True, timeout=WAIT_S
    ).stdout


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
