"""A real browser at the page of played glasses, under a name that is no localhost: without https, as on a phone."""

import io
import math
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import person
import pytest
from person import click, complaints, press, text, until

pytest.importorskip("selenium", reason="needs selenium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not person.BROWSER, reason=person.WHY_NOT),
]

STEPS = ("aim", "people", "cues", "often", "button", "check")


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
    browsers = []

    def make(*options: str, **values: Any) -> Any:
        browsers.append(person.make_browser(*options, **values))
        return browsers[-1]

    yield make
    for browser in browsers:
        browser.quit()


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


@pytest.mark.parametrize(
    ("then", "held", "over", "words"),
    [
        ("session", "running", "paused", "A session has begun."),
        ("session", "too dark", "resting", "A session has begun."),
        ("rest", "resting", "running", "The glasses rest."),
    ],
)
def test_a_notice_goes_when_it_is_no_longer_true(
    server: int, played: Any, make_browser: Any, then: str, held: str, over: str, words: str
) -> None:
    from cuelens.link.requests import Leave

    browser = make_browser()
    pair(browser, server, played)
    until(lambda: text(browser), "The glasses see.")
    click(browser, f'button[name="then"][value="{then}"]')
    until(lambda: str(bool(played.of(Leave))), "True")
    until(lambda: text(browser), words)
    assert played.of(Leave)[-1].then == then
    played.state = held
    # Another sentence tells that the screen has this state.
    played.fields["muted"] = True
    until(lambda: text(browser), "Muted with the button")
    assert words in text(browser)
    played.state = over
    until(lambda: str(words in text(browser)), "False")


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


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A tone of a second between two of silence, as a phone may record it."""
    made = tmp_path / "voice.wav"
    with wave.open(str(made), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        silence = b"\0\0\0\0" * 44100
        tone = b"".join(2 * round(9000 * math.sin(n / 20)).to_bytes(2, "little", signed=True) for n in range(44100))
        file.writeframes(silence + tone + silence)
    return made


@pytest.mark.parametrize("lost", ["glasses", "page"])
def test_a_recording_that_does_not_arrive_is_said_to_be_lost(
    server: int, played: Any, make_browser: Any, voice: Path, lost: str
) -> None:
    from selenium.webdriver.common.by import By

    browser = make_browser()
    pair(browser, server, played)
    browser.get(f"http://cuelens.local:{server}/cues/happy")
    if lost == "glasses":
        played.close()
    else:
        browser.set_network_conditions(offline=True, latency=0, throughput=0)
    browser.find_element(By.ID, "voice").send_keys(str(voice))
    until(lambda: text(browser), "The glasses do not answer. Record it again in a moment.")


def test_a_recording_is_cut_and_sent(server: int, played: Any, make_browser: Any, voice: Path) -> None:
    from selenium.webdriver.common.by import By

    browser = make_browser()
    pair(browser, server, played)
    browser.get(f"http://cuelens.local:{server}/cues/happy")
    browser.find_element(By.ID, "voice").send_keys(str(voice))
    until(lambda: text(browser), "Your recording is in use.")
    (sent,) = played.recordings.values()
    with wave.open(io.BytesIO(sent)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22050, 1, 2)
        assert 0.95 < file.getnframes() / 22050 < 1.2
    press(browser, "/undo/cues")
    until(lambda: str(played.profile["cues"]["happy"]["recording"]), "None")
