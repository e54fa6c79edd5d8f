"""Making ready what is said: phrases rendered once and kept, recordings read anew, or earcons in place of both.

Phrases are rendered by pyttsx3, or by espeak-ng's own command where pyttsx3 leaves no file.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cuelens.profile.phrases import Saying, sayings
from cuelens.profile.profile import Profile
from cuelens.sound import clip, wav_file
from cuelens.sound.clip import Clip
from cuelens.sound.earcons import earcon
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

_WORDS_PER_MINUTE: Final = 140
"""A little slower than espeak-ng's own 175: two words that must be understood at once."""
_DEADLINE_S: Final = 5.0


def prepare(
    wearer: Profile, recordings: Path, kept: Path, complain: Callable[[str], None]
) -> Iterator[tuple[str, Clip]]:
    """Yield each word and its clip as soon as it is ready; on a small board the first time takes a minute.

    recordings: the folder of the profile's file. kept: where rendered phrases are kept. complain: told, in a sentence,
    what went wrong with a word, each sentence once; the other words are made ready all the same.
    """
    told: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            complain(sentence)

    for word, saying in sayings(wearer, recordings).items():
        if wearer.sound.say == "earcons":
            yield word, earcon(word)
        elif (made := _clip(saying, kept, tell)) is not None:
            yield word, made


def phrase(text: str, voice: str, kept: Path) -> Clip:
    """Return the clip of a phrase, from the folder `kept` if it was rendered before.

    Raises AbsentDevice if neither pyttsx3 nor espeak-ng gives a file, Unwritable if it cannot be kept.
    """
    file = _file(text, voice, kept)
    rendered = _kept(file)
    if rendered is None:
        make_folder(kept)
        rendered = _render(text, voice)
        write_whole(file, clip.wav(rendered))
    return clip.levelled(rendered)


def _clip(saying: Saying, kept: Path, tell: Callable[[str], None]) -> Clip | None:
    """Return the clip of a saying: of its phrase if its recording cannot be read, None if there is no voice at all."""
    if saying.recording:
        try:
            return wav_file.read(saying.recording)
        except BadInput as error:
            tell(f"{error}; the phrase is said in its place")
    try:
        try:
            return phrase(saying.phrase, saying.voice, kept)
        except Unwritable as error:
            tell(f"{error}; phrases are rendered anew at each start")
            return clip.levelled(_render(saying.phrase, saying.voice))
    except AbsentDevice as error:
        tell(str(error))
        return None


def _file(text: str, voice: str, kept: Path) -> Path:
    key = hashlib.sha256(f"{voice}\n{_WORDS_PER_MINUTE}\n{text}".encode()).hexdigest()[:16]
    return kept / f"{key}.wav"


def _kept(file: Path) -> Clip | None:
    """Return the clip in a file; None if there is none, or if it was cut short by an old crash."""
    try:
        return clip.read(file)
    except BadInput:
        return None


def _render(text: str, voice: str) -> Clip:
    rate = str(_WORDS_PER_MINUTE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "phrase.wav"
        ways = [["espeak-ng", "-v", voice, "-s", rate, "-w", str(file), "--", text]]
        if find_spec("pyttsx3"):
            ways.insert(0, [sys.executable, "-m", "cuelens.adapters.pyttsx3_child", voice, rate, text, str(file)])
        for way in ways:
            try:
                subprocess.run(way, capture_output=True, timeout=_DEADLINE_S, check=True)
                return clip.trimmed(clip.read(file))
            except (OSError, subprocess.SubprocessError, BadInput):
                file.unlink(missing_ok=True)
    raise AbsentDevice("no voice can be rendered: run `sudo apt install espeak-ng`")
