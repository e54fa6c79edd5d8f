"""What is said for each word: the language's phrase, a caregiver's own phrase, or a caregiver's own recording.

A phrase is at most two words, and says what a face looks like, never what a person feels.
"""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens.profile import language
from cuelens.profile.language import Language
from cuelens.profile.profile import Profile
from cuelens_models.errors import BadInput

_MOST_WORDS: Final = 2
_MOST_SHOWN: Final = 40
_JOINTS: Final = "['\u2019-]"
"""What may stand between the letters of a word: an apostrophe, straight or curly, and a hyphen."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said for a word. voice: espeak-ng's name of who says the phrase. recording: a WAV to play instead."""

    phrase: str
    voice: str
    recording: Path | None = None


def sayings(profile: Profile, folder: Path) -> dict[str, Saying]:
    """Return what is said for each word, what is likeliest first. folder: where the profile's recordings lie.

    A word that nothing is said for, by the profile's choice, is not among them.
    """
    spoken = language.read(profile.language)
    chosen = {word: Saying(phrase, spoken.voice) for word, phrase in spoken.says().items()}
    for word, entry in profile.cues.entries().items():
        phrase = entry.phrase if isinstance(entry.phrase, str) else chosen[word].phrase
        if entry.recording is not None:
            chosen[word] = Saying(phrase, spoken.voice, folder / entry.recording)
        elif entry.phrase is None:
            del chosen[word]
        else:
            chosen[word] = Saying(phrase, spoken.voice)
    return chosen


def check(profile: Profile, path: Path) -> None:
    """Check all that a profile says. path: its file. Raises BadInput with file, key and value."""
    try:
        spoken = language.read(profile.language)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    for word, entry in profile.cues.entries().items():
        if isinstance(entry.phrase, str):
            _check_phrase(entry.phrase, spoken, f"{path}: cues.{word}.phrase")
        if entry.recording is not None:
            _check_recording(entry.recording, path.parent, f"{path}: cues.{word}.recording")


def _check_phrase(phrase: str, spoken: Language, where: str) -> None:
    shown = repr(phrase if len(phrase) <= _MOST_SHOWN else f"{phrase[:_MOST_SHOWN]}...")
    words = phrase.split()
    if not 1 <= len(words) <= _MOST_WORDS or not all(_is_word(word) for word in words):
        raise BadInput(f"{where} is {shown}: expected one or two words, letters only")
    if makes_claim(phrase, spoken):
        raise BadInput(f"{where} is {shown}: expected what a face looks like, not what is felt")


def makes_claim(phrase: str, spoken: Language) -> bool:
    """Tell whether a phrase says what somebody feels, with whatever accents or vowel marks it is written."""
    pieces = re.split(rf"\s+|{_JOINTS}", _plain(phrase))
    return not set(pieces).isdisjoint(_plain(spoken.claims).split())


def _check_recording(name: str, folder: Path, where: str) -> None:
    file = folder / name
    if "\0" in name or not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
        raise BadInput(f"{where} is {name!r}: expected a file in {folder}")
    try:
        # Imported here: it needs numpy, and few profiles have a recording.
        from cuelens.sound import wav_file

        wav_file.read(file)
    except BadInput as error:
        raise BadInput(f"{where} is {name!r}: {error}") from error


def _is_word(word: str) -> bool:
    """Tell whether a word is of letters only, each with whatever marks stand above or below it."""
    return all(
        piece[:1].isalpha() and all(sign.isalpha() or unicodedata.category(sign).startswith("M") for sign in piece)
        for piece in re.split(_JOINTS, word)
    )


def _plain(text: str) -> str:
    """Return a text without its marks: "Fühlt" is "fuhlt", and Arabic loses its vowels."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
