"""The page for anyone: axe-core, keyboard alone, large text, less motion, in the states that real glasses come into.

CUELENS_AXE names axe.min.js of axe-core (`npm pack axe-core`); without it everything but its rules is checked.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import person
import pytest
from person import Wearable, complaints, look, pair, prefer, press, resize, text, until

pytest.importorskip("selenium", reason="needs selenium")
pytest.importorskip("gpiozero", reason="needs gpiozero for a light on mock pins")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not person.BROWSER, reason=person.WHY_NOT),
]

STEPS = ("aim", "people", "cues", "often", "button", "check")
SCREENS = ("home", *STEPS, "cues/happy", "story", "profiles", "profiles/reset", "more", "more/general", "more/policy")
LOOKS = (("light", "en"), ("dark", "en"), ("light", "ar"), ("dark", "ar"))


@dataclass
class Setting:
    """Running glasses, and somebody at their page."""

    glasses: Wearable
    browser: Any
    address: str

    def open(self, screen: str) -> None:
        """Open a screen, and wait until it stands still."""
        self.browser.get(f"{self.address}/{screen}")
        time.sleep(0.25)

    def found(self, *screens: str, looks: tuple[tuple[str, str], ...] = LOOKS) -> dict[str, list[str]]:
        """Return what is wrong with screens, in light and dark, in languages to either side."""
        found = {}
        for code in dict.fromkeys(code for _, code in looks):
            self.browser.get(f"{self.address}/home?language={code}")
            for screen in screens:
                self.open(screen)
                for scheme in [scheme for scheme, one in looks if one == code]:
                    prefer(self.browser, scheme, "reduce")
                    found[f"{screen}, {scheme}, {code}"] = look(self.browser)
        self.browser.get(f"{self.address}/home?language=en")
        prefer(self.browser, "light", "reduce")
        return {name: problems for name, problems in found.items() if problems}


@pytest.fixture(scope="module")
def wear(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Setting]]:
    """Starts glasses and goes in. brightness: of the room; None for a camera that is not there."""
    with contextlib.ExitStack() as stack:

        def start(brightness: float | None, seconds: float = 120) -> Setting:
            folder = tmp_path_factory.mktemp("g")
            video = None if brightness is None else person.face_video(folder / "face.avi", seconds, brightness)
            glasses = Wearable(folder, video)
            stack.callback(glasses.close)
            address, code = stack.enter_context(glasses.page())
            browser = person.make_browser()
            stack.callback(browser.quit)
            prefer(browser, "light", "reduce")
            pair(browser, address, code)
            return Setting(glasses, browser, address)

        yield start


@pytest.fixture(scope="module")
def setting(wear: Callable[..., Setting]) -> Setting:
    """Glasses that see somebody."""
    return wear(1.0, 240)


def test_no_screen_bars_anyone(setting: Setting) -> None:
    assert setting.found(*SCREENS) == {}


def test_the_first_screens_bar_nobody(setting: Setting) -> None:
    stranger = Setting(setting.glasses, person.make_browser(), setting.address)
    try:
        found = {}
        for scheme, code in LOOKS:
            prefer(stranger.browser, scheme)
            for screen in ("", "code"):
                stranger.open(f"{screen}?language={code}")
                found[f"{screen}, {scheme}, {code}"] = look(stranger.browser)
        assert {name: problems for name, problems in found.items() if problems} == {}
    finally:
        stranger.browser.quit()


def test_large_text_needs_no_scrolling_aside(setting: Setting) -> None:
    browser = setting.browser
    found = {}
    for code in ("en", "de", "ar"):
        browser.get(f"{setting.address}/home?language={code}")
        for screen in SCREENS:
            setting.open(screen)
            browser.execute_script("document.documentElement.style.fontSize = '225%'")
            found[f"{screen}, {code}, text twice as large"] = overflows(browser)
            browser.execute_script("document.documentElement.style.fontSize = ''")
            resize(browser, 180, 4)
            found[f"{screen}, {code}, zoomed"] = overflows(browser)
            resize(browser, 360)
    browser.get(f"{setting.address}/home?language=en")
    assert {name: problem for name, problem in found.items() if problem} == {}


def overflows(browser: Any) -> str:
    """Return what is wider than the phone, "" if nothing is."""
    found: str = browser.execute_script(
        "const d = document.documentElement; if (d.scrollWidth <= d.clientWidth) return '';"
        "return [...document.querySelectorAll('body *')].filter(e => { const r = e.getBoundingClientRect();"
        "return r.width && (r.right > d.clientWidth + 1 || r.left < -1) && !e.matches('.skip'); })"
        ".map(e => e.outerHTML.slice(0, 80)).slice(0, 3).join(' | ') || 'something'"
    )
    return found


def test_the_keyboard_alone_goes_through_a_step(setting: Setting) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = setting.browser
    setting.open("often")
    tab_to(browser, "#place", 8)
    browser.switch_to.active_element.send_keys(Keys.HOME)
    until(lambda: text(browser), "Only when very sure")
    tab_to(browser, 'form[action="/often"] button', 3)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: str(browser.execute_script("return !!document.querySelector('.notice.good')")), "True")
    tab_to(browser, "a.strong", 12)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: text(browser), "Step 5 of 6")
    setting.open("cues")
    tab_to(browser, 'input[value="subtle"] + button', 10)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: browser.page_source, 'aria-pressed="true">Subtle')
    setting.open("home")
    tab_to(browser, 'form[action="/draft/discard"] button', 12)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: text(browser), "The changes are dropped.")


def tab_to(browser: Any, css: str, presses: int) -> None:
    """Press Tab until something has the focus. On the way every focus can be seen."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    outline = (
        "const e = document.activeElement, s = getComputedStyle(e);"
        "return [e.matches(arguments[0]), s.outlineStyle, parseFloat(s.outlineWidth), e.outerHTML.slice(0, 80)]"
    )
    for _ in range(presses):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        is_there, style, width, what = browser.execute_script(outline, css)
        assert (style, width) == ("solid", 3.0), what
        if is_there:
            return
    raise AssertionError(f"{css} is not reached: {what}")


def test_nothing_moves_where_less_motion_is_wanted(setting: Setting) -> None:
    moving = (
        "return [...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);"
        "return s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0 || s.scrollBehavior === 'smooth'; })"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    for screen in SCREENS:
        setting.open(screen)
        assert setting.browser.execute_script(moving) == []


def test_muted_paused_and_a_refused_profile(setting: Setting) -> None:
    glasses, browser = setting.glasses, setting.browser
    setting.open("button")
    glasses.command("press", "mute")
    glasses.command("press", "pause")
    until(lambda: text(browser), "A pause is noted")
    until(lambda: text(browser), "Muted with the button")
    assert setting.found("button", "home") == {}
    setting.open("home")
    press(browser, "/leave")
    until(lambda: text(browser), "Set-up is off.")
    until(lambda: text(browser), "Paused by a double press.")
    glasses.profiles.mkdir(parents=True, exist_ok=True)
    (glasses.profiles / "default.json").write_text('{"light": {"brightness_percent": 900}}')
    glasses.process.send_signal(signal.SIGHUP)
    setting.open("home")
    until(lambda: text(browser), "A profile was not used")
    assert setting.found("home") == {}
    assert complaints(browser) == []


def test_too_dark(wear: Callable[..., Setting]) -> None:
    dark = wear(0.24, 60)
    until(lambda: text(dark.browser), "It is too dark for them.")
    assert dark.found("home", "aim") == {}


def test_no_camera(wear: Callable[..., Setting]) -> None:
    blind = wear(None)
    until(lambda: text(blind.browser), "They find no camera.")
    assert blind.found("home", "people") == {}
    blind.open("aim")
    until(lambda: text(blind.browser), "There is no picture")
    assert blind.found("aim") == {}
