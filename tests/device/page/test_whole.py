"""Somebody sets real glasses up from a real browser: every step, on a replayed camera, and what the glasses then did.

CUELENS_SCREENSHOTS names a folder for pictures of every screen, light and dark: those of docs/caregivers.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import person
import pytest
from person import Wearable, click, complaints, keep, look, move, press, text, until

pytest.importorskip("selenium", reason="needs selenium")
pytest.importorskip("gpiozero", reason="needs gpiozero for a light on mock pins")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not person.BROWSER, reason=person.WHY_NOT),
]

PINK = "#CC79A7"


@pytest.fixture
def glasses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wearable]:
    """Glasses that somebody sits before. Their first session is a few seconds old."""
    folder = tmp_path_factory.mktemp("g")
    running = Wearable(folder, person.face_video(folder / "face.avi", 240))
    until(lambda: str(running.events("cue")), "'expression'")
    running.command("press", "ask")
    # An answer waits for a second after another cue: it belongs to that session, not to the calibration.
    until(lambda: str(running.events("cue")), "'answer'")
    yield running
    running.close()


def shown(browser: Any, name: str) -> None:
    """Look at a screen that somebody has come to, and keep pictures of it."""
    keep(browser, name)
    assert look(browser) == [], name


def collect(browser: Any, expression: str) -> None:
    """Show an expression until enough is collected of it."""
    press(browser, "/people/collect", shown=expression)
    until(lambda: text(browser), "Stop")
    # A slow browser may see only that it has ended.
    full = "return document.querySelector('.card.now progress')?.value > 2 || !document.querySelector('#stop')"
    until(lambda: str(browser.execute_script(full)), "True", 40)
    if expression == "neutral":
        shown(browser, "3-people-now")
    until(lambda: str(not browser.find_elements("css selector", "#stop")), "True", 40)


def test_a_person_sets_the_glasses_up_and_they_keep_it(glasses: Wearable) -> None:
    browser = person.make_browser()
    browser.implicitly_wait(2)
    try:
        with glasses.page() as (address, code):
            came_in(browser, address, code, glasses)
            aims(browser)
            gets_to_know_a_face(browser)
            chooses_lights_and_how_often(browser)
            tries_the_button(browser, glasses)
            checks_and_saves(browser, glasses)
            looks_at_the_rest(browser, address)
            leaves(browser, glasses)
            assert complaints(browser) == []
    finally:
        browser.quit()


def came_in(browser: Any, address: str, code: Any, glasses: Wearable) -> None:
    browser.get(f"{address}/")
    shown(browser, "1-first")
    press(browser, "/code")
    until(lambda: text(browser), "Count the blinks")
    shown(browser, "1-code")
    browser.find_element("id", "code").send_keys(code())
    press(browser, "/pair")
    until(lambda: text(browser), "Set them up")
    until(lambda: str(glasses.events("calibration")), "True")
    until(lambda: text(browser), "The glasses see.")
    shown(browser, "1-home")


def aims(browser: Any) -> None:
    click(browser, 'a[href="/aim"]')
    until(lambda: text(browser), "Distance: good.")
    shown(browser, "2-aim")
    move(browser, "tilt", 2.5)
    press(browser, "/aim")
    until(lambda: text(browser), "turn the picture")
    click(browser, 'a[href="/people"].strong')


def gets_to_know_a_face(browser: Any) -> None:
    shown(browser, "3-people")
    collect(browser, "neutral")
    collect(browser, "happy")
    press(browser, "/people/correct")
    until(lambda: text(browser), "Of ten moments")
    shown(browser, "3-people-result")
    click(browser, 'a[href="/cues"].strong')


def chooses_lights_and_how_often(browser: Any) -> None:
    until(lambda: text(browser), "Lights and sounds")
    shown(browser, "4-cues")
    press(browser, "/cues/preset", preset="subtle")
    until(lambda: browser.page_source, 'aria-pressed="true">Subtle')
    click(browser, 'a[href="/cues/happy"]')
    click(browser, 'button[name="colour"][value="pink"]')
    until(lambda: browser.page_source, 'value="pink" aria-pressed="true"')
    assert "wait for" not in text(browser)
    shown(browser, "4-cue")
    click(browser, 'nav a[href="/cues"].strong')
    click(browser, 'a[href="/often"].strong')
    move(browser, "place", 1)
    until(lambda: text(browser), "Only when sure")
    shown(browser, "5-often")
    press(browser, "/often")
    click(browser, 'a[href="/button"].strong')


def tries_the_button(browser: Any, glasses: Wearable) -> None:
    until(lambda: text(browser), "No press yet.")
    glasses.command("press", "ask")
    until(lambda: text(browser), "This press came: one short press.")
    shown(browser, "6-button")
    glasses.command("press", "pause")
    until(lambda: text(browser), "A pause is noted")
    shown(browser, "6-button-noted")
    glasses.command("press", "pause")
    until(lambda: str("A pause is noted" in text(browser)), "False")
    click(browser, 'a[href="/check"].strong')


def checks_and_saves(browser: Any, glasses: Wearable) -> None:
    until(lambda: text(browser), "Does it fit?")
    before = glasses.events("cue")
    kinds = [one["kind"] for one in before[calibration_began(glasses) :]]
    assert kinds == ["try", "try", "answer"], "no cue came but those that were tried, and the answer to the press"
    press(browser, "/check/start")
    until(lambda: text(browser), "Cues come now.")
    time.sleep(4)
    glasses.command("press", "ask")
    until(lambda: text(browser), "Was that right?")
    click(browser, 'button[name="right"][value="yes"]')
    until(lambda: text(browser), "Was that right?")
    shown(browser, "7-check-now")
    until(lambda: text(browser), "What came of it", 40)
    shown(browser, "7-check")
    checked = [one["kind"] for one in glasses.events("cue")[len(before) :]]
    assert "answer" in checked
    assert set(checked) <= {"answer", "expression", "face"}
    press(browser, "/save")
    until(lambda: text(browser), "Saved.")
    shown(browser, "8-saved")
    saved = json.loads((glasses.profiles / "default.json").read_text())
    assert saved["view"]["tilt_degrees"] == 2.5
    assert saved["light"]["brightness_percent"] == 20
    assert saved["cues"]["happy"]["light"]["colour"].upper() == PINK
    assert saved["policy"]["caution"] == 0.5


def calibration_began(glasses: Wearable) -> int:
    """Return how many cues had come before the calibration."""
    kinds = [one for one in glasses.events() if one["event"] in ("cue", "calibration")]
    return next(number for number, one in enumerate(kinds) if one["event"] == "calibration")


def looks_at_the_rest(browser: Any, address: str) -> None:
    click(browser, 'a[href="/story"]')
    until(lambda: text(browser), "Looks happy:")
    shown(browser, "9-story")
    click(browser, 'nav a[href="/home"]')
    click(browser, 'a[href="/profiles"]')
    browser.find_element("id", "name").send_keys("school")
    press(browser, "/profiles/create")
    until(lambda: text(browser), "in use now: school")
    press(browser, "/profiles/choose", name="default")
    until(lambda: text(browser), "In use now: default")
    shown(browser, "9-profiles")
    click(browser, 'a[href="/profiles/reset"]')
    shown(browser, "9-reset")
    browser.get(f"{address}/more")
    shown(browser, "9-more")
    browser.get(f"{address}/home")


def leaves(browser: Any, glasses: Wearable) -> None:
    click(browser, 'option[value="10"]')
    shown(browser, "8-finish")
    sessions = len(glasses.events("session"))
    click(browser, 'button[name="then"][value="session"]')
    until(lambda: text(browser), "put the glasses on the child")
    shown(browser, "8-left")
    until(lambda: str(len(glasses.events("session")) > sessions), "True")
    assert glasses.events("calibration")[-1]["on"] is False
    glasses.command("press", "pause")
    until(lambda: text(browser), "Paused")
    shown(browser, "8-paused")
