"""Files that people write, and those that the glasses write for themselves: settings, profile, language, wishes."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from benchmarks.fuzzing.target import Target

from cuelens import config_file, settings
from cuelens.commands import access_point, card_answer, card_file
from cuelens.profile import language, store
from cuelens.profile.language import Language
from cuelens.profile.profile import RETIRED, Profile
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Settings
from cuelens_models.errors import CuelensError

_JSON = ("true", "false", "null", "1e308", "\\\\ud800", "/*", "*/", "//", "\\xef\\xbb\\xbf", "\\xff\\xfe", "[[[[[[[[")
_TOML = ("'''", '\\"\\"\\"', "[[", "]]", " = ", "0x", "inf", "nan", "1979-05-27T07:32:00Z", "\\\\U0010FFFF", "a.a.a.a.")
_DESIGNED = b"""{
    // As a family writes it.
    "schema": 1, "wearer": "Mia", "language": "de", "mode": "explore",
    "light": {"brightness_percent": 40.0, "night_percent": 5},
    "policy": {"enter": {"happy": 0.4}, "speaks": "central", "margin": 3},
    "cues": {"happy": {"light": {"colour": "#F0E442", "pattern": "breath", "light_s": 2}, "phrase": "a smile"},
             "sad": null},
    "people": {"people": 1, "shift": {"happy": -1.5}}, /* once */
}
"""


def _keys(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return all keys of a struct and of those in it."""
    names = set()
    for made in msgspec.json.schema(kind).get("$defs", {}).values():
        names |= set(made.get("properties", {}))
    return tuple(sorted(names))


def _profile(content: bytes, folder: Path) -> None:
    profiles = folder / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "default.json").write_bytes(content)
    # Glasses start with any profile, so nothing may come out of this; a command refuses it.
    store.active(folder)
    store.in_force(profiles / "default.json")


def _profiles() -> Sequence[bytes]:
    factory = msgspec.json.encode(Profile())
    bare = b'{"schema": 1}\n'
    return [factory, bare, _DESIGNED, _DESIGNED.decode().encode("utf-16"), b"\xef\xbb\xbf" + bare, b"[" * 2000]


def _settings(content: bytes, folder: Path) -> None:
    path = folder / "cuelens.toml"
    path.write_bytes(content)
    settings.read(path)


def _all_settings() -> Sequence[bytes]:
    sections = msgspec.to_builtins(Settings())
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        for name, section in sections.items()
    )
    single = '[pins]\nsingle = [{pin = 5, colour = "#FF0000"}, {pin = 6, colour = "#00FF00"}]\nbutton = "none"\n'
    return [text.encode(), single.encode(), b'camera.source = "/dev/video0"\n', b"[places]\nstate = '~/cuelens'\n"]


def _card(content: bytes, folder: Path) -> None:
    """Review a card's file. Settings without mistakes are the same behind the file that is made of them."""
    card, mistakes = card_file.review(folder / "card.toml", content)
    card_answer.content(card_answer.Outcome(card, mistakes))
    if not mistakes:
        path = folder / "cuelens.toml"
        path.write_bytes(card_file.rendered(card.settings()))
        assert settings.read(path) == card.settings()


def _all_cards() -> Sequence[bytes]:
    above = b'language = "de"\r\ncountry = "DE"\r\n'
    return [
        above,
        *(above + content for content in _all_settings()),
        (above + b"camera.fps = 5").decode().encode("utf-16"),
    ]


def _language(content: bytes, folder: Path) -> None:
    path = folder / "xx.toml"
    path.write_bytes(content)
    config_file.read_toml(path, Language)


def _shipped_in(folder: Path) -> Callable[[], Sequence[bytes]]:
    return lambda: [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _wearer(content: bytes, folder: Path) -> None:
    path = folder / "wearer.json"
    path.write_bytes(content)
    Wishes(path)


def _wishes() -> Sequence[bytes]:
    keys = ({}, {"muted": True, "answered_first": [True, False]}, {"paused": True, "first": [True]}, {"schema": 1})
    return [json.dumps(values).encode() for values in keys]


def _small_files(content: bytes, folder: Path) -> None:
    """Read the two small files that are no JSON: the name of the active profile, and the network's profile."""
    (folder / "active").write_bytes(content)
    for read in (partial(store.active_path, folder), partial(access_point.read, folder / "active")):
        try:
            read()
        except CuelensError:
            continue


def _names_and_networks() -> Sequence[bytes]:
    return [
        b"default\n",
        b"profiles/mia.json",
        b"[wifi]\nssid=a\n[wifi-security]\npsk=b\n",
        b"[DEFAULT]\nssid: %(x)s\n",
    ]


TARGETS = (
    Target("profile", _profile, _profiles, (*_keys(Profile), *RETIRED, *_JSON)),
    Target("settings", _settings, _all_settings, (*_keys(Settings), *_TOML)),
    Target("card", _card, _all_cards, (*_keys(card_file.Card), *_TOML)),
    Target(
        "language", _language, _shipped_in(Path(language.__file__).parent / "languages"), (*_keys(Language), *_TOML)
    ),
    Target("wearer", _wearer, _wishes, ("schema", "muted", "paused", "answered_first", "first", *_JSON)),
    Target("small-files", _small_files, _names_and_networks, ("ssid", "psk", "[wifi]", "[wifi-security]")),
)
