"""WAV recordings: the formats that are read, and the sentences for all others."""

import contextlib
import io
import struct
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens.sound import clip, recording
from cuelens.sound.clip import LOUDNESS, Clip
from cuelens_models.errors import BadInput

RATE = 16000
TIME = np.arange(RATE) / RATE
HELLO = 0.3 * np.sin(2 * np.pi * 300 * TIME) * np.minimum(np.minimum(TIME, 1 - TIME) / 0.05, 1)
QUIET = np.zeros(RATE // 2)


def pcm(sound: NDArray[np.float64], width: int = 2) -> bytes:
    """Return the bytes of samples, -1 to 1, in a WAV."""
    if width == 1:
        return (sound * 127 + 128).astype(np.uint8).tobytes()
    whole = (sound * (2**31 - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)
    return whole[:, 4 - width :].tobytes()


def wav(data: bytes, width: int = 2, channels: int = 1, rate: int = RATE) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return target.getvalue()


def riff(form: bytes, data: bytes, before: bytes = b"") -> bytes:
    body = (
        b"WAVE" + before + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(kind: int, bits: int, channels: int = 1, rate: int = RATE, sub: int | None = None) -> bytes:
    width = channels * bits // 8
    plain = struct.pack("<HHIIHH", kind, channels, rate, rate * width, width, bits)
    return plain if sub is None else plain + struct.pack("<HHIH", 22, bits, 4, sub) + bytes(14)


def loudness(sound: Clip) -> float:
    """Return the root mean square of the loudest fifth of the clip."""
    return float(max(np.sqrt(np.square(part / 32768).mean()) for part in np.array_split(sound.samples, 5)))


@pytest.fixture
def mum(tmp_path: Path) -> Path:
    return tmp_path / "mum.wav"


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_a_recording_is_read_trimmed_and_made_as_loud_as_a_phrase(
    width: int, channels: int, rate: int, mum: Path
) -> None:
    sound = np.concatenate([QUIET, HELLO, QUIET])
    mum.write_bytes(wav(pcm(np.repeat(sound, channels), width), width, channels, rate))
    read = recording.read(mum)
    assert read.rate == rate
    assert 0.9 * RATE < len(read.samples) < 1.1 * RATE
    assert loudness(read) == pytest.approx(LOUDNESS, rel=0.05)
    assert 0.1 < np.abs(read.samples / 32768).max() < 0.9


def test_bits_that_a_24_bit_recorder_marks_as_extensible_are_read_with_whatever_stands_before_them(mum: Path) -> None:
    plain = mum.with_name("plain.wav")
    plain.write_bytes(wav(pcm(HELLO, 3), 3))
    note = b"LIST" + struct.pack("<I", 5) + b"words\0"
    mum.write_bytes(riff(form(0xFFFE, 24, sub=1), pcm(HELLO, 3), before=note))
    assert np.array_equal(recording.read(mum).samples, recording.read(plain).samples)


def test_soft_and_loud_recordings_come_out_alike(mum: Path) -> None:
    mum.write_bytes(wav(pcm(HELLO)))
    loud = recording.read(mum)
    mum.write_bytes(wav(pcm(HELLO / 10)))
    assert loudness(recording.read(mum)) == pytest.approx(loudness(loud), rel=0.01)


def test_a_click_stays_under_full_scale(mum: Path) -> None:
    click = HELLO / 30
    click[len(click) // 2] = 1.0
    mum.write_bytes(wav(pcm(click)))
    assert np.abs(recording.read(mum).samples).max() <= 0.9 * 32768


def test_both_ends_are_soft_even_if_the_recording_begins_and_ends_loud(mum: Path) -> None:
    mum.write_bytes(wav(pcm(0.5 * np.cos(2 * np.pi * 300 * TIME))))
    samples = np.abs(recording.read(mum).samples.astype(int))
    assert samples[0] == samples[-1] == 0
    assert samples[:20].max() < 0.2 * samples.max() > samples[-20:].max()


def test_a_constant_that_a_cheap_microphone_adds_is_taken_away(mum: Path) -> None:
    mum.write_bytes(wav(pcm(np.concatenate([QUIET, HELLO, QUIET]) + 0.2)))
    read = recording.read(mum)
    assert read.seconds < 1.05
    assert abs(read.samples.mean()) < 50


def test_a_phrase_in_a_long_silence_is_found(mum: Path) -> None:
    mum.write_bytes(wav(pcm(np.concatenate([np.zeros(38 * RATE), HELLO]))))
    assert recording.read(mum).seconds < 1.1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (wav(b"\x80\xff" * 7_900_000, width=1, rate=8000), "lasts 1975.0 s: expected 3 s at most"),
        (wav(bytes(2 * 41 * 8000), rate=8000), "lasts 41.0 s: expected 3 s at most"),
        (
            b"RIFF\0\0\0\0WAVE" + b"".join(struct.pack("<II", name, 0) for name in range(200_000)),
            "was cut short: copy it again",
        ),
    ],
    ids=["half an hour", "41 s of silence", "many parts"],
)
def test_what_would_fill_the_memory_is_refused_before_it_is_decoded(content: bytes, sentence: str, mum: Path) -> None:
    mum.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput) as caught:
            recording.read(mum)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(caught.value) == f"{mum} {sentence}"
    # Only the file itself is in memory.
    assert most_bytes < len(content) + 1_000_000


FLOAT = "holds 32-bit floating point: save it as PCM, 16 bits"
BAD = {
    "head only": (wav(pcm(HELLO))[:20], "was cut short: copy it again"),
    "no sound part": (wav(pcm(HELLO))[:36], "was cut short: copy it again"),
    "truncated": (wav(pcm(HELLO))[:9000], "was cut short: copy it again"),
    "no samples": (wav(b""), "is silent"),
    "silent": (wav(bytes(2 * RATE)), "is silent"),
    "muted microphone": (wav(pcm(HELLO / 100)), "is silent"),
    "both sides cancel": (wav(pcm(np.stack([HELLO, -HELLO], axis=1).ravel()), channels=2), "is silent"),
    "20 s": (wav(pcm(np.tile(HELLO, 20))), "lasts 20.0 s: expected 3 s at most"),
    "float": (riff(form(3, 32), bytes(4000)), FLOAT),
    "extensible float": (riff(form(0xFFFE, 32, sub=3), bytes(4000)), FLOAT),
    "mu-law": (riff(form(7, 8), bytes(4000)), "holds 8-bit mu-law: save it as PCM, 16 bits"),
    "12 bits": (riff(form(1, 12), bytes(4000)), "holds 12-bit format 1: save it as PCM, 16 bits"),
    "surround": (wav(pcm(np.repeat(HELLO, 6)), channels=6), "has 6 channels: expected mono or stereo"),
    "slow": (wav(pcm(HELLO), rate=4000), "has 4000 samples a second: expected 8000 to 48000"),
    "fast": (wav(pcm(HELLO), rate=96000), "has 96000 samples a second: expected 8000 to 48000"),
    "half a sample": (riff(form(1, 16), bytes(4001)), "is damaged: save it again as WAV (PCM)"),
    "too large": (bytes(16_000_001), "is over 16 MB: expected 3 s at most"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_played_is_refused_in_a_sentence(content: bytes, sentence: str, mum: Path) -> None:
    mum.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        recording.read(mum)
    assert str(caught.value) == f"{mum} {sentence}"


@pytest.mark.parametrize("name", ["missing.wav", ".", "a" * 300])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"is not there|cannot be read"):
        recording.read(tmp_path / name)


def test_any_wav_cut_anywhere_is_refused_or_read_and_nothing_else(mum: Path) -> None:
    whole = wav(pcm(HELLO))
    for end in [*range(60), *range(60, len(whole), 997)]:
        mum.write_bytes(whole[:end])
        with pytest.raises(BadInput):
            recording.read(mum)
    for place in range(44):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        mum.write_bytes(bytes(spoilt))
        with contextlib.suppress(BadInput):
            assert recording.read(mum).seconds <= 3


def test_a_phrase_and_a_recording_are_equally_loud(mum: Path) -> None:
    mum.write_bytes(wav(pcm(HELLO)))
    rendered = clip.levelled(Clip((HELLO * 9000).astype(np.int16), RATE))
    assert loudness(recording.read(mum)) == pytest.approx(loudness(rendered), rel=0.05)
