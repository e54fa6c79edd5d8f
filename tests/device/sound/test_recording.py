"""Recordings as phones and computers write them: what is taken, by content, and how to convert all others."""

import contextlib
import io
import random
import shlex
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens.sound import clip, cut_short, recording
from cuelens.sound.clip import LOUDNESS, Clip
from cuelens_models.errors import BadInput

RATE = 16000
TIME = np.arange(RATE) / RATE
HELLO = 0.3 * np.sin(2 * np.pi * 300 * TIME) * np.minimum(np.minimum(TIME, 1 - TIME) / 0.05, 1)
QUIET = np.zeros(RATE // 2)
FORMS = {
    "FLAC": {"format": "FLAC"},
    "FLAC, 24 bits": {"format": "FLAC", "subtype": "PCM_24"},
    "Ogg Vorbis": {"format": "OGG", "subtype": "VORBIS"},
    "Ogg Opus": {"format": "OGG", "subtype": "OPUS"},
    "MP3": {"format": "MP3"},
}


def coded(sound: Any, rate: int = RATE, **form: str) -> bytes:
    """Return a sound, float (n,) or (n, channels), as the bytes of a file."""
    soundfile = pytest.importorskip("soundfile", reason="soundfile comes with the extra pi")
    target = io.BytesIO()
    soundfile.write(target, sound, rate, **form)
    return target.getvalue()


def refusal(path: Path, content: bytes) -> str:
    """Return the sentence that refuses a recording, without its folder."""
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        recording.read(path)
    return str(caught.value).removeprefix(f"{path.parent}/")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["mum.bin", "mum.wav"])
def test_a_recording_is_taken_whatever_its_name_trimmed_and_as_loud_as_a_phrase(
    tmp_path: Path, form: dict[str, str], channels: int, name: str
) -> None:
    sound = np.concatenate([QUIET, HELLO, QUIET])
    path = tmp_path / name
    path.write_bytes(coded(np.repeat(sound[:, None], channels, axis=1), **form))
    read = recording.read(path)
    assert read.rate == RATE
    assert 0.9 < read.seconds < 1.1
    loud = max(np.sqrt(np.square(part / 32768).mean()) for part in np.array_split(read.samples, 5))
    assert loud == pytest.approx(LOUDNESS, rel=0.05)


@pytest.mark.parametrize("form", [form for name, form in FORMS.items() if name != "Ogg Opus"])
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_a_recording_keeps_its_rate(tmp_path: Path, form: dict[str, str], rate: int) -> None:
    time_s = np.arange(rate) / rate
    path = tmp_path / "mum"
    path.write_bytes(coded(0.3 * np.sin(2 * np.pi * 300 * time_s), rate, **form))
    read = recording.read(path)
    assert read.rate == rate
    heard_hz = np.abs(np.fft.rfft(read.samples)).argmax() / read.seconds
    assert heard_hz == pytest.approx(300, abs=3)


def syllables(seconds: float, strength: float) -> Any:
    """Return speech as bursts of 180 ms around a kilohertz, where A-weighting changes little, 60 ms apart."""
    time_s = np.arange(round(0.18 * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * hz * time_s) for hz in (800, 1000, 1500)) / 3
    one = np.concatenate([strength * tones * np.hanning(len(time_s)), np.zeros(round(0.06 * RATE))])
    return np.tile(one, round(seconds / 0.24))


@pytest.mark.parametrize(
    "loud", [0.8 * np.sin(2 * np.pi * 1000 * TIME[: RATE // 8]), syllables(0.24, 0.8)], ids=["a knock", "a syllable"]
)
def test_a_loud_beginning_of_soft_speech_is_no_louder_than_any_phrase_may_be(tmp_path: Path, loud: Any) -> None:
    path = tmp_path / "mum.wav"
    path.write_bytes(clip.wav(Clip((np.concatenate([loud, syllables(2.4, 0.15)]) * 32767).astype(np.int16), RATE)))
    power = np.square(recording.read(path).samples / 32768)
    loudest = np.convolve(power, np.ones(RATE // 8) / (RATE // 8), "valid").max()
    # 4 dB were computed with; A-weighting changes these tones by less than one.
    assert 3.5 < 10 * np.log10(loudest / LOUDNESS**2) < 5


def test_a_click_in_a_quiet_recording_stays_under_the_peak(tmp_path: Path) -> None:
    """Made as loud as a phrase, it would pass full scale, and its samples would change their sign."""
    sound = HELLO / 15
    sound[RATE // 2] = 1.0
    path = tmp_path / "click.wav"
    path.write_bytes(clip.wav(Clip((sound * 32767).astype(np.int16), RATE)))
    samples = recording.read(path).samples
    assert samples.max() == pytest.approx(0.9 * 32768, rel=0.01)
    assert samples.min() > -0.1 * 32768


@pytest.mark.parametrize(
    ("samples", "heard"),
    [([30_000, *[0] * 400], True), ([*[0] * 400, 30_000], True), ([30_000, -30_000], False), ([30_000], False)],
)
def test_a_click_beside_silence_is_a_sound_and_one_alone_is_none(
    tmp_path: Path, samples: list[int], *, heard: bool
) -> None:
    content = clip.wav(Clip(np.array(samples, np.int16), RATE))
    if heard:
        (tmp_path / "click.wav").write_bytes(content)
        assert recording.read(tmp_path / "click.wav").samples.any()
    else:
        # It is all fade.
        assert refusal(tmp_path / "click.wav", content) == "click.wav is silent"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\0\0\0\x20ftypM4A " + bytes(500), "an M4A, MP4 or 3gp file"),
        (b"\0\0\0\x18ftyp3gp4" + bytes(500), "an M4A, MP4 or 3gp file"),
        (b"\0\0\0\x18ftypmp42" + bytes(500), "an M4A, MP4 or 3gp file"),
        (b"\x1aE\xdf\xa3" + bytes(500), "a WebM file"),
        (b"#!AMR\n" + bytes(500), "an AMR file"),
        (b"#!AMR-WB\n" + bytes(500), "an AMR file"),
        (b"0&\xb2u\x8ef\xcf\x11" + bytes(500), "a WMA file"),
        (b"FORM\0\0\0\0AIFF" + bytes(500), "an AIFF file"),
        (b"caff\0\1\0\0" + bytes(500), "a CAF file"),
        (b"\xff\xf1\x50\x80" + bytes(500), "an AAC file"),
        (b"\xff\xf9\x50\x80" + bytes(500), "an AAC file"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(500), "no WAV, FLAC, Ogg or MP3"),
        (b"looks happy", "no WAV, FLAC, Ogg or MP3"),
        (b"\xff", "no WAV, FLAC, Ogg or MP3"),
    ],
)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("mum.m4a", "ffmpeg -i mum.m4a mum.wav"),
        ("mum", "ffmpeg -i mum mum.wav"),
        ("mum.wav", "ffmpeg -i mum.wav mum-pcm.wav"),
        ("mum.mp3", "ffmpeg -i mum.mp3 mum.wav"),
        ("my mum's.WAV", """ffmpeg -i 'my mum'"'"'s.WAV' 'my mum'"'"'s-pcm.wav'"""),
    ],
)
def test_any_other_kind_is_named_with_the_command_that_converts_it(
    tmp_path: Path, content: bytes, kind: str, name: str, command: str
) -> None:
    assert refusal(tmp_path / name, content) == f"{name} is {kind}: convert it with `{command}`"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("name", ["mum.m4a", "mum.aiff", "mum.mka"])
def test_the_command_converts(tmp_path: Path, name: str) -> None:
    source = tmp_path / "source.wav"
    source.write_bytes(clip.wav(Clip((HELLO * 32767).astype(np.int16), RATE)))
    foreign = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-ar", "48000", foreign], check=True)
    _, command, _ = refusal(foreign, foreign.read_bytes()).split("`")
    subprocess.run([*shlex.split(command), "-v", "error"], cwd=tmp_path, check=True)
    assert 0.9 < recording.read(tmp_path / "mum.wav").seconds < 1.1


@pytest.mark.parametrize(
    ("sound", "rate", "form", "sentence"),
    [
        (np.tile(HELLO, 20), RATE, "MP3", "lasts 20.0 s: expected 3 s at most"),
        (np.tile(HELLO, 20), RATE, "Ogg Vorbis", "lasts 20.0 s: expected 3 s at most"),
        (np.tile(HELLO, 41), RATE, "FLAC", "lasts over 40 s: expected 3 s at most"),
        (np.zeros(RATE), RATE, "MP3", "is silent"),
        (np.zeros(RATE), RATE, "FLAC", "is silent"),
        (HELLO / 100, RATE, "Ogg Vorbis", "is silent"),
        (np.repeat(HELLO[:, None], 6, axis=1), RATE, "FLAC", "has 6 channels: expected mono or stereo"),
        (HELLO, 96000, "FLAC", "has 96000 samples a second: expected 8000 to 48000"),
        (HELLO, 4000, "Ogg Vorbis", "has 4000 samples a second: expected 8000 to 48000"),
    ],
)
def test_a_recording_over_a_limit_is_refused_as_a_wav_is(
    tmp_path: Path, sound: Any, rate: int, form: str, sentence: str
) -> None:
    assert refusal(tmp_path / "mum.mp3", coded(sound, rate, **FORMS[form])) == f"mum.mp3 {sentence}"


def test_many_minutes_at_a_low_data_rate_do_not_fill_the_memory(tmp_path: Path) -> None:
    content = coded(np.zeros(8000 * 60 * 20), 8000, format="FLAC")
    tracemalloc.start()
    try:
        assert refusal(tmp_path / "mum.flac", content) == "mum.flac lasts over 40 s: expected 3 s at most"
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Twenty minutes of decoded samples are 77 MB.
    assert most_bytes < 10_000_000


@pytest.mark.parametrize(
    ("form", "kind"), [("Ogg Vorbis", "an Ogg file"), ("Ogg Opus", "an Ogg file"), ("MP3", "an MP3")]
)
def test_a_recording_without_its_end_is_refused(tmp_path: Path, form: str, kind: str) -> None:
    whole = coded(HELLO, **FORMS[form])
    remedy = "copy it again, or convert what is left with `ffmpeg -i mum mum.wav`"
    for end in (len(whole) // 3, len(whole) // 2, len(whole) - 200, len(whole) - 1):
        assert refusal(tmp_path / "mum", whole[:end]) == f"mum is {kind} that was cut short: {remedy}"
    # Some programs write a tag behind the end.
    (tmp_path / "mum").write_bytes(whole + b"TAG" + bytes(125))
    assert 0.9 < recording.read(tmp_path / "mum").seconds < 1.1


@pytest.mark.parametrize(
    ("content", "is_cut"),
    [
        (b"OggS\0\2", True),
        (b"OggS" + bytes(500), False),
        (b"OggS\0\2" + bytes(20) + b"\1\xff" + bytes(255), True),
        (b"OggS\0\6" + bytes(20) + b"\1\xff" + bytes(255), False),
        (b"OggS\0\6" + bytes(20) + b"\1\xff" + bytes(254), True),
        (b"OggS\0\6" + bytes(21), False),
        (b"ID3\4\0\0\0\0\1\0" + bytes(100), True),
        (b"ID3\4", False),
        (b"\xff\xfb\x90\x64" + bytes(413), False),
        (b"\xff\xfb\x90\x64" + bytes(412), True),
        (b"\xff\xfb\x00\x64" + bytes(100), False),
    ],
)
def test_the_lengths_in_a_file_tell_whether_it_is_whole(content: bytes, is_cut: bool) -> None:
    assert cut_short.is_cut_short(content) is is_cut


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(
    "options",
    [
        ("mum.mp3", "-b:a", "64k"),
        ("mum.mp3", "-b:a", "64k", "-write_xing", "0"),
        ("mum.mp3", "-q:a", "4", "-metadata", "title=mum", "-ar", "11025", "-write_id3v1", "1"),
        ("mum.mp3", "-f", "mp2", "-ar", "44100"),
        ("mum.mp3", "-f", "mp2", "-ar", "24000", "-b:a", "48k"),
        ("mum.ogg", "-c:a", "libvorbis"),
        ("mum.ogg", "-c:a", "libopus"),
    ],
    ids=" ".join,
)
def test_what_another_encoder_wrote_is_known_to_be_whole_or_not(tmp_path: Path, options: tuple[str, ...]) -> None:
    pytest.importorskip("soundfile", reason="soundfile comes with the extra pi")
    source = tmp_path / "source.wav"
    source.write_bytes(clip.wav(Clip((HELLO * 32767).astype(np.int16), RATE)))
    name, *rest = options
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", source, *rest, tmp_path / name], check=False)
    if done.returncode:
        pytest.skip("this ffmpeg has no such encoder")
    assert 0.9 < recording.read(tmp_path / name).seconds < 1.1
    assert "was cut short" in refusal(tmp_path / name, (tmp_path / name).read_bytes()[:-150])


@pytest.mark.parametrize(("head", "kind"), [(b"fLaC", "a FLAC file"), (b"OggS", "an Ogg file"), (b"ID3\4", "an MP3")])
def test_a_damaged_file_is_refused_with_a_remedy(tmp_path: Path, head: bytes, kind: str) -> None:
    pytest.importorskip("soundfile", reason="soundfile comes with the extra pi")
    sentence = f"mum.mp3 is {kind} that cannot be decoded: convert it with `ffmpeg -i mum.mp3 mum.wav`"
    assert refusal(tmp_path / "mum.mp3", head + bytes(500)) == sentence


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_file_cut_or_spoilt_anywhere_is_read_or_refused_and_says_no_more(
    tmp_path: Path, form: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    whole = coded(HELLO, **form)
    path = tmp_path / "mum"
    chance = random.Random(0)  # noqa: S311
    contents = [whole[:end] for end in range(0, len(whole), 211)]
    for _ in range(200):
        spoilt = bytearray(whole)
        for _ in range(chance.choice([1, 5, 50])):
            spoilt[chance.randrange(len(whole))] = chance.randrange(256)
        contents.append(bytes(spoilt))
    for content in contents:
        path.write_bytes(content)
        with contextlib.suppress(BadInput):
            assert recording.read(path).seconds <= 3
    assert capfd.readouterr() == ("", "")


def test_without_soundfile_a_wav_is_read_and_the_sentence_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    path = tmp_path / "mum.wav"
    path.write_bytes(clip.wav(Clip((HELLO * 32767).astype(np.int16), RATE)))
    assert 0.9 < recording.read(path).seconds < 1.1
    sentence = refusal(tmp_path / "mum.mp3", b"ID3\4" + bytes(500))
    pip = f"{sys.executable} -m pip install "
    assert sentence.startswith(f"mum.mp3 is an MP3, and soundfile is not installed: run `{pip}")
    assert sentence.endswith("` or `ffmpeg -i mum.mp3 mum.wav`")


def test_a_process_without_standard_error_reads_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "mum.mp3"
    path.write_bytes(coded(HELLO, format="MP3"))
    code = (
        "import os, sys, pathlib; from cuelens.sound import recording; os.close(2);"
        "print(recording.read(pathlib.Path(sys.argv[1])).rate)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == f"{RATE}\n"


def test_what_is_empty_or_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "mum.wav", b"") == "mum.wav is empty"
    assert (
        refusal(tmp_path / "large.mp3", b"ID3" + bytes(16_000_000)) == "large.mp3 is over 16 MB: expected 3 s at most"
    )
    (tmp_path / "link.mp3").symlink_to("/dev/zero")
    with pytest.raises(BadInput, match="is a device or a pipe"):
        recording.read(tmp_path / "link.mp3")
