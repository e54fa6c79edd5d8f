"""Sound: recordings of caregivers, phrases in the cache, and what the page takes from a phone."""

import io
import struct
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmarks.fuzzing.target import Target

from cuelens.page.steps.cues import RATE_HZ, check_voice
from cuelens.sound import clip, recording
from cuelens_models.errors import BadInput

_RATE = 8000
_SECONDS = 0.2


def _sound() -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    time_s = np.arange(round(_RATE * _SECONDS)) / _RATE
    return 0.3 * np.sin(2 * np.pi * 300 * time_s)


def _wav(width: int = 2, channels: int = 1, rate: int = _RATE) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        whole = np.repeat((_sound() * 2**31).astype("<i4"), channels)
        # The high bytes of each sample; those of 8 bits have no sign.
        pieces = whole.view(np.uint8).reshape(-1, 4)[:, 4 - width :]
        file.writeframes((pieces ^ 0x80 if width == 1 else pieces).tobytes())
    return target.getvalue()


def _coded() -> list[bytes]:
    """Return compressed recordings; none without soundfile."""
    try:
        import soundfile
    except (ImportError, OSError):
        return []
    forms = ("FLAC", None), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)
    contents = []
    for form, subtype in forms:
        target = io.BytesIO()
        soundfile.write(target, _sound(), _RATE, format=form, subtype=subtype)
        contents.append(target.getvalue())
    return contents


def _wavs() -> Sequence[bytes]:
    extensible = bytearray(_wav(3))
    extensible[16:20], extensible[20:22] = struct.pack("<I", 16), struct.pack("<H", 0xFFFE)
    return [
        *(_wav(width, channels) for width in (1, 2, 3, 4) for channels in (1, 2)),
        bytes(extensible),
        _wav(rate=RATE_HZ),
    ]


def _recording(content: bytes, folder: Path) -> None:
    path = folder / "mum.wav"
    path.write_bytes(content)
    recording.read(path)


def _wav_file(content: bytes, folder: Path) -> None:
    for read in (lambda: check_voice(content), lambda: _recording(content, folder)):
        try:
            read()
        except BadInput:
            continue
    path = folder / "phrase.wav"
    path.write_bytes(content)
    clip.levelled(clip.trimmed(clip.read(path)))


_CHUNKS = ("RIFF", "WAVE", "fmt ", "data", "LIST", "fact", "\\xfe\\xff")
TARGETS = (
    Target("wav", _wav_file, _wavs, _CHUNKS),
    Target("recording", _recording, lambda: [*_coded(), _wav()], ("fLaC", "OggS", "ID3", "Xing", "Info", "\\xff\\xfb")),
)
