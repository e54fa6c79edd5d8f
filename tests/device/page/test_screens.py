"""Every screen over a real link: what it shows, and what it asks the glasses for."""

import re
from typing import Any

import pytest

from cuelens.page import texts

SCREENS = (
    *("/home", "/aim", "/people", "/cues", "/cues/happy", "/cues/contempt", "/often", "/button", "/check"),
    *("/profiles", "/more", "/more/general", "/more/sound", "/more/policy", "/more/play", "/more/cues"),
    *("/more/face_found", "/story", "/profiles/reset", "/profiles/remove/school", "/story/forget"),
)


@pytest.mark.parametrize("code", texts.available())
@pytest.mark.parametrize("path", SCREENS)
def test_every_screen_is_shown_in_every_language(paired: Any, path: str, code: str) -> None:
    shown = paired.browser.get(path, params={"language": code})
    assert shown.status_code == 200, shown.text
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in shown.text
    assert "<script>" not in shown.text
    assert " style=" not in shown.text


def test_a_phone_is_spoken_to_in_the_language_of_its_owner(setting: Any) -> None:
    first = setting.browser.get("/", headers={"accept-language": "nl-NL,es-MX;q=0.9,en;q=0.8"}).text
    assert '<html lang="es"' in first
    assert '<html lang="en"' in setting.browser.get("/").text
    assert '<html lang="en"' in setting.browser.get("/", headers={"accept-language": ";;,-,*"}).text


@pytest.mark.parametrize(
    ("opened", "path", "form"),
    [("/code", "/pair", {"code": "000000"}), ("/more/sound", "/more/sound", {"sound.volume_percent": "130"})],
)
def test_a_screen_that_answers_a_post_is_shown_in_another_language(
    request: Any, opened: str, path: str, form: dict[str, str]
) -> None:
    setting = request.getfixturevalue("setting" if path == "/pair" else "paired")
    shown = setting.browser.post(path, data={"csrf": setting.token(opened), **form}).text
    (link,) = re.findall(r'href="(/[^"]*language=de)"', shown)
    assert '<html lang="de"' in setting.browser.get(link).text


def test_a_second_window_after_the_end_is_led_to_the_overview(paired: Any) -> None:
    paired.post("/leave", then="session")
    for path in ("/story", "/cues"):
        shown = paired.browser.get(path).text
        assert "Set-up is off." in shown
        assert "do not answer" not in shown
    assert "Set-up is off." in paired.post("/often", place="1").text
