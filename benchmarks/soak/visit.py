"""Visits of a phone to the caregiver's page: a real process, paired, walked through, and left or killed."""

import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import Final
from urllib.error import HTTPError

from benchmarks.phone import Phone
from benchmarks.soak.glasses import Figures, Worn, await_, figures

SCREENS: Final = ("home", "people", "cues", "cues/happy", "often", "button", "check", "profiles", "story", "more")
PRESETS: Final = ("gentle", "subtle")
START_S: Final = 30.0
PICTURES: Final = 12


class Visits:
    """Visits to the page of some glasses.

    Attributes:
        done: visits that were walked through. cut: why others ended early.
        took: what the process of each page took at the end.
    """

    def __init__(self, worn: Worn) -> None:
        self.done = 0
        self.cut: Counter[str] = Counter()
        self.took: list[Figures] = []
        self._worn = worn

    def go(self, chance: random.Random, *, dies: bool = False) -> None:
        """Set the glasses up, and save that or drop it. dies: the page is killed in the middle, and leaves a draft."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "cuelens.page", "--link", str(self._worn.link), "--port", str(port)]
        page = subprocess.Popen(
            [*command, "--print-code"],
            env=self._worn.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            self._walk(page, port, chance, dies=dies)
            self.done += 1
        except HTTPError as error:
            said = re.search(r'<p class="hint" lang="en" dir="ltr">(.*?)</p>', error.read().decode())
            self.cut[f"{error.url.rpartition('/')[2]} {error.code} ({said[1] if said else error.reason})"] += 1
        except (OSError, ValueError) as error:
            # Glasses that are killed or stand still meanwhile end a visit.
            self.cut[str(error)] += 1
        finally:
            if dies:
                page.kill()
            else:
                page.terminate()
            page.communicate(timeout=START_S)

    def _walk(self, page: "subprocess.Popen[str]", port: int, chance: random.Random, *, dies: bool) -> None:
        await_(lambda: page.poll() is not None or _listens(port), START_S, lambda: "the page does not start")
        phone = Phone(port)
        phone.post("/code", phone.get("/"))
        assert page.stdout
        found = re.search(r"[1-6]{6}", page.stdout.readline())
        if not found:
            raise ValueError("no code was told")
        phone.post("/pair", phone.get("/code"), code=found[0])
        home = phone.get("/home")
        if b"/draft/take" in home:
            phone.post(chance.choice(("/draft/take", "/draft/discard")), home)
        phone.get("/aim")
        for _ in range(PICTURES):
            # A camera that is paused, covered or away has no picture.
            with suppress(HTTPError):
                phone.get("/aim/picture")
        phone.post("/people/collect", home, shown="neutral")
        time.sleep(chance.uniform(0.5, 4.0))
        phone.post("/people/stop", home)
        phone.post("/people/correct", home)
        phone.post("/cues/preset", home, preset=chance.choice(PRESETS))
        for screen in SCREENS:
            phone.get(f"/{screen}")
        self.took.append(figures(page.pid))
        if dies:
            return
        phone.post(chance.choice(("/save", "/draft/discard")), home)
        phone.post("/leave", home, then=chance.choice(("session", "rest")))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
