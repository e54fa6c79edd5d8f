"""A real browser at the page, under a name that is no localhost: without https, as on a phone.

CUELENS_SCREENSHOTS names a folder for pictures of every screen. CUELENS_AXE names axe.min.js of axe-core.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="needs selenium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs chromium and its driver"),
]

SCREENSHOTS = os.environ.get("CUELENS_SCREENSHOTS", "")
AXE = os.environ.get("CUELENS_AXE", "")
STEPS = ("aim", "people", "cues", "often", "button", "check")
SCREENS = ("home", *STEPS, "cues/happy", "profiles", "more", "more/sound", "more/policy", "story", "profiles/reset")


@pytest.fixture
def server(played: Any, link_path: Path) -> Iterator[int]:
    """The page as a process of its own. Returns its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cuelens.page", "--link", str(link_path), "--host", "127.0.0.1"]
    process = subprocess.Popen([*command, "--port", str(port)])
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(20)


@pytest.fixture
def make_browser() -> Iterator[Any]:
    """Makes browsers of a phone's size."""
    from selenium import webdriver

    browsers = []

    def make(*options: str, script: bool = True, width: int = 360) -> Any:
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
        browsers.append(browser)
        phone = {"width": width, "height": 740, "deviceScaleFactor": 2, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        browser.implicitly_wait(5)
        browser.set_page_load_timeout(30)
        return browser

    yield make
    for browser in browsers:
        browser.quit()


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


def text(browser: Any) -> str:
    """Return what is seen. One call: the page may be replaced at any time."""
    found: str = browser.execute_script("return document.querySelector('main')?.innerText ?? ''")
    return found


def until(sees: Any, wanted: str, seconds: float = 20) -> None:
    """Wait until a text is seen."""
    end_s = time.monotonic() + seconds
    while wanted not in sees():
        assert time.monotonic() < end_s, sees()
        time.sleep(0.1)


def pair(browser: Any, port: int, played: Any) -> None:
    from selenium.webdriver.common.by import By

    from cuelens.link.requests import TellCode

    browser.get(f"http://cuelens.local:{port}/")
    assert not played.of(TellCode)
    press(browser, "/code")
    until(lambda: str(played.of(TellCode)), "digits")
    browser.find_element(By.ID, "code").send_keys(played.of(TellCode)[-1].digits)
    press(browser, "/pair")
    until(lambda: browser.current_url, "/home")


def complaints(browser: Any) -> list[str]:
    """Return what the browser says against the page: scripts that fail, what the policy bars."""
    return [line["message"] for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]


def test_a_caregiver_goes_through_every_step(server: int, played: Any, make_browser: Any) -> None:
    from cuelens.link.requests import Calibrate, Leave, Save, Try

    browser = make_browser()
    pair(browser, server, played)
    click(browser, 'a[href="/aim"]')
    until(lambda: text(browser), "Distance: good.")
    pixel = "return document.getElementById('camera').getContext('2d').getImageData(160, 120, 1, 1).data[0]"
    assert browser.execute_script(pixel)
    browser.execute_script("document.getElementById('tilt').value = 4.5")
    press(browser, "/aim")
    until(lambda: str(played.profile["view"]), "4.5")
    click(browser, 'a[href="/people"].strong')
    played.speed = 20.0
    for shown in ("neutral", "happy", "surprise", "sad"):
        press(browser, "/people/collect", shown=shown)
        until(lambda shown=shown: str(played.collected.get(shown, "")), ".")
        until(lambda: browser.page_source, 'action="/people/co')
    press(browser, "/people/correct")
    until(lambda: text(browser), "It helped.")
    click(browser, 'a[href="/cues"].strong')
    press(browser, "/cues/preset", preset="subtle")
    until(lambda: str(played.of(Try)), "happy")
    assert played.profile["light"]["brightness_percent"] == 20
    click(browser, 'a[href="/cues/happy"]')
    click(browser, 'button[name="colour"][value="pink"]')
    until(lambda: played.profile["cues"]["happy"]["light"]["colour"], "#CC79A7")
    click(browser, 'a[href="/cues"].strong')
    click(browser, 'a[href="/often"].strong')
    move = "const s = document.getElementById('place'); s.value = 1; s.dispatchEvent(new Event('input'))"
    browser.execute_script(move)
    press(browser, "/often")
    until(lambda: str(played.profile["policy"]["caution"]), "0.5")
    click(browser, 'a[href="/button"].strong')
    until(lambda: text(browser), "No press yet.")
    played.happen("press", "ask")
    until(lambda: text(browser), "This press came: one short press.")
    click(browser, 'a[href="/check"].strong')
    press(browser, "/check/start")
    until(lambda: str(any(one.cues for one in played.of(Calibrate))), "True")
    played.happen("expression", "happy")
    until(lambda: text(browser), "Cue: Looks happy")
    click(browser, 'button[name="right"][value="yes"]')
    press(browser, "/save")
    until(lambda: text(browser), "Saved.")
    assert played.of(Save)
    click(browser, 'button[name="then"][value="rest"]')
    until(lambda: text(browser), "The glasses rest.")
    assert played.of(Leave)[-1].then == "rest"
    assert complaints(browser) == []


def test_every_step_works_without_a_script(server: int, played: Any, make_browser: Any) -> None:
    browser = make_browser(script=False)
    pair(browser, server, played)
    for step in STEPS:
        browser.get(f"http://cuelens.local:{server}/{step}")
        assert "Step" in text(browser)
    browser.get(f"http://cuelens.local:{server}/often")
    press(browser, "/often")
    until(lambda: str(played.draft), "caution")


def test_a_recording_is_cut_and_sent(server: int, played: Any, make_browser: Any, tmp_path: Path) -> None:
    import io
    import math
    import wave

    from selenium.webdriver.common.by import By

    made = tmp_path / "voice.wav"
    with wave.open(str(made), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        silence = b"\0\0\0\0" * 44100
        tone = b"".join(2 * round(9000 * math.sin(n / 20)).to_bytes(2, "little", signed=True) for n in range(44100))
        file.writeframes(silence + tone + silence)
    browser = make_browser()
    pair(browser, server, played)
    browser.get(f"http://cuelens.local:{server}/cues/happy")
    browser.find_element(By.ID, "voice").send_keys(str(made))
    until(lambda: text(browser), "Your recording is in use.")
    (sent,) = played.recordings.values()
    with wave.open(io.BytesIO(sent)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22050, 1, 2)
        assert 0.95 < file.getnframes() / 22050 < 1.2
    press(browser, "/undo/cues")
    until(lambda: str(played.profile["cues"]["happy"]["recording"]), "None")


@pytest.mark.skipif(not (SCREENSHOTS or AXE), reason="needs CUELENS_SCREENSHOTS or CUELENS_AXE")
@pytest.mark.parametrize(
    ("scheme", "code", "width"), [("light", "en", 360), ("dark", "en", 360), ("light", "ar", 360), ("light", "de", 320)]
)
def test_every_screen_can_be_used_by_anyone(
    server: int, played: Any, make_browser: Any, scheme: str, code: str, width: int
) -> None:
    browser = make_browser(width=width)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    address = f"http://cuelens.local:{server}"
    browser.get(f"{address}/?language={code}")
    time.sleep(0.7)
    keep(browser, "first", scheme, code)
    found = {"first": look(browser)}
    pair(browser, server, played)
    browser.get(f"{address}/code")
    played.collected = {"neutral": 10.0, "happy": 6.0}
    for name in SCREENS:
        browser.get(f"{address}/{name}")
        time.sleep(0.7)
        keep(browser, name.replace("/", "-"), scheme, code)
        found[name] = look(browser)
    assert {name: list(problems) for name, problems in found.items() if problems} == {}


def keep(browser: Any, name: str, scheme: str, code: str) -> None:
    """Write a picture of a whole screen."""
    if not SCREENSHOTS:
        return
    import base64

    height = browser.execute_script("return document.documentElement.scrollHeight")
    width = browser.execute_script("return innerWidth")
    clip = {"x": 0, "y": 0, "width": width, "height": max(740, height), "scale": 0.5}
    options = {"captureBeyondViewport": True, "clip": clip}
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
    language = "" if code == "en" else f"-{code}"
    Path(SCREENSHOTS, f"{name}-{scheme}{language}.png").write_bytes(base64.b64decode(picture))


def look(browser: Any) -> list[str]:
    """Return what is wrong with a screen: too wide, small targets, and what axe-core finds."""
    problems = []
    if browser.execute_script("return document.documentElement.scrollWidth > innerWidth"):
        problems.append("wider than the phone")
    small = browser.execute_script(
        "return [...document.querySelectorAll('button, a.button, select, .list a, footer a, summary')]"
        ".filter(e => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.outerHTML.slice(0, 90))"
    )
    problems += [f"small: {one}" for one in small]
    if AXE:
        browser.execute_script(Path(AXE).read_text("utf-8"))
        done = browser.execute_async_script(
            "const end = arguments[0]; axe.run({resultTypes: ['violations']}).then(r => end(r.violations.map("
            "v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + (n.any[0] || {}).message).join('; '))))"
        )
        problems += done
    return problems
