"""A caregiver's recording: a file as phones and computers write it, converted to a clip like any phrase."""

import shlex
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens.sound import clip, compressed, wav_file
from cuelens.sound.clip import Clip
from cuelens.sound.limits import LONGEST_S, check_length
from cuelens_models import regular_file
from cuelens_models.errors import BadInput, MissingExtra

_MOST_BYTES: Final = 16_000_000
"""Limit on the file: 40 s at the highest data rate of a WAV."""
_FAINTEST: Final = 0.01
"""Silence threshold on the peak, as a fraction of full scale: below is the noise of a muted microphone."""
_DECODED: Final = {b"fLaC": "a FLAC file", b"OggS": "an Ogg file", b"ID3": "an MP3"}
_REFUSED: Final = {
    b"\x1aE\xdf\xa3": "a WebM file",
    b"#!AMR": "an AMR file",
    b"0&\xb2u": "a WMA file",
    b"FORM": "an AIFF file",
    b"caff": "a CAF file",
}
"""Kinds of files by their first bytes."""


def read(path: Path) -> Clip:
    """Read a recording: trimmed, with a fade at both ends, as loud as a rendered phrase.

    Formats: WAV (PCM of 8, 16, 24 or 32 bits), and with soundfile FLAC, Ogg and MP3, by their content; mono or stereo,
    8 to 48 kHz, at most 3 s after trimming. Raises BadInput if the file is missing, silent, damaged or of another kind.
    """
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}: expected {LONGEST_S:.0f} s at most")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{path} is not there") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _clip(*_decode(content, path))
    except BadInput as error:
        raise BadInput(f"{path} {error}") from error


def _decode(content: bytes, path: Path) -> tuple[NDArray[np.float64], int]:
    """Return mono samples, -1 to 1, and their rate in samples a second. path: for the remedy."""
    if wav_file.is_wav(content):
        return wav_file.decode(content)
    if not content:
        raise BadInput("is empty")
    target = f"{path.stem}.wav" if path.suffix.lower() != ".wav" else f"{path.stem}-pcm.wav"
    command = f"`ffmpeg -i {shlex.quote(path.name)} {shlex.quote(target)}`"
    kind, decoded = _kind(content)
    if not decoded:
        raise BadInput(f"is {kind}: convert it with {command}")
    try:
        return compressed.decode(content)
    except MissingExtra as error:
        raise BadInput(f"is {kind}, and {error} or {command}") from error
    except compressed.CutShort as error:
        raise BadInput(f"is {kind} that {error}: copy it again, or convert what is left with {command}") from error
    except compressed.Undecodable as error:
        raise BadInput(f"is {kind} that {error}: convert it with {command}") from error


def _kind(content: bytes) -> tuple[str, bool]:
    """Return the kind of a file that is no WAV, and whether soundfile decodes it."""
    for kinds, decoded in ((_DECODED, True), (_REFUSED, False)):
        for head, name in kinds.items():
            if content.startswith(head):
                return name, decoded
    if content[4:8] == b"ftyp":
        return "an M4A, MP4 or 3gp file", False
    if content[0] == 0xFF and content[1:2] >= b"\xe0":
        # Frames of MPEG. The layer is 0 in AAC.
        return ("an MP3", True) if content[1] & 0b110 else ("an AAC file", False)
    return "no WAV, FLAC, Ogg or MP3", False


def _clip(sound: NDArray[np.float64], rate: int) -> Clip:
    # Remove the DC offset of a cheap microphone, or trimming would take silence for sound.
    sound = sound - sound.mean() if len(sound) else sound
    if len(sound) == 0 or np.abs(sound).max() < _FAINTEST:
        raise BadInput("is silent")
    trimmed = clip.trimmed(Clip((sound * 32767).clip(-32768, 32767).astype(np.int16), rate))
    if not trimmed.samples.any():
        # A click of a sample or two is all fade.
        raise BadInput("is silent")
    check_length(trimmed.seconds, LONGEST_S)
    return clip.levelled(trimmed)
