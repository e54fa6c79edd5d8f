"""Every screen over a real link: what it shows, and what it asks the glasses for."""

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
