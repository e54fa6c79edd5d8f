"""From a profile to what is said for each word, and the sentences for what cannot be said."""

import re
import wave
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cuelens.profile import language
from cuelens.profile.cue_book import CueBook, CueEntry
from cuelens.profile.phrases import Saying, check, sayings, unplayable
from cuelens.profile.profile import Profile
from cuelens.profile.store import in_force
from cuelens_models.errors import BadInput

HOME = Path("/profiles")


def wearer(entry: CueEntry | None, code: str = "en") -> Profile:
    return Profile(language=code, cues=CueBook(happy=entry))


def write_wav(path: Path, seconds: float = 0.5) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((9000 * np.sin(np.arange(round(8000 * seconds)))).astype(np.int16).tobytes())


@pytest.mark.parametrize("code", language.available())
def test_a_profile_says_what_its_language_says(code: str) -> None:
    spoken = language.read(code)
    assert sayings(Profile(language=code), HOME) == {
        word: Saying(phrase, spoken.voice) for word, phrase in spoken.says().items()
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (CueEntry(), Saying("looks happy", "en")),
        (CueEntry(phrase="big smile"), Saying("big smile", "en")),
        (CueEntry(phrase=None), None),
        (CueEntry(recording="mum/happy.wav"), Saying("looks happy", "en", HOME / "mum/happy.wav")),
        (CueEntry(phrase="big smile", recording="happy.wav"), Saying("big smile", "en", HOME / "happy.wav")),
        (CueEntry(phrase=None, recording="happy.wav"), Saying("looks happy", "en", HOME / "happy.wav")),
        (None, Saying("looks happy", "en")),
    ],
)
def test_a_recording_goes_before_a_phrase_and_a_phrase_before_the_languages(
    entry: CueEntry | None, expected: Saying | None
) -> None:
    assert sayings(wearer(entry), HOME).get("happy") == expected
    assert "sad" in sayings(wearer(entry), HOME)


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        ("en", "looks happy"),
        ("en", "smiling"),
        ("en", "looks well-rested"),
        ("fr", "l'air joyeux"),
        ("fr", "l\u2019air joyeux"),
        ("de", "wirkt fröhlich"),
        ("de", "wirkt fro\u0308hlich"),
        ("ar", "يبدو سعيدًا"),
        ("ar", "يَبْدُو سَعِيدًا"),
    ],
)
def test_a_phrase_of_ones_own_in_any_letters_is_taken(code: str, phrase: str, tmp_path: Path) -> None:
    profile = wearer(CueEntry(phrase=phrase), code)
    check(profile, tmp_path / "p.json")
    assert sayings(profile, tmp_path)["happy"].phrase == phrase


@pytest.mark.parametrize(
    ("code", "phrase", "shown", "expected"),
    [
        ("en", "", "''", "one or two words, letters only"),
        ("en", "looks very happy", "'looks very happy'", "one or two words, letters only"),
        ("en", "happy 2", "'happy 2'", "one or two words, letters only"),
        ("en", "$(reboot) now", "'$(reboot) now'", "one or two words, letters only"),
        ("en", "--stdin", "'--stdin'", "one or two words, letters only"),
        ("en", "happy-", "'happy-'", "one or two words, letters only"),
        ("en", "\u0308happy", "'\u0308happy'", "one or two words, letters only"),
        ("ar", "يبدو سعيد5", "'يبدو سعيد5'", "one or two words, letters only"),
        ("en", "happy " * 300, f"'{('happy ' * 300)[:40]}...'", "one or two words, letters only"),
        ("en", "is happy", "'is happy'", "what a face looks like, not what is felt"),
        ("en", "She\u2019s happy", "'She\u2019s happy'", "what a face looks like, not what is felt"),
        ("en", "FEELS happy", "'FEELS happy'", "what a face looks like, not what is felt"),
        ("de", "ist fröhlich", "'ist fröhlich'", "what a face looks like, not what is felt"),
        ("de", "Fu\u0308hlt Freude", "'Fu\u0308hlt Freude'", "what a face looks like, not what is felt"),
        ("de", "hat Angst", "'hat Angst'", "what a face looks like, not what is felt"),
        ("es", "está feliz", "'está feliz'", "what a face looks like, not what is felt"),
        ("es", "tiene miedo", "'tiene miedo'", "what a face looks like, not what is felt"),
        ("fr", "est joyeux", "'est joyeux'", "what a face looks like, not what is felt"),
        ("fr", "c'est joyeux", '"c\'est joyeux"', "what a face looks like, not what is felt"),
        ("fr", "a peur", "'a peur'", "what a face looks like, not what is felt"),
        ("ar", "هو سعيد", "'هو سعيد'", "what a face looks like, not what is felt"),
        ("ar", "يَشْعُرُ بالفرح", "'يَشْعُرُ بالفرح'", "what a face looks like, not what is felt"),
    ],
)
def test_a_phrase_that_cannot_be_said_is_refused_with_file_key_and_value(
    code: str, phrase: str, shown: str, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    with pytest.raises(BadInput) as caught:
        check(wearer(CueEntry(phrase=phrase), code), path)
    assert str(caught.value) == f"{path}: cues.happy.phrase is {shown}: expected {expected}"


def test_an_unknown_language_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        check(Profile(language="tlh"), tmp_path / "p.json")
    expected = ", ".join(language.available())
    assert str(caught.value) == f"{tmp_path / 'p.json'}: language is 'tlh': expected one of {expected}"


def test_a_recording_beside_the_profile_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mum").mkdir()
    write_wav(tmp_path / "mum" / "happy.wav")
    profile = wearer(CueEntry(recording="mum/happy.wav"))
    check(profile, tmp_path / "p.json")
    assert sayings(profile, tmp_path)["happy"].recording == tmp_path / "mum" / "happy.wav"


def test_a_voice_memo_is_named_with_file_key_value_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "happy.wav").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    (sentence,) = unplayable(wearer(CueEntry(recording="happy.wav")), tmp_path / "p.json")
    where = f"{tmp_path / 'p.json'}: cues.happy.recording is 'happy.wav': {tmp_path / 'happy.wav'}"
    remedy = "convert it with `ffmpeg -i happy.wav happy-pcm.wav`"
    assert sentence == f"{where} is an M4A, MP4 or 3gp file: {remedy}"


@pytest.mark.parametrize(
    ("name", "words"), [("missing.wav", "is not there"), ("long.wav", r"lasts 3\.\d s: expected 3 s at most")]
)
def test_a_recording_that_cannot_be_played_is_named_and_the_profile_is_used(
    name: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.json"
    write_wav(tmp_path / "long.wav", 3.5)
    path.write_text(f'{{"wearer": "Ben", "cues": {{"happy": {{"recording": "{name}"}}}}}}')
    used = in_force(path)
    assert used.profile.wearer == "Ben"
    (sentence,) = used.unplayable
    assert re.fullmatch(rf".*/p\.json: cues\.happy\.recording is .*{words}; the phrase is said in its place", sentence)


@pytest.mark.parametrize("name", ["/etc/hostname", "../happy.wav", "link.wav", "nothing\0.wav"])
def test_a_recording_outside_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    home = tmp_path / "profiles"
    home.mkdir()
    write_wav(tmp_path / "happy.wav")
    (home / "link.wav").symlink_to(tmp_path / "happy.wav")
    with pytest.raises(BadInput, match=r"p\.json: cues\.happy\.recording is .*expected a file in "):
        check(wearer(CueEntry(recording=name)), home / "p.json")


def test_every_expression_of_the_book_has_a_phrase() -> None:
    for code in language.available():
        assert {field.name for field in msgspec.structs.fields(CueBook)} <= set(language.read(code).says())
