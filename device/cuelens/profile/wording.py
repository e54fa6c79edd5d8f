"""How things are said to people on a screen: what a face looks like, never what a person feels."""

from functools import cache
from typing import Final

from cuelens.profile import language

_ON_SCREEN: Final = {"face": "face found", "nobody": "nobody there", "guess": "guess"}
"""What is clearer where it is read, by an adult, than where it is heard, by a child."""


def looks(word: str) -> str:
    """Return the words for a word: "happy" is "looks happy", "unsure" is "not sure", "find happy" is "find happy"."""
    return _ON_SCREEN.get(word) or _english()[word]


@cache
def _english() -> dict[str, str]:
    return language.read("en").says()
