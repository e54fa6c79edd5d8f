"""docs/profile.schema.json against the reader of profiles: one file that editors use, one verdict on any profile."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from cuelens.profile.profile import Profile
from cuelens.profile.store import read
from cuelens_models.errors import BadInput

SCHEMA = json.loads((Path(__file__).resolve().parents[1] / "docs" / "profile.schema.json").read_text("utf-8"))


def test_the_schema_is_that_of_the_profile_as_it_is() -> None:
    made = json.loads(msgspec.json.encode(msgspec.json.schema(Profile)))["$defs"]
    assert set(SCHEMA["$defs"]) == set(made), "run `make schema`"
    for name, struct in made.items():
        for key, rule in struct["properties"].items():
            assert SCHEMA["$defs"][name]["properties"][key] | rule == SCHEMA["$defs"][name]["properties"][key], key


@pytest.mark.parametrize(
    ("profile", "valid"),
    [
        ({}, True),
        (json.loads(msgspec.json.encode(Profile())), True),
        ({"wearer": "Mia", "sound": {"on": True, "volume_percent": 30}}, True),
        ({"cues": {"happy": None}, "face_found": None}, True),
        ({"cues": {"sad": {"light": {"colour": "#FF0000"}}, "angry": {"light": {"light_s": 2.5}}}}, True),
        ({"sound": {"volume_percent": 101}}, False),
        ({"sound": {"volume": 30}}, False),
        ({"policy": {"gap_s": 0.5}}, False),
        ({"play": {"find": []}}, False),
        ({"schema": 2}, False),
    ],
)
def test_schema_and_reader_agree(tmp_path: Path, profile: dict[str, Any], valid: bool) -> None:
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(profile) is valid
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile), "utf-8")
    with nullcontext() if valid else pytest.raises(BadInput):
        read(path)
