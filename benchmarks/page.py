"""What the caregiver's page costs: the glasses' beats while a phone watches, its memory and bytes, and a person's time.

    python benchmarks/page.py [--seconds 30]    # beats without and with a phone that watches, memory, bytes
    python benchmarks/page.py --walk            # somebody goes through every step (Chromium and chromedriver, selenium)

Everything is real but the camera, which replays a scene with one face from a video: the glasses (`cuelens run`), the
page (`python -m cuelens.page`), and with --walk the browser, 360 pixels wide, under a name that is no localhost. The
watching phone asks for pictures as fast as the page gives them, eight a second. A walk reads nothing, so its time is
that of clicking, waiting and holding still: the sitting of 28 s and the check of 30 s are in it. First paint is that of
the first screen and of the overview, with a processor four times as slow.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import scenes
from phone import Phone

from cuelens.adapters.demo_scene import FPS, HEIGHT, WIDTH
from cuelens.health.board import resident_mb

SCREENS: Final = (
    "home",
    "aim",
    "people",
    "cues",
    "cues/happy",
    "often",
    "button",
    "check",
    "profiles",
    "story",
    "more",
)
CHILDREN_S: Final = 20.0
SLOWER: Final = 4
"""Times by which the processor of the phone is slower."""
SITTING: Final = ("neutral", "happy", "surprise", "sad")


@dataclass
class Glasses:
    """Running glasses. folder: of their state, log and link."""

    folder: Path
    process: "subprocess.Popen[str]"

    def end(self) -> str:
        """End them. Returns what they printed."""
        self.process.terminate()
        return self.process.communicate(timeout=CHILDREN_S)[0]


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder), "HOME": str(folder)}


def run_glasses(folder: Path, video: Path) -> Glasses:
    command = [sys.executable, "-m", "cuelens", "run", "--source", str(video), "--worn", "--cues", "console"]
    process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True)
    link = folder / "cuelens" / "link.sock"
    await_(link.exists, "the glasses do not start")
    return Glasses(folder, process)


@contextmanager
def serving(glasses: Glasses) -> Iterator[tuple[int, str, int]]:
    """Serve the page. Yields its port, the pairing code, and the number of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    link = glasses.folder / "cuelens" / "link.sock"
    command = [sys.executable, "-m", "cuelens.page", "--link", str(link), "--port", str(port), "--print-code"]
    with subprocess.Popen(command, env=environment(glasses.folder), stdout=subprocess.PIPE, text=True) as page:

        def answers() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        await_(answers, "the page does not start")
        # The code is printed once a phone asks for it.
        code: list[str] = []
        phone = Phone(port)
        phone.post("/code", phone.get("/"))
        assert page.stdout
        if found := re.search(r"[1-6]{6}", page.stdout.readline()):
            code.append(found[0])
        try:
            yield port, code[0], page.pid
        finally:
            page.terminate()


def await_(true: Any, trouble: str) -> None:
    end_s = time.monotonic() + CHILDREN_S
    while not true():
        if time.monotonic() > end_s:
            sys.exit(trouble)
        time.sleep(0.05)


def make_video(folder: Path, seconds: float) -> Path:
    """Write a scene with one face, again and again to and fro, as a video."""
    path, scene = folder / "face.avi", scenes.standing(1, 20)
    pictures = [scene.picture(number)[0] for number in range(scene.frames)]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT), isColor=False)
    order = [*pictures, *reversed(pictures)]
    for number in range(round(seconds * FPS)):
        writer.write(order[number % len(order)])
    writer.release()
    return path


def beats(text: str) -> tuple[float, float, int]:
    """Return median and 95th percentile of beats in ms, and how many frames were dropped, by the run's own summary."""
    p50, p95 = re.findall(r"frame to decision: p50 ([\d.]+) ms, p95 ([\d.]+) ms", text)[0]
    return float(p50), float(p95), int(re.findall(r"(\d+) dropped", text)[-1])


def watched(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        video = make_video(Path(name), seconds + 30)
        results = {}
        for title in ("alone", "with a phone that watches"):
            folder = Path(name) / title.split()[0]
            folder.mkdir()
            glasses = run_glasses(folder, video)
            if title == "alone":
                time.sleep(seconds)
            else:
                watch(glasses, seconds)
            results[title] = beats(glasses.end())
            p50, p95, dropped = results[title]
            print(f"beats {title}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, {dropped} frames dropped")
        alone, phone = results.values()
        print(f"p95 with a phone over alone: {phone[1] / alone[1]:.2f}")


def watch(glasses: Glasses, seconds: float) -> None:
    """Watch the live picture, then look at every screen."""
    with serving(glasses) as (port, code, pid):
        phone = Phone(port)
        phone.post("/pair", phone.get("/code"), code=code)
        phone.get("/aim")
        end_s, pictures, size = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end_s:
            size += len(phone.get("/aim/picture"))
            pictures += 1
        print(f"pictures: {pictures / seconds:.1f} a second, {size / pictures / 1e3:.1f} kB each")
        screens = sum(len(phone.get(f"/{screen}")) for screen in SCREENS)
        static = sum(len(phone.get(f"/static/{file}")) for file in ("page.css", "page.js", "icon.svg"))
        print(f"{len(SCREENS)} screens, style and script together: {(screens + static) / 1e3:.0f} kB")
        now_mb, most_mb = resident_mb(pid)
        print(f"memory of the page's process: {now_mb:.0f} MB, {most_mb:.0f} MB at the highest")


class Person:
    """Somebody with a phone: a browser that is looked at and clicked."""

    def __init__(self, port: int) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(option)
        options.add_argument("--host-resolver-rules=MAP cuelens.local 127.0.0.1")
        self.address = f"http://cuelens.local:{port}"
        self.browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        self.browser.implicitly_wait(10)

    def open(self, path: str) -> None:
        """Open a screen."""
        self.browser.get(self.address + path)

    def click(self, css: str) -> None:
        """Click something, wherever it stands on the screen."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.common.by import By

        for _ in range(5):
            element = self.browser.find_element(By.CSS_SELECTOR, css)
            try:
                self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
                element.click()
            except StaleElementReferenceException:
                # The screen was drawn anew, or another one came meanwhile.
                time.sleep(0.2)
            else:
                return
        sys.exit(f"{css} does not hold still")

    def press(self, action: str, **values: str) -> None:
        """Press the button of a form. action: where it posts. values: of its hidden fields."""
        hidden = "".join(f':has(input[name="{name}"][value="{value}"])' for name, value in values.items())
        self.click(f'form[action="{action}"]{hidden} button')

    def type(self, css: str, text: str) -> None:
        """Type a text into a field."""
        from selenium.webdriver.common.by import By

        self.browser.find_element(By.CSS_SELECTOR, css).send_keys(text)

    def sees(self, *wanted: str, seconds: float = 60) -> None:
        """Wait until one of some texts stands on the screen."""
        from selenium.webdriver.common.by import By

        end_s = time.monotonic() + seconds
        text = ""
        while not any(one in text for one in wanted):
            if time.monotonic() > end_s:
                sys.exit(f"none of {wanted} on {self.browser.current_url}: {text}")
            time.sleep(0.1)
            text = self.browser.find_element(By.TAG_NAME, "main").text

    def first_paint_ms(self, path: str) -> float:
        """Return when a screen first shows something, on a slower processor."""
        self.browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        self.open(path)
        time.sleep(1)
        script = "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
        paint_ms = float(self.browser.execute_script(script))
        self.browser.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 1})
        return paint_ms


def walk() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        glasses = run_glasses(folder, make_video(folder, 300))
        with serving(glasses) as (port, code, _):
            person = Person(port)
            print(f"first paint of the first screen, {SLOWER} x slower: {person.first_paint_ms('/'):.0f} ms")
            began_s = time.monotonic()
            steps = through(person, glasses, code)
            for step, seconds in steps:
                print(f"  {step}: {seconds:.1f} s")
            print(f"from opening the page to saved: {time.monotonic() - began_s:.0f} s")
            print(f"first paint of the overview, {SLOWER} x slower: {person.first_paint_ms('/home'):.0f} ms")
            person.browser.quit()
        saved = (folder / "cuelens" / "profiles" / "default.json").read_text()
        print(f"saved: {len(saved)} bytes, brightness 20 % {'is' if ':20' in saved else 'IS NOT'} in it")
        glasses.end()


def through(person: Person, glasses: Glasses, code: str) -> list[tuple[str, float]]:
    """Go through every step. Returns each with its seconds."""
    times: list[tuple[str, float]] = []
    began_s = time.monotonic()

    def done(step: str) -> None:
        nonlocal began_s
        times.append((step, time.monotonic() - began_s))
        began_s = time.monotonic()

    person.open("/")
    person.press("/code")
    person.type("#code", code)
    person.press("/pair")
    person.sees("Set them up")
    done("in")
    person.click('a[href="/aim"]')
    person.sees("Distance: good.")
    person.browser.execute_script("document.getElementById('tilt').value = 3.5")
    person.press("/aim")
    person.click('a[href="/people"].strong')
    done("aim")
    for shown in SITTING:
        person.press("/people/collect", shown=shown)

        time.sleep(1)
        await_collected(person, shown)
    person.press("/people/correct")
    person.sees("Of ten moments")
    person.click('a[href="/cues"].strong')
    done("people")
    person.press("/cues/preset", preset="subtle")
    person.click('a[href="/cues/happy"]')
    person.click('button[name="colour"][value="pink"]')
    person.click('a[href="/cues"].strong')
    person.click('a[href="/often"].strong')
    done("cues")
    person.browser.execute_script(
        "const s = document.getElementById('place'); s.value = 1; s.dispatchEvent(new Event('input'))"
    )
    person.press("/often")
    person.click('a[href="/button"].strong')
    done("how often")
    person.sees("No press yet.")
    pressing = [sys.executable, "-m", "cuelens", "press", "ask"]
    subprocess.run(pressing, env=environment(glasses.folder), check=True, stdout=subprocess.DEVNULL)
    person.sees("one short press")
    person.click('a[href="/check"].strong')
    done("button")
    person.press("/check/start")
    time.sleep(31)
    person.press("/save")
    person.sees("Saved.")
    done("check and save")
    return times


def await_collected(person: Person, shown: str) -> None:
    """Hold still until enough is collected of an expression."""
    script = f"const p = document.querySelector('progress[data-seconds=\"{shown}\"]'); return !p || p.value >= p.max"
    end_s = time.monotonic() + 60
    while not person.browser.execute_script(script):
        if time.monotonic() > end_s:
            sys.exit(f"{shown} is not collected")
        time.sleep(0.2)
    time.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="of each run (default: %(default)s)")
    parser.add_argument("--walk", action="store_true", help="go through every step with a browser")
    options = parser.parse_args()
    if options.walk:
        walk()
    else:
        watched(options.seconds)


if __name__ == "__main__":
    main()
