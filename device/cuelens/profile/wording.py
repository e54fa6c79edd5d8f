"""English words for screens. They describe a face, never what a person feels."""

from functools import cache
from typing import Final

from cuelens.profile import language

_ON_SCREEN: Final = {"face": "face found", "nobody": "nobody there", "guess": "guess"}
"""Words that differ from the spoken phrases: adults read them, children hear those."""


def looks(word: str) -> str:
    """Return the text for a word: "happy" is "looks happy", "unsure" is "not sure", "find happy" is "find happy".

    A word that has no text, as of another version's story, is returned as it is.
    """
    return _ON_SCREEN.get(word) or _english().get(word, word)


@cache
def _english() -> dict[str, str]:
    return language.read("en").says()
