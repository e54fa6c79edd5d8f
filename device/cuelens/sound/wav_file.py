"""A caregiver's recording: a WAV as phones and computers write it, converted to a clip like any phrase."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens.sound import clip
from cuelens.sound.clip import Clip
from cuelens_models import regular_file
from cuelens_models.errors import BadInput

_LONGEST_S: Final = 3.0
_MOST_BYTES: Final = 16_000_000
"""Limit on the file: 40 s at the highest data rate. A phrase is shorter, and more would fill a small board's memory."""
_MOST_DECODED_S: Final = 40.0
"""Limit on the length: at the lowest data rate 16 MB hold half an hour, which takes 600 MB to decode."""
_RATES: Final = (8000, 48000)
_FAINTEST: Final = 0.01
"""Silence threshold on the peak, as a fraction of full scale: below is the noise of a muted microphone."""
_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
"""WAVE_FORMAT_EXTENSIBLE, of 24-bit recorders: a later field holds the format. Python 3.11's `wave` refuses it."""
_FORMATS: Final = {3: "floating point", 6: "A-law", 7: "mu-law", 17: "ADPCM", 85: "MP3"}


def read(path: Path) -> Clip:
    """Read a recording: trimmed, with a fade at both ends, as loud as a rendered phrase.

    Formats: PCM of 8, 16, 24 or 32 bits, mono or stereo, 8 to 48 kHz, at most 3 s after trimming. Raises BadInput if
    the file is missing, silent, truncated or of another format.
    """
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}: expected {_LONGEST_S:.0f} s at most")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(f"{path} is not there") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _clip(*_decode(content))
    except BadInput as error:
        raise BadInput(f"{path} {error}") from error


def _clip(sound: NDArray[np.float64], rate: int) -> Clip:
    # Remove the DC offset of a cheap microphone, or trimming would take silence for sound.
    sound = sound - sound.mean() if len(sound) else sound
    if len(sound) == 0 or np.abs(sound).max() < _FAINTEST:
        raise BadInput("is silent")
    trimmed = clip.trimmed(Clip((sound * 32767).clip(-32768, 32767).astype(np.int16), rate))
    if trimmed.seconds > _LONGEST_S:
        raise BadInput(f"lasts {trimmed.seconds:.1f} s: expected {_LONGEST_S:.0f} s at most")
    return clip.levelled(trimmed)


def _decode(content: bytes) -> tuple[NDArray[np.float64], int]:
    """Return mono samples, -1 to 1, and their rate in samples a second."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise BadInput(f"is {_kind(content)}: save it as WAV (PCM)")
    chunks = {name: part for name, part in _chunks(memoryview(content)) if name in (b"fmt ", b"data")}
    form, data = chunks.get(b"fmt ", memoryview(b"")), chunks.get(b"data")
    if len(form) < 16 or data is None:
        raise BadInput("was cut short")
    kind, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == _EXTENSIBLE and len(form) >= 26:
        (kind,) = struct.unpack("<H", form[24:26])
    if kind != _PCM or bits not in (8, 16, 24, 32):
        raise BadInput(f"holds {bits}-bit {_FORMATS.get(kind, f'format {kind}')}: save it as PCM, 16 bits")
    if channels not in (1, 2):
        raise BadInput(f"has {channels} channels: expected mono or stereo")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise BadInput(f"has {rate} samples a second: expected {_RATES[0]} to {_RATES[1]}")
    if frame_bytes != channels * bits // 8 or len(data) % frame_bytes:
        raise BadInput("is damaged: save it again as WAV (PCM)")
    if (seconds := len(data) / frame_bytes / rate) > _MOST_DECODED_S:
        raise BadInput(f"lasts {seconds:.1f} s: expected {_LONGEST_S:.0f} s at most")
    return _samples(data, bits // 8).reshape(-1, channels).mean(axis=1), rate


def _samples(data: memoryview, width: int) -> NDArray[np.float64]:
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
    # Each sample fills the high bytes of 32 bits, so the sign bit is in place.
    wide = np.zeros((len(data) // width, 4), np.uint8)
    wide[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
    return wide.view("<i4")[:, 0] / 2**31


def _chunks(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and the content of each chunk of a WAV. Raises BadInput if one is shorter than its stated size."""
    start = 12
    while start + 8 <= len(content):
        name, size = struct.unpack("<4sI", content[start : start + 8])
        if start + 8 + size > len(content):
            raise BadInput("was cut short")
        yield name, content[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _kind(content: bytes) -> str:
    """Name the format of a file that is no WAV."""
    if not content:
        return "empty"
    if content.startswith(b"ID3") or (content[0] == 0xFF and content[1:2] >= b"\xe0"):
        return "an MP3"
    if content.startswith(b"OggS"):
        return "an Ogg file"
    if content[4:8] == b"ftyp":
        return "an MP4 or M4A file"
    return "no WAV"
