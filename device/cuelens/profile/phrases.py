"""The speech for each word: the language's phrase, the caregiver's phrase, or the caregiver's recording.

A phrase has at most two words. It describes a face, never what a person feels.
"""

import os
import re
import unicodedata
from pathlib import Path
from typing import Final

import msgspec

from cuelens.profile import language
from cuelens.profile.language import Language
from cuelens.profile.profile import Profile
from cuelens_models.errors import BadInput

_MOST_WORDS: Final = 2
_MOST_SHOWN: Final = 40
_JOINTS: Final = "['\u2019-]"
"""Signs allowed inside a word: an apostrophe, straight or curly, and a hyphen."""


class Saying(msgspec.Struct, frozen=True):
    """The speech for a word.

    Attributes:
        phrase: the text.
        voice: espeak-ng's name of the voice.
        recording: a file to play instead.
    """

    phrase: str
    voice: str
    recording: Path | None = None


def sayings(profile: Profile, folder: Path) -> dict[str, Saying]:
    """Return the speech for each word, most probable words first. folder: where the profile's recordings lie.

    Words without speech by the profile's choice are left out.
    """
    lang = language.read(profile.language)
    by_word = {word: Saying(phrase, lang.voice) for word, phrase in lang.says().items()}
    for word, entry in profile.cues.entries().items():
        phrase = entry.phrase if isinstance(entry.phrase, str) else by_word[word].phrase
        if entry.recording is not None:
            by_word[word] = Saying(phrase, lang.voice, folder / entry.recording)
        elif entry.phrase is None:
            del by_word[word]
        else:
            by_word[word] = Saying(phrase, lang.voice)
    return by_word


def check(profile: Profile, path: Path) -> None:
    """Check language and phrases of a profile, and where its recordings lie, but not whether these can be played.

    path: its file. Raises BadInput with file, key and value.
    """
    try:
        lang = language.read(profile.language)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    for word, entry in profile.cues.entries().items():
        if isinstance(entry.phrase, str):
            _check_phrase(entry.phrase, lang, f"{path}: cues.{word}.phrase")
        if entry.recording is not None:
            _check_place(entry.recording, path.parent, f"{path}: cues.{word}.recording")


def unplayable(profile: Profile, path: Path) -> tuple[str, ...]:
    """Return a sentence for each recording of a checked profile that cannot be played. path: its file."""
    recorded = {word: entry.recording for word, entry in profile.cues.entries().items() if entry.recording is not None}
    if not recorded:
        return ()
    # Imported here: it needs numpy, and few profiles have a recording.
    from cuelens.sound import recording

    sentences = []
    for word, name in recorded.items():
        try:
            recording.read(path.parent / name)
        except BadInput as error:
            sentences.append(f"{path}: cues.{word}.recording is {name!r}: {error}")
    return tuple(sentences)


def _check_phrase(phrase: str, lang: Language, where: str) -> None:
    shown = repr(phrase if len(phrase) <= _MOST_SHOWN else f"{phrase[:_MOST_SHOWN]}...")
    words = phrase.split()
    if not 1 <= len(words) <= _MOST_WORDS or not all(_is_word(word) for word in words):
        raise BadInput(f"{where} is {shown}: expected one or two words, letters only")
    if makes_claim(phrase, lang):
        raise BadInput(f"{where} is {shown}: expected what a face looks like, not what is felt")


def makes_claim(phrase: str, lang: Language) -> bool:
    """Tell whether a phrase has a word about feelings. Accents and vowel marks are ignored."""
    pieces = re.split(rf"\s+|{_JOINTS}", _plain(phrase))
    return not set(pieces).isdisjoint(_plain(lang.claims).split())


def _check_place(name: str, folder: Path, where: str) -> None:
    file = folder / name
    if "\0" in name or not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
        raise BadInput(f"{where} is {name!r}: expected a file in {folder}")


def _is_word(word: str) -> bool:
    """Tell whether a word has letters only, with or without combining marks."""
    return all(
        piece[:1].isalpha() and all(sign.isalpha() or unicodedata.category(sign).startswith("M") for sign in piece)
        for piece in re.split(_JOINTS, word)
    )


def _plain(text: str) -> str:
    """Return a text without combining marks, case-folded: "Fühlt" is "fuhlt", and Arabic loses its vowels."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
