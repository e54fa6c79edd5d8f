"""Somebody with a phone, for tests: a browser that is looked at and clicked, and running glasses to set up."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

AXE = os.environ.get("CUELENS_AXE", "")
SCREENSHOTS = os.environ.get("CUELENS_SCREENSHOTS", "")
BROWSER = bool(shutil.which("chromedriver"))
WHY_NOT = "needs Chromium and its driver (apt install chromium chromium-driver)"
TALL = 740
_GLASSES = Path(__file__).with_name("glasses_with_button.py")


def make_browser(*options: str, script: bool = True, width: int = 360, scale: int = 2) -> Any:
    """Return a browser of a phone's size, to which cuelens.local is this machine."""
    from selenium import webdriver

    chosen = webdriver.ChromeOptions()
    chosen.add_argument("--headless=new")
    for option in (
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP cuelens.local 127.0.0.1",
        "--hide-scrollbars",
        *options,
    ):
        chosen.add_argument(option)
    chosen.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not script:
        chosen.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(chosen, webdriver.ChromeService(shutil.which("chromedriver")))
    resize(browser, width, scale)
    browser.implicitly_wait(5)
    browser.set_page_load_timeout(30)
    return browser


def resize(browser: Any, width: int, scale: int = 2) -> None:
    """Give the browser a phone's width."""
    phone = {"width": width, "height": TALL, "deviceScaleFactor": scale, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)


def prefer(browser: Any, scheme: str, motion: str = "no-preference") -> None:
    """Prefer light or dark, and reduced motion or not."""
    features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def click(browser: Any, css: str) -> None:
    """Click like a person: what is outside of the view is brought into it first. A step may redraw meanwhile."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.common.by import By

    for _ in range(5):
        with contextlib.suppress(StaleElementReferenceException):
            element = browser.find_element(By.CSS_SELECTOR, css)
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
            return
        time.sleep(0.2)
    raise AssertionError(f"{css} does not hold still")


def press(browser: Any, action: str, **values: str) -> None:
    """Press the button of a form, by where it posts and what hidden fields say."""
    hidden = "".join(f':has(input[name="{name}"][value="{value}"])' for name, value in values.items())
    click(browser, f'form[action="{action}"]{hidden} button')


def move(browser: Any, slider: str, value: float) -> None:
    """Move a slider, by its id."""
    script = "const s = arguments[0]; s.value = arguments[1]; s.dispatchEvent(new Event('input'))"
    browser.execute_script(script, browser.find_element("id", slider), value)


def text(browser: Any) -> str:
    """Return what is seen. One call: the page may be replaced at any time."""
    found: str = browser.execute_script("return document.querySelector('main')?.innerText ?? ''")
    return found


def until(sees: Callable[[], str], wanted: str, seconds: float = 20) -> None:
    """Wait until a text is seen."""
    end_s = time.monotonic() + seconds
    while wanted not in sees():
        assert time.monotonic() < end_s, sees()
        time.sleep(0.1)


def complaints(browser: Any) -> list[str]:
    """Return what the browser says against the page: scripts that fail, what the policy bars."""
    return [line["message"] for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


def keep(browser: Any, name: str) -> None:
    """Write pictures of a whole screen, light and dark, 360 pixels wide. The browser is left light."""
    if not SCREENSHOTS:
        return
    for scheme in ("dark", "light"):
        prefer(browser, scheme)
        time.sleep(0.3)
        width, height = browser.execute_script("return [innerWidth, document.body.offsetHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 180 / width}
        options = {"captureBeyondViewport": True, "clip": clip}
        picture = browser.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
        Path(SCREENSHOTS, f"{name}-{scheme}.png").write_bytes(base64.b64decode(picture))


def look(browser: Any) -> list[str]:
    """Return what is wrong with a screen: too wide, small targets, and what axe-core finds."""
    problems = []
    wide = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    if browser.execute_script(wide):
        problems.append("wider than the phone")
    small = browser.execute_script(
        "return [...document.querySelectorAll('button, .button, select, input:not([type=hidden], .hidden-file), "
        "textarea, .list a, header a, footer a, a.danger, summary')]"
        ".map(e => [e.type === 'checkbox' ? e.closest('label') : e]).flat()"
        ".filter(e => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.outerHTML.slice(0, 90))"
    )
    problems += [f"small: {one}" for one in small]
    if AXE:
        if not browser.execute_script("return typeof axe !== 'undefined'"):
            browser.execute_script(Path(AXE).read_text("utf-8"))
        problems += browser.execute_async_script(
            "const end = arguments[0]; axe.run({resultTypes: ['violations']}).then(r => end(r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0] || {}).message).join('; '))))"
        )
    return problems


def face_video(file: Path, seconds: float, brightness: float = 1.0) -> Path:
    """Write a video of somebody who sits before the glasses: a smiling photograph of the demo, swaying a little."""
    import cv2

    from cuelens.adapters.demo_scene import COLLINS, HEIGHT, WIDTH, Place, Scene, photograph

    fps, round_s = 10, 6
    wall = cv2.GaussianBlur(cv2.resize(photograph("gravel.png"), (WIDTH, WIDTH))[:HEIGHT], (0, 0), 2)
    path = tuple(Place(t, 320 + 6 * (t % 2), 225 - 4 * (t % 3), 112 + t, -2 + t / 2) for t in range(round_s + 2))
    scene = Scene(wall, (COLLINS.actor(path),), round_s)
    pictures = [(scene.picture(number)[0] * brightness).astype("uint8") for number in range(0, scene.frames, 2)]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT), isColor=False)
    order = [*pictures, *reversed(pictures)]
    for number in range(round(seconds * fps)):
        writer.write(order[number % len(order)])
    writer.release()
    return file


class Wearable:
    """Running glasses with a replayed camera, and what they did.

    Attributes:
        folder: of their state, link and events.
    """

    def __init__(self, folder: Path, video: Path | None) -> None:
        """Start them, and wait for their link. video: in place of the camera that this machine lacks."""
        self.folder = folder
        self.profiles = folder / "cuelens" / "profiles"
        self._link = folder / "cuelens" / "link.sock"
        self._environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)}
        self._environment |= {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self._events = folder / "events.jsonl"
        command = [sys.executable, str(_GLASSES), "run", "--worn", "--cues", "light,console"]
        command += ["--events", str(self._events), *(["--source", str(video)] if video else [])]
        if not video:
            (folder / "cuelens").mkdir()
            (folder / "cuelens" / "cuelens.toml").write_text('[camera]\nsource = "v4l2:77"\n')
        with (folder / "glasses.txt").open("w") as said:
            self.process = subprocess.Popen(command, env=self._environment, stdout=said, stderr=said)
        end_s = time.monotonic() + 30
        while not self._link.exists():
            assert time.monotonic() < end_s, (folder / "glasses.txt").read_text()
            assert self.process.poll() is None, (folder / "glasses.txt").read_text()
            time.sleep(0.05)

    def command(self, *words: str) -> None:
        """Ask them by the command line, as `press ask`."""
        subprocess.run([sys.executable, "-m", "cuelens", *words], env=self._environment, check=True, timeout=30)

    def events(self, event: str = "") -> list[dict[str, Any]]:
        """Return what happened, or what of one kind did."""
        lines = self._events.read_text().splitlines() if self._events.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [one for one in found if event in ("", one["event"])]

    def close(self) -> None:
        """End them."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    @contextlib.contextmanager
    def page(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Serve the page. Yields its address, and what returns the code that it printed last."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "cuelens.page", "--link", str(self._link), "--port", str(port), "--print-code"]
        printed = self.folder / "page.txt"
        with printed.open("w") as said:
            process = subprocess.Popen(command, env=self._environment, stdout=said, stderr=said)
        end_s = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < end_s, printed.read_text()
            time.sleep(0.1)

        def code() -> str:
            until(printed.read_text, "pairing code: ")
            return re.findall(r"pairing code: (\d{6})", printed.read_text())[-1]

        try:
            yield f"http://cuelens.local:{port}", code
        finally:
            process.terminate()
            process.wait(20)


def pair(browser: Any, address: str, code: Callable[[], str]) -> None:
    """Go in from the first screen with the code that was told."""
    from selenium.webdriver.common.by import By

    browser.get(f"{address}/")
    press(browser, "/code")
    until(lambda: browser.current_url, "/code")
    browser.find_element(By.ID, "code").send_keys(code())
    press(browser, "/pair")
    until(lambda: browser.current_url, "/home")
