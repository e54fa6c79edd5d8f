"""Places of keys against the parsers: each key that they read is found, where its name stands."""

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cuelens.key_places import Path, of_json, of_toml

TOML = (
    r'''# a = 1
top = 1 # top = 2
"quo\u0074ed" = 'not # a comment, [no] = table'
dotted . "part" . last = { x.y = [1, [2, {z = 3}],], w = -1.5e-3 }
[camera] # [lens]
fps = 1979-05-27T07:32:00Z
text = """
fps = 3 ""
[pins]\""""
other = '''
    """'''
colour = "x"'''
[pins]
single = [
  # pin = 1
  {pin = 5, colour = "#FF, }"},
  {pin = 6},
]
[[led.row]]
k = [ ]
[[led.row]]
k = {}
[led.row.deep]
m = inf
[[led.row.deep.er]]
n = true
"""
)
JSON = r"""
{"a": {"b": [1, {"c": -2e5}, "d: 1"], "a": null},
 "b": [[], {}, [{"a" : 1}]], "x\u005f\"": "{\"b\": 1}"}
"""


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in entries:
        yield (*path, step)
        yield from paths(inner, (*path, step))


@pytest.mark.parametrize(
    ("text", "parse", "find", "unnamed"),
    [
        # The tables that share a key have no place of their own.
        (TOML, tomllib.loads, of_toml, {("led", "row", 0), ("led", "row", 1), ("led", "row", 1, "deep", "er", 0)}),
        (JSON, json.loads, of_json, set()),
        ("[]", json.loads, of_json, set()),
        ("# nothing\n", tomllib.loads, of_toml, set()),
    ],
    ids=["toml", "json", "a list", "a comment"],
)
def test_every_key_is_found_where_it_stands(
    text: str, parse: Callable[[str], Any], find: Callable[[str], Mapping[Path, int]], unnamed: set[Path]
) -> None:
    found = find(text)
    assert set(found) == set(paths(parse(text))) - unnamed
    for path, index in found.items():
        if isinstance(path[-1], str):
            name = text[index:].lstrip("\"'").replace("\\u0074", "t").replace("\\u005f", "_").replace('\\"', '"')
            assert name.startswith(path[-1]), path
    assert sorted(found.values()) == list(found.values())


def test_names_that_stand_twice_have_their_own_lines() -> None:
    lines = {path: TOML.count("\n", 0, index) + 1 for path, index in of_toml(TOML).items()}
    assert lines["pins", "single", 1, "pin"] == lines["pins", "single", 0, "pin"] + 1
    assert lines["led", "row", 1, "k"] == lines["led", "row", 0, "k"] + 2
    assert TOML.splitlines()[lines["camera", "fps"] - 1].startswith("fps = 1979")
