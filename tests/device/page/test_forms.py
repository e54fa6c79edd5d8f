"""Forms from the schema: a key that nobody knew of appears, and values go there and back."""

from typing import Any

import msgspec
import pytest

from cuelens.page import forms
from cuelens.page.forms import NONE, OWN, PRESENCE, SHOWN, UNSET, Field
from cuelens.profile.profile import Profile

FACTORY: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(Profile()))


def group(key: str, profile: dict[str, Any] = FACTORY) -> Field:
    return next(one for one in forms.groups(forms.schema(), profile) if one.key == key)


def test_every_key_of_the_profile_has_a_field() -> None:
    keys = {one.key for top in forms.groups(forms.schema(), FACTORY) for one in forms.leaves(top.fields)}
    missing = [key for key in _keys(FACTORY) if key not in keys]
    # One value is no choice. An expression without a cue has fields all the same.
    assert missing == ["schema", "cues.contempt", "people.people"]
    assert "cues.contempt.light.colour" in keys


def _keys(values: dict[str, Any], before: str = "") -> list[str]:
    found = []
    for name, value in values.items():
        found += _keys(value, f"{before}{name}.") if isinstance(value, dict) else [f"{before}{name}"]
    return found


def test_a_new_key_needs_no_new_form() -> None:
    made = forms.schema()
    made["$defs"]["Sound"]["properties"]["echo_s"] = {"type": "number", "minimum": 0, "maximum": 3, "default": 1.5}
    sound = next(one for one in forms.groups(made, FACTORY) if one.key == "sound")
    echo = next(one for one in sound.fields if one.key == "sound.echo_s")
    assert (echo.kind, echo.value, echo.minimum, echo.maximum) == ("number", 1.5, 0, 3)
    assert forms.read(sound, {"sound.echo_s": "2,5"}, FACTORY)["sound"]["echo_s"] == 2.5


@pytest.mark.parametrize(
    ("key", "form", "changed", "expected"),
    [
        ("sound", {f"sound.on{SHOWN}": "1", "sound.on": "on"}, "sound.on", True),
        ("sound", {f"sound.on{SHOWN}": "1"}, "sound.on", False),
        ("sound", {"sound.volume_percent": "30"}, "sound.volume_percent", 30),
        ("sound", {"sound.volume_percent": "loud"}, "sound.volume_percent", "loud"),
        ("sound", {"sound.volume_percent": " -5 "}, "sound.volume_percent", -5),
        ("sound", {"sound.volume_percent": "\u0664\u0665"}, "sound.volume_percent", 45),
        ("sound", {"sound.volume_percent": "--5"}, "sound.volume_percent", "--5"),
        ("sound", {"sound.volume_percent": "9" * 5000}, "sound.volume_percent", "9" * 5000),
        ("policy", {"policy.gap_s": "4.5"}, "policy.gap_s", 4.5),
        ("policy", {"policy.gap_s": "inf"}, "policy.gap_s", "inf"),
        ("policy", {"policy.enter.sad": "0.4"}, "policy.enter.sad", 0.4),
        ("policy", {"policy.enter.sad": ""}, "policy.enter.sad", None),
        ("play", {f"play.find{SHOWN}": "1", "play.find=sad": "on"}, "play.find", ["sad"]),
        ("", {"wearer": "Mia", "school": "on", f"school{SHOWN}": "1"}, "wearer", "Mia"),
        ("face_found", {f"face_found{PRESENCE}": NONE}, "face_found", None),
        ("face_found", {f"face_found{PRESENCE}": OWN, "face_found.light_s": "2"}, "face_found.light_s", 2.0),
        ("cues", {f"cues.sad{PRESENCE}": NONE}, "cues.sad", None),
        ("cues", {f"cues.sad.phrase{PRESENCE}": NONE}, "cues.sad.phrase", None),
        ("cues", {f"cues.sad.phrase{PRESENCE}": OWN, "cues.sad.phrase": "a tear"}, "cues.sad.phrase", "a tear"),
        ("cues", {f"cues.sad.phrase{PRESENCE}": UNSET, "cues.sad.phrase": "x"}, "cues.sad.phrase", "absent"),
    ],
)
def test_a_form_is_read(key: str, form: dict[str, str], changed: str, expected: object) -> None:
    from cuelens.page.draft import get

    read = forms.read(group(key), form, FACTORY)
    assert get(read, changed, "absent") == expected
    # What the form does not have stays.
    assert read["fading"] == FACTORY["fading"]


def test_reading_changes_nothing_in_place() -> None:
    before = msgspec.json.encode(FACTORY)
    forms.read(group("sound"), {"sound.volume_percent": "1"}, FACTORY)
    assert msgspec.json.encode(FACTORY) == before
