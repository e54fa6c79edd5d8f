"""Phrases rendered once to WAV and kept: by pyttsx3, or by espeak-ng's own command where pyttsx3 leaves no file."""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cuelens import clip
from cuelens.clip import Clip
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable
from cuelens_models.whole_file import write_whole

_WORDS_PER_MINUTE: Final = 140
"""A little slower than espeak-ng's own 175: two words that must be understood at once."""
_DEADLINE_S: Final = 5.0


def prepare(phrases: Iterable[str], language: str, folder: Path) -> dict[str, Clip]:
    """Return a trimmed clip for each phrase, from `folder` if it was rendered before.

    Raises AbsentDevice if neither pyttsx3 nor espeak-ng gives a file, Unwritable if it cannot be kept.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"phrases cannot be kept in {folder}: {error.strerror}") from error
    return {phrase: _clip(phrase, language, folder) for phrase in phrases}


def _clip(phrase: str, language: str, folder: Path) -> Clip:
    key = hashlib.sha256(f"{language}\n{_WORDS_PER_MINUTE}\n{phrase}".encode()).hexdigest()[:16]
    kept = folder / f"{key}.wav"
    if kept.exists():
        try:
            return clip.read(kept)
        except BadInput:
            # Cut short by an old crash: render it again.
            kept.unlink()
    rendered = clip.trimmed(_render(phrase, language))
    write_whole(kept, clip.wav(rendered))
    return rendered


def _render(phrase: str, language: str) -> Clip:
    rate = str(_WORDS_PER_MINUTE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "phrase.wav"
        ways = [["espeak-ng", "-v", language, "-s", rate, "-w", str(file), "--", phrase]]
        if find_spec("pyttsx3"):
            ways.insert(0, [sys.executable, "-m", "cuelens.adapters.pyttsx3_child", language, rate, phrase, str(file)])
        for way in ways:
            try:
                subprocess.run(way, capture_output=True, timeout=_DEADLINE_S, check=True)
                return clip.read(file)
            except (OSError, subprocess.SubprocessError, BadInput):
                file.unlink(missing_ok=True)
    raise AbsentDevice("no voice can be rendered: run `sudo apt install espeak-ng`")
