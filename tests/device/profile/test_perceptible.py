"""What of a profile a wearer could not see, hear or tell apart is warned of; and an entry keeps the factory's light."""

import json
from pathlib import Path
from typing import Any

import pytest

from cuelens.profile.cue_book import CueBook, LightCue
from cuelens.profile.perceptible import unreadable
from cuelens.profile.profile import Play, Profile
from cuelens.profile.store import in_force

ALL = ("happy", "surprise", "sad", "angry", "disgust", "fear")
QUIET = {"sound": {"on": True}, "mode": "quiet"}


def active(tmp_path: Path, profile: dict[str, Any]) -> Any:
    path = tmp_path / "child.json"
    path.write_text(json.dumps(profile), "utf-8")
    return in_force(path)


@pytest.mark.parametrize(
    ("profile", "sentences"),
    [
        ({}, []),
        ({"cues": {"happy": {"phrase": "big smile"}}}, []),
        ({"cues": {"happy": None}}, []),
        ({"light": {"brightness_percent": 0}}, ["light.brightness_percent is 0: no light will be seen"]),
        ({"light": {"ceiling_percent": 0}}, ["light.ceiling_percent is 0: no light will be seen"]),
        ({"light": {"night_percent": 0}}, ["light.night_percent is 0: no light will be seen in the dark"]),
        ({"sound": {"volume_percent": 0}}, []),
        ({"sound": {"on": True, "volume_percent": 0}}, ["sound.volume_percent is 0: no word will be heard"]),
        ({"sound": {"on": True, "ceiling_percent": 0}}, ["sound.ceiling_percent is 0: no word will be heard"]),
        ({"cues": dict.fromkeys(ALL)}, ["cues has no expression that is told: every one is null"]),
        ({"school": True, "cues": {"happy": None, "angry": None}}, ["cues has no expression that is told: every one"]),
        ({"cues": {"happy": {"light": None}}}, ["cues.happy can be neither seen nor heard"]),
        ({"cues": {"happy": {"light": None}}, "sound": {"on": True}}, []),
        ({"cues": {"happy": {"light": None}}, **QUIET}, ["cues.happy can be neither seen nor heard"]),
        ({"cues": {"happy": {"light": None, "phrase": None}}, "sound": {"on": True}}, ["cues.happy can be neither"]),
        (
            {"cues": {"happy": {"light": None}}, "sound": {"on": True, "volume_percent": 0}},
            ["sound.volume_percent is 0", "cues.happy can be neither seen nor heard"],
        ),
        ({"cues": {"sad": {"light": None}}, "school": True}, []),
        # Half a percent of the LED is where light begins to be seen.
        (
            {"cues": {"sad": {"light": {"colour": "#007F00"}}}, "light": {"ceiling_percent": 1}},
            ["cues.sad.light.colour"],
        ),
        ({"cues": {"sad": {"light": {"colour": "#008000"}}}, "light": {"ceiling_percent": 1}}, []),
        ({"cues": {"sad": {"light": {"colour": "#000000"}}}}, ["cues.sad.light.colour is #000000: it is too dark"]),
        (
            {"light": {"brightness_percent": 0}, "sound": {"on": True}, "cues": {"sad": {"phrase": None}}},
            ["light.brightness_percent is 0", "cues.sad can be neither seen nor heard"],
        ),
        (
            {"cues": {"happy": {"light": {"colour": "#0072b2", "pattern": "breath", "light_s": 4}}}},
            ["cues.happy and cues.sad have the same light"],
        ),
    ],
)
def test_what_cannot_be_perceived_is_warned_of(tmp_path: Path, profile: dict[str, Any], sentences: list[str]) -> None:
    warnings = active(tmp_path, profile).warnings
    assert len(warnings) == len(sentences), warnings
    for warning, sentence in zip(warnings, sentences, strict=True):
        assert warning.startswith(f"{tmp_path / 'child.json'}: {sentence}")


@pytest.mark.parametrize(
    ("mode", "labels", "warned"),
    [
        ("smile", ("neutral", "happy"), True),
        ("smile", ("neutral", "happy", "sad"), False),
        ("companion", ("neutral", "happy"), False),
    ],
)
def test_a_game_that_asks_for_nothing_the_network_reads_is_warned_of(
    mode: str, labels: tuple[str, ...], *, warned: bool
) -> None:
    sentences = unreadable(Profile(mode=mode, play=Play(find=("sad", "angry"))), labels)
    assert [sentence.startswith("play.find is ['sad', 'angry']: ") for sentence in sentences] == [True] * warned


@pytest.mark.parametrize(
    ("entry", "light"),
    [
        ({"phrase": "big smile"}, CueBook().sad and CueBook().sad.light),
        ({}, CueBook().sad and CueBook().sad.light),
        ({"light": {"colour": "#FF0000"}}, LightCue("#FF0000", "breath", 4.0)),
        ({"light": {"light_s": 2.0}}, LightCue("#0072B2", "breath", 2.0)),
        ({"light": None}, None),
    ],
)
def test_an_entry_is_merged_into_the_factorys_key_by_key(
    tmp_path: Path, entry: dict[str, Any], light: LightCue | None
) -> None:
    assert active(tmp_path, {"cues": {"sad": entry}}).profile.cues.sad.light == light
