"""The phrases of each language. A language is one file in `languages/`, named by its code."""

from pathlib import Path
from typing import Final

import msgspec

from cuelens import config_file
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import StrictStruct

_FOLDER: Final = Path(__file__).parent / "languages"


class Phrases(StrictStruct, frozen=True):
    """One phrase for each word: expressions, faces in view or none, prompts of the game `smile`, digits, the end."""

    happy: str
    surprise: str
    sad: str
    angry: str
    disgust: str
    fear: str
    contempt: str
    neutral: str
    smile: str
    frown: str
    unsure: str
    face: str
    nobody: str
    find_happy: str = msgspec.field(name="find happy")
    find_surprise: str = msgspec.field(name="find surprise")
    find_sad: str = msgspec.field(name="find sad")
    find_angry: str = msgspec.field(name="find angry")
    find_disgust: str = msgspec.field(name="find disgust")
    find_fear: str = msgspec.field(name="find fear")
    find_smile: str = msgspec.field(name="find smile")
    find_frown: str = msgspec.field(name="find frown")
    one: str = msgspec.field(name="1")
    two: str = msgspec.field(name="2")
    three: str = msgspec.field(name="3")
    four: str = msgspec.field(name="4")
    five: str = msgspec.field(name="5")
    six: str = msgspec.field(name="6")
    stopped: str


class Language(StrictStruct, frozen=True):
    """A language.

    Attributes:
        name: its own name for itself.
        voice: espeak-ng's name for it.
        claims: words about feelings, separated by spaces. A phrase with one of them is refused.
        phrases: its phrases.
    """

    name: str
    voice: str
    claims: str
    phrases: Phrases

    def says(self) -> dict[str, str]:
        """Return the phrase for each word: "happy", ..., "find happy", ..."""
        by_word: dict[str, str] = msgspec.to_builtins(self.phrases)
        return by_word


def available() -> list[str]:
    """Return the codes of all languages, sorted."""
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def read(code: str) -> Language:
    """Read a language by its code. Raises BadInput if the code is unknown or the file is damaged."""
    codes = available()
    if code not in codes:
        raise BadInput(f"language is {code!r}: expected one of {', '.join(codes)}")
    return config_file.read_toml(_FOLDER / f"{code}.toml", Language)
