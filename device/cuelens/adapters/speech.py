"""Preparing the clips: rendered phrases (cached), the caregiver's recordings (read at each start), or earcons instead.

The command espeak-ng renders the phrases; where it is not installed, pyttsx3 does, with the voices of the system.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cuelens.profile.phrases import Saying, sayings
from cuelens.profile.profile import Profile
from cuelens.sound import clip, recording
from cuelens.sound.clip import Clip
from cuelens.sound.earcons import earcon
from cuelens_models import sha256
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

_WORDS_PER_MINUTE: Final = 140
"""Slower than espeak-ng's default of 175: a phrase is two words, which must be understood at once."""
_DEADLINE_S: Final = 15.0
"""For one phrase. A small board takes a second, and ten while it starts everything else."""


def prepare(
    wearer: Profile, recordings: Path, cache: Path, complain: Callable[[str], None]
) -> Iterator[tuple[str, Clip]]:
    """Yield each word and its clip as soon as the clip is ready. With an empty cache, a small board takes a minute.

    Args:
        wearer: Profile of the wearer.
        recordings: Folder of the profile's file, which holds the recordings.
        cache: Folder of rendered phrases.
        complain: Called with a sentence when a word fails, once a sentence. The other words are still prepared.
    """
    complaints: set[str] = set()

    def complain_once(sentence: str) -> None:
        if sentence not in complaints:
            complaints.add(sentence)
            complain(sentence)

    for word, saying in sayings(wearer, recordings).items():
        if wearer.sound.say == "earcons":
            yield word, earcon(word)
        elif (sound := _clip(saying, cache, complain_once)) is not None:
            yield word, sound


def phrase(text: str, voice: str, cache: Path) -> Clip:
    """Return the clip of a phrase, from the folder `cache` if it was rendered before.

    Raises AbsentDevice if neither pyttsx3 nor espeak-ng renders a file, Unwritable if `cache` cannot be written to.
    """
    file = _file(text, voice, cache)
    sound = _stored(file)
    if sound is None:
        make_folder(cache)
        sound = _render(text, voice)
        write_whole(file, clip.wav(sound))
    return clip.levelled(sound)


def _clip(saying: Saying, cache: Path, complain: Callable[[str], None]) -> Clip | None:
    """Return the clip of a saying. An unreadable recording falls back to the phrase; without a voice, return None."""
    if saying.recording:
        try:
            return recording.read(saying.recording)
        except BadInput as error:
            complain(f"{error}; the phrase is said in its place")
    try:
        try:
            return phrase(saying.phrase, saying.voice, cache)
        except Unwritable as error:
            # The folder, not the file: what is true of all phrases is told once.
            reason = str(error).rpartition(": ")[2]
            complain(f"{cache} cannot be written to: {reason}; phrases are rendered anew at each start")
            return clip.levelled(_render(saying.phrase, saying.voice))
    except AbsentDevice as error:
        complain(str(error))
        return None


def _file(text: str, voice: str, cache: Path) -> Path:
    key = sha256.digest(f"{voice}\n{_WORDS_PER_MINUTE}\n{text}".encode())[:16]
    return cache / f"{key}.wav"


def _stored(file: Path) -> Clip | None:
    """Return the clip in a file, None if the file is missing or truncated by a crash."""
    try:
        return clip.read(file)
    except BadInput:
        return None


def _render(text: str, voice: str) -> Clip:
    """Return the phrase, trimmed. Raises AbsentDevice if no synthesiser renders it, or there is no place to do so."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            if (sound := _rendered(text, voice, Path(folder) / "phrase.wav")) is not None:
                return sound
    except OSError as error:
        raise AbsentDevice(
            f"no phrase can be rendered, for want of a folder for temporary files: {error.strerror or error}"
        ) from error
    if shutil.which("espeak-ng") is None:
        raise AbsentDevice("no voice can be rendered: run `sudo apt install espeak-ng`")
    raise AbsentDevice(
        f"espeak-ng rendered no whole phrase with the voice {voice!r} in {_DEADLINE_S:g} s: "
        "start the glasses again when the board is less busy; `cuelens doctor` tells whether the voice works"
    )


def _rendered(text: str, voice: str, file: Path) -> Clip | None:
    """Return the phrase, trimmed, None if no synthesiser renders it whole. file: where it is rendered to."""
    rate = str(_WORDS_PER_MINUTE)
    commands = [["espeak-ng", "-v", voice, "-s", rate, "-w", str(file), "--", text]]
    # The second choice, tried twice: on a busy machine it ended before its file was whole, or at a rate of its own.
    if find_spec("pyttsx3"):
        child = [sys.executable, "-m", "cuelens.adapters.pyttsx3_child", voice, rate, text, str(file)]
        commands += [child, child]
    for command in commands:
        try:
            subprocess.run(command, capture_output=True, timeout=_DEADLINE_S, check=True)
            sound = clip.read(file)
            if clip.is_cut_off(sound):
                raise BadInput(f"{file} was cut short")
            return clip.trimmed(sound)
        except (OSError, subprocess.SubprocessError, BadInput):
            file.unlink(missing_ok=True)
    return None
