"""The real sound pipeline: a real synthesiser, a real ALSA, a file where the sound card would be."""

import os
import shutil
import subprocess
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cuelens import clip
from cuelens.adapters.alsa import AlsaVoice
from cuelens.adapters.voice import prepare
from cuelens.clip import Clip
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_aplay = pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is not installed")

RATE = 22050
TONE = Clip((8000 * np.sin(np.arange(RATE // 5) * 0.2)).astype(np.int16), RATE)
LONG = Clip(np.tile(TONE.samples, 25), RATE)


def soon(condition: Callable[[], object]) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def children() -> list[str]:
    """The command lines of the aplay processes that this process has started and that still run."""
    found = subprocess.run(
        ["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if "aplay" in line and not line.startswith("Z")]


@needs_espeak
def test_phrases_are_rendered_trimmed_and_kept(tmp_path: Path) -> None:
    phrases = ["looks happy", "looks sad"]
    clips = prepare(phrases, "en", tmp_path / "phrases")
    for phrase in phrases:
        sound = clips[phrase]
        assert 0.4 < sound.seconds < 1.5
        assert np.abs(sound.samples).max() > 5000
        tail = np.abs(sound.samples[-round(0.05 * sound.rate) :])
        assert tail.max() > 0.02 * np.abs(sound.samples).max()
    assert not np.array_equal(clips["looks happy"].samples, clips["looks sad"].samples)
    assert len(list((tmp_path / "phrases").glob("*.wav"))) == 2


@needs_espeak
def test_a_kept_phrase_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = prepare(["looks happy"], "en", tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere")
    assert np.array_equal(
        prepare(["looks happy"], "en", tmp_path)["looks happy"].samples, before["looks happy"].samples
    )
    with pytest.raises(AbsentDevice, match="espeak-ng"):
        prepare(["looks sad"], "en", tmp_path)


@needs_espeak
def test_a_kept_phrase_that_was_cut_short_is_rendered_again(tmp_path: Path) -> None:
    before = prepare(["looks happy"], "en", tmp_path)["looks happy"]
    (kept,) = tmp_path.glob("*.wav")
    kept.write_bytes(kept.read_bytes()[:20])
    assert np.array_equal(prepare(["looks happy"], "en", tmp_path)["looks happy"].samples, before.samples)


@needs_espeak
def test_espeak_itself_renders_where_pyttsx3_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere")
    assert prepare(["looks happy"], "en", tmp_path)["looks happy"].seconds > 0.4


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable, match="phrases cannot be kept"):
        prepare(["looks happy"], "en", tmp_path / "file")


def test_silence_around_a_clip_is_trimmed_and_its_start_is_soft() -> None:
    quiet = np.zeros(RATE, np.int16)
    trimmed = clip.trimmed(Clip(np.concatenate([quiet, TONE.samples, quiet]), RATE))
    assert trimmed.seconds == pytest.approx(TONE.seconds + 0.02, abs=0.005)
    assert abs(int(trimmed.samples[0])) < 10


@pytest.mark.parametrize(
    ("channels", "width", "samples"), [(2, 2, b"\1\2" * 50), (1, 1, b"\1" * 50), (1, 2, b"\0" * 50), (1, 2, b"")]
)
def test_a_wav_that_is_no_phrase_is_refused(tmp_path: Path, channels: int, width: int, samples: bytes) -> None:
    path = tmp_path / "odd.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(RATE)
        file.writeframes(samples)
    with pytest.raises(BadInput, match=r"odd\.wav"):
        clip.read(path)


def test_a_file_that_is_no_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"ID3" + bytes(100))
    with pytest.raises(BadInput, match=r"song\.wav is no WAV"):
        clip.read(path)


@needs_aplay
def test_a_phrase_reaches_alsa_at_its_volume(tmp_path: Path) -> None:
    heard = tmp_path / "heard.raw"
    complaints: list[str] = []
    voice = AlsaVoice(lambda: {"hello": TONE}, f"file:FILE={heard},FORMAT=raw", 0.5, complaints.append)
    voice.say("hello")
    assert soon(lambda: heard.exists() and not children())
    voice.close()
    played = np.frombuffer(heard.read_bytes(), np.int16)
    assert np.abs(played).max() == pytest.approx(4000, rel=0.01)
    assert np.array_equal(played[: len(TONE.samples)], (TONE.samples * 0.5).astype(np.int16))
    assert complaints == []


@needs_aplay
def test_a_new_phrase_cuts_off_the_old_one_and_silence_ends_all(tmp_path: Path) -> None:
    fifo = tmp_path / "nobody-reads"
    os.mkfifo(fifo)
    complaints: list[str] = []
    voice = AlsaVoice(lambda: {"a": LONG, "b": LONG}, f"file:FILE={fifo},FORMAT=raw", 1.0, complaints.append)
    voice.say("a")
    assert soon(lambda: len(children()) == 1)
    first = children()
    voice.say("b")
    assert soon(lambda: len(children()) == 1)
    voice.silence()
    assert soon(lambda: not children())
    assert len(first) == 1
    assert complaints == []
    voice.close()
    voice.close()


@needs_aplay
def test_a_hung_sound_card_is_given_up_at_the_deadline_and_told_once(tmp_path: Path) -> None:
    fifo = tmp_path / "nobody-reads"
    os.mkfifo(fifo)
    complaints: list[str] = []
    voice = AlsaVoice(lambda: {"hello": TONE}, f"file:FILE={fifo},FORMAT=raw", 1.0, complaints.append)
    for _ in range(2):
        voice.say("hello")
        assert soon(children)
        assert soon(lambda: not children())
    assert len(complaints) == 1
    assert "hung" in complaints[0]


@needs_aplay
def test_a_machine_without_a_sound_card_says_so_once(tmp_path: Path) -> None:
    complaints: list[str] = []
    voice = AlsaVoice(lambda: {"hello": TONE}, "hw:CARD=NoSuchCard", 1.0, complaints.append)
    for _ in range(3):
        voice.say("hello")
        assert soon(lambda: not children())
    assert soon(lambda: complaints)
    assert len(complaints) == 1
    assert complaints[0].startswith("hw:CARD=NoSuchCard cannot be played to: ")


def test_phrases_that_cannot_be_rendered_are_told_once_and_nothing_is_said() -> None:
    def fail() -> dict[str, Clip]:
        raise AbsentDevice("no voice here")

    complaints: list[str] = []
    voice = AlsaVoice(fail, "default", 1.0, complaints.append)
    voice.say("hello")
    voice.say("hello")
    assert complaints == ["phrases cannot be made ready: no voice here"]
    assert children() == []


@needs_aplay
def test_nothing_is_said_after_the_end(tmp_path: Path) -> None:
    voice = AlsaVoice(lambda: {"hello": LONG}, f"file:FILE={tmp_path / 'x'},FORMAT=raw", 1.0, lambda _: None)
    voice.close()
    voice.say("hello")
    assert children() == []


def test_a_phrase_that_is_not_ready_in_time_is_dropped_not_said_late() -> None:
    ready = threading.Event()

    def slow() -> dict[str, Clip]:
        ready.wait(10)
        return {"hello": TONE}

    voice = AlsaVoice(slow, "null", 1.0, lambda _: None)
    voice.say("hello")
    assert children() == []
    ready.set()
