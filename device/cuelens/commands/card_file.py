"""`cuelens.toml` on the memory card: the settings of the glasses, and two keys for whoever sets them up on a PC.

The keys and sections are those of docs/settings.md, so nothing has to be learned twice. examples/card.toml is made of
the docstrings, by `make settings`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from cuelens import settings
from cuelens.commands.countries import CODES
from cuelens.profile import language
from cuelens.settings import Settings
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import Mistake, StrictStruct, excerpt

FILE: Final = "cuelens.toml"
_OTHER_NAMES: Final[Mapping[str, str]] = {"UK": "GB", "EN": "GB", "EU": "", "WW": "", "00": ""}
"""What people write for a country, and what they mean; "" for none."""
_KEYS: Final = ("language", "country")
"""Those that are no settings."""
_HEAD: Final = """\
# What cuelens.toml on the memory card says, without comments: `cuelens card take` writes this file.
# Change the card's file. An edit of this one holds until the card says something new, and is kept beside it then.
"""


class Card(Settings, frozen=True):
    """What a person chose on the memory card.

    Attributes:
        language: what the glasses speak: "en" is English, "ar" Arabic, "de" German, "es" Spanish, "fr" French. Empty
            for English. It is for the first profile; once there is one, it is chosen on the caregiver's page.
            (two letters, such as "de")
        country: where the glasses are used, which says what their radio may send: "DE" is Germany, "GB" the United
            Kingdom, "US" the United States. Empty for what holds everywhere. (two letters of ISO 3166, such as "DE")
    """

    language: str = ""
    country: str = ""

    def settings(self) -> Settings:
        """Return the settings alone."""
        return Settings(**{name: getattr(self, name) for name in Settings.__struct_fields__})


def review(path: Path, content: bytes | None) -> tuple[Card, list[str]]:
    """Find all mistakes in a card's file.

    Args:
        path: of the file, for the sentences.
        content: of the file; None if it could not be read, which is tried again for the reason.

    Returns what it says, and a sentence for each mistake, with its line.
    """
    try:
        card, mistakes = settings.review_as(path, Card, _broken_rules, content)
    except BadInput as error:
        return Card(), [_on_card(path, str(error))]
    return card, [_on_card(path, _with_place(mistake)) for mistake in mistakes]


def own(card: Card) -> Iterator[str]:
    """Yield what a card says that is not the default, as `camera.rotation = 180`."""
    for key in _KEYS:
        if value := getattr(card, key):
            yield f"{key} = {_toml(value)}"
    for section, keys in _changed(card.settings()).items():
        yield from (f"{section}.{key} = {_toml(value)}" for key, value in keys.items())


def rendered(setup: Settings) -> bytes:
    """Return settings as a file of TOML, without what is at its default."""
    text = _HEAD
    for section, keys in _changed(setup).items():
        text += f"\n[{section}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in keys.items())
    return text.encode()


def _broken_rules(card: Card) -> Iterator[Mistake]:
    codes = language.available()
    if card.language and card.language.lower() not in codes:
        rule = f"must be one of {', '.join(codes)}, or empty"
        yield Mistake(("language",), f"language {rule}, not {excerpt(card.language)}")
    country = card.country.upper()
    if country and country not in CODES:
        meant = _OTHER_NAMES.get(country)
        remedy = f": did you mean {excerpt(meant)}?" if meant else ', such as "DE" for Germany'
        rule = f"must be the two letters of one country in ISO 3166, or empty, not {excerpt(card.country)}"
        yield Mistake(("country",), f"country {rule}{remedy}")


def _with_place(wrong: Mistake) -> str:
    """Return the sentence of a mistake, with the place of a key that stands in a section and belongs to none."""
    *above, key = wrong.at or ("",)
    if above and key in _KEYS:
        return wrong.sentence.replace(f"did you mean {key}?", "it stands above the first line in square brackets")
    return wrong.sentence


def _on_card(path: Path, sentence: str) -> str:
    """Return a sentence about a file with its name alone: whoever has the card in a PC knows no other folder."""
    return sentence.replace(str(path), path.name)


def _changed(setup: Settings) -> dict[str, dict[str, Any]]:
    """Return the keys that are not at their defaults, by section."""
    factory, found = Settings(), {}
    for section in setup.__struct_fields__:
        own_values, usual = getattr(setup, section), getattr(factory, section)
        keys = {
            key: getattr(own_values, key)
            for key in own_values.__struct_fields__
            if getattr(own_values, key) != getattr(usual, key)
        }
        if keys:
            found[section] = keys
    return found


def _toml(value: Any) -> str:
    """Return a value of the settings as TOML writes it."""
    if isinstance(value, StrictStruct):
        keys = msgspec.structs.asdict(value)
        return f"{{{', '.join(f'{key} = {_toml(inner)}' for key, inner in keys.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON writes these as TOML does, but for one character that TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
