"""WAV files (PCM), decoded without another package: Python's `wave` refuses what 24-bit recorders write."""

import struct
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens.sound.limits import MOST_DECODED_S, check_form, check_length
from cuelens_models.errors import BadInput

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
"""WAVE_FORMAT_EXTENSIBLE, of 24-bit recorders: a later field holds the format. Python 3.11's `wave` refuses it."""
_FORMATS: Final = {3: "floating point", 6: "A-law", 7: "mu-law", 17: "ADPCM", 85: "MP3"}


def is_wav(content: bytes) -> bool:
    """Tell whether a file says that it is a WAV."""
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def decode(content: bytes) -> tuple[NDArray[np.float64], int]:
    """Return the mono samples of a WAV, -1 to 1, and their rate in samples a second.

    Raises BadInput if it is truncated, of another format than PCM, or over the limits.
    """
    chunks = {name: part for name, part in _chunks(memoryview(content)) if name in (b"fmt ", b"data")}
    form, data = chunks.get(b"fmt ", memoryview(b"")), chunks.get(b"data")
    if len(form) < 16 or data is None:
        raise BadInput("was cut short: copy it again")
    kind, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == _EXTENSIBLE and len(form) >= 26:
        (kind,) = struct.unpack("<H", form[24:26])
    if kind != _PCM or bits not in (8, 16, 24, 32):
        raise BadInput(f"holds {bits}-bit {_FORMATS.get(kind, f'format {kind}')}: save it as PCM, 16 bits")
    check_form(channels, rate)
    if frame_bytes != channels * bits // 8 or len(data) % frame_bytes:
        raise BadInput("is damaged: save it again as WAV (PCM)")
    check_length(len(data) / frame_bytes / rate, MOST_DECODED_S)
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
            raise BadInput("was cut short: copy it again")
        yield name, content[start + 8 : start + 8 + size]
        start += 8 + size + size % 2
