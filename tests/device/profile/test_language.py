"""Every language has every word, says what a face looks like, and can be spoken."""

import re
import shutil
import unicodedata
from pathlib import Path

import msgspec
import pytest

from cuelens.adapters.speech import phrase
from cuelens.profile import language, phrases, wording
from cuelens.profile.language import Phrases
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.errors import BadInput

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
WORDS = [field.encode_name for field in msgspec.structs.fields(Phrases)]
SPOKEN = [(code, word) for code in language.available() for word in WORDS]


def test_the_first_five_languages_are_there() -> None:
    assert {"ar", "de", "en", "es", "fr"} <= set(language.available())


def test_every_expression_and_every_other_word_has_a_phrase() -> None:
    assert set(WORDS) >= {*LABELS, "unsure", "nobody", "face", "smile", "frown"}
    sought = [word.removeprefix("find ") for word in WORDS if word.startswith("find ")]
    assert sought == ["happy", "surprise", "sad", "angry", "disgust", "fear", "smile", "frown"]


@pytest.mark.parametrize("code", language.available())
def test_the_phrases_of_a_language_are_short_all_different_and_claim_nothing(code: str) -> None:
    spoken = language.read(code)
    says = spoken.says()
    assert list(says) == WORDS
    assert len(set(says.values())) == len(says)
    assert spoken.claims.split()
    for text in says.values():
        assert 1 <= len(text.split()) <= 2
        # A colon is a pause.
        assert not re.search(r"[^\w\s:']", "".join(sign for sign in text if not unicodedata.combining(sign)))
        assert text == unicodedata.normalize("NFC", text)
        assert not phrases.makes_claim(text.replace(":", ""), spoken)


@pytest.mark.parametrize(
    ("code", "word", "expected"),
    [
        ("en", "happy", "looks happy"),
        ("de", "happy", "wirkt fröhlich"),
        ("es", "happy", "parece feliz"),
        ("fr", "happy", "air joyeux"),
        ("ar", "happy", "يَبْدُو سَعِيدًا"),
    ],
)
def test_a_phrase_follows_looks_happy(code: str, word: str, expected: str) -> None:
    says = language.read(code).says()
    assert says[word] == expected
    first, _, _ = expected.partition(" ")
    assert all(says[label].startswith(f"{first} ") for label in LABELS)


@needs_espeak
@pytest.mark.parametrize(("code", "word"), SPOKEN)
def test_a_phrase_is_spoken_in_less_than_two_seconds(code: str, word: str, tmp_path: Path) -> None:
    spoken = language.read(code)
    assert 0.2 < phrase(spoken.says()[word], spoken.voice, tmp_path).seconds < 2


@pytest.mark.parametrize("code", ["xx", "", "EN", "../languages/en", "en.toml"])
def test_an_unknown_language_is_refused_with_those_that_are_there(code: str) -> None:
    with pytest.raises(BadInput, match=f"^language is '.*': expected one of {', '.join(language.available())}"):
        language.read(code)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('happy = "looks happy"\n', ""), 'line 7, column 2: phrases lacks the key "happy": it must be a text'),
        (
            ('"find fear" = "find scared"\n', ""),
            'line 7, column 2: phrases lacks the key "find fear": it must be a text',
        ),
        (('happy = "looks happy"', "happy = 5"), "line 8, column 1: phrases.happy must be a text, not 5"),
        (
            ('name = "English"', 'name = "English"\nvoices = "en"'),
            'line 3, column 1: there is no key "voices": did you mean "voice"?',
        ),
    ],
)
def test_a_language_is_one_file_and_a_mistake_in_it_one_sentence(
    change: tuple[str, str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = Path(language.__file__).parent / "languages" / "en.toml"
    (tmp_path / "xx.toml").write_text(english.read_text().replace(*change))
    monkeypatch.setattr(language, "_FOLDER", tmp_path)
    assert language.available() == ["xx"]
    with pytest.raises(BadInput) as caught:
        language.read("xx")
    assert str(caught.value) == f"{tmp_path / 'xx.toml'}: {sentence}"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("happy", "looks happy"),
        ("neutral", "looks neutral"),
        ("unsure", "not sure"),
        ("face", "face found"),
        ("nobody", "nobody there"),
        ("find happy", "find happy"),
        ("guess", "guess"),
    ],
)
def test_screens_say_what_the_english_voice_says(word: str, words: str) -> None:
    assert wording.looks(word) == words


def test_every_word_can_be_shown() -> None:
    assert all(wording.looks(word) for word in WORDS)
    assert wording.looks("gleeful") == "gleeful"
