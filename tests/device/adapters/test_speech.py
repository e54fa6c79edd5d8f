"""The sound pipeline with a real synthesiser and a real ALSA, which plays into a file instead of a sound card."""

import os
import shutil
import struct
import subprocess
import threading
import time
import tracemalloc
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens.adapters.alsa import AlsaVoice
from cuelens.adapters.fakes import MemoryVoice
from cuelens.adapters.speech import phrase, prepare
from cuelens.ports import Voice
from cuelens.profile import language
from cuelens.profile.cue_book import CueBook, CueEntry
from cuelens.profile.profile import Profile, Sound
from cuelens.sound import clip, earcons
from cuelens.sound.clip import Clip
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_aplay = pytest.mark.skipif(shutil.which("aplay") is None, reason="alsa-utils is not installed")

RATE = 22050
TONE = Clip((8000 * np.sin(np.arange(RATE // 5) * 0.2)).astype(np.int16), RATE)
LONG = Clip(np.tile(TONE.samples, 25), RATE)


def children() -> list[str]:
    """Return the command lines of this process's running aplay children."""
    processes = subprocess.run(
        ["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return [line for line in processes.stdout.splitlines() if "aplay" in line and not line.startswith("Z")]


def open_files() -> int:
    """Return the number of open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def ready(**clips: Clip) -> Callable[[], Iterator[tuple[str, Clip]]]:
    """Return a `prepare` whose clips are ready at once."""
    return lambda: iter(clips.items())


def into(file: Path) -> str:
    """Return an ALSA device that writes its samples into a file."""
    return f"file:FILE={file},FORMAT=raw"


def samples_in(file: Path, soon: Callable[..., bool]) -> NDArray[np.int16]:
    """Return the samples in a file, once aplay has ended."""
    assert soon(lambda: file.exists() and file.stat().st_size and not children())
    return np.frombuffer(file.read_bytes(), np.int16)


@pytest.fixture
def hung(tmp_path: Path) -> str:
    """An ALSA device that hangs when it is opened."""
    os.mkfifo(tmp_path / "nobody-reads")
    return into(tmp_path / "nobody-reads")


@pytest.fixture
def no_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any synthesiser."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere")


@needs_espeak
def test_phrases_are_rendered_trimmed_levelled_and_kept(tmp_path: Path) -> None:
    texts = ["looks happy", "looks sad"]
    clips = {text: phrase(text, "en", tmp_path / "phrases") for text in texts}
    for sound in clips.values():
        assert 0.4 < sound.seconds < 1.5
        assert 5000 < np.abs(sound.samples).max() < 0.9 * 32768
        tail = np.abs(sound.samples[-round(0.05 * sound.rate) :])
        assert tail.max() > 0.02 * np.abs(sound.samples).max()
    assert not np.array_equal(clips["looks happy"].samples, clips["looks sad"].samples)
    assert len(list((tmp_path / "phrases").glob("*.wav"))) == 2


@needs_espeak
def test_a_kept_phrase_is_not_rendered_again(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    before = phrase("looks happy", "en", tmp_path)
    request.getfixturevalue("no_voice")
    assert np.array_equal(phrase("looks happy", "en", tmp_path).samples, before.samples)
    with pytest.raises(AbsentDevice, match="espeak-ng"):
        phrase("looks happy", "de", tmp_path)


@needs_espeak
def test_a_kept_phrase_that_was_cut_short_is_rendered_again(tmp_path: Path) -> None:
    phrase("looks happy", "en", tmp_path)
    (file,) = tmp_path.glob("*.wav")
    file.write_bytes(file.read_bytes()[:20])
    assert phrase("looks happy", "en", tmp_path).seconds > 0.4
    assert clip.read(file).seconds > 0.4


@needs_espeak
def test_pyttsx3_renders_where_the_command_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyttsx3", reason="pyttsx3 comes with the extra pi")
    monkeypatch.setenv("PATH", "")
    assert phrase("looks happy", "en", tmp_path).seconds > 0.4


CUT_SHORT = """
import subprocess, wave

class Engine:
    def getProperty(self, name): return []
    def setProperty(self, name, value): pass
    def save_to_file(self, text, file): self.text, self.file = text, file
    def runAndWait(self):
        subprocess.run([ESPEAK, "-w", self.file, "--", self.text], check=True)
        with wave.open(self.file, "rb") as whole:
            form, samples = whole.getparams(), whole.readframes(whole.getframerate() // 5)
        with wave.open(self.file, "wb") as part:
            part.setparams(form)
            part.writeframes(samples)

def init(): return Engine()
"""


@needs_espeak
def test_what_pyttsx3_cut_short_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyttsx3.py").write_text(f"ESPEAK = {shutil.which('espeak-ng')!r}\n{CUT_SHORT}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AbsentDevice, match="espeak-ng"):
        phrase("looks happy", "en", tmp_path / "cut")
    assert not list((tmp_path / "cut").iterdir())


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (TONE.samples, True),
        (np.concatenate([TONE.samples, np.zeros(RATE // 10, np.int16)]), False),
        (np.concatenate([TONE.samples, np.zeros(RATE // 100, np.int16)]), True),
        (np.zeros(RATE, np.int16), False),
        (np.zeros(0, np.int16), False),
    ],
)
def test_a_clip_that_ends_in_the_middle_of_sound_is_known(samples: NDArray[np.int16], expected: bool) -> None:
    assert clip.is_cut_off(Clip(samples, RATE)) is expected


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unwritable, match="cannot be written to"):
        phrase("looks happy", "en", tmp_path / "file")


@needs_espeak
def test_every_word_is_made_ready_one_after_the_other(tmp_path: Path) -> None:
    clips = prepare(Profile(), tmp_path, tmp_path / "cache", pytest.fail)
    assert not (tmp_path / "cache").exists()
    assert next(clips)[0] == "happy"
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert ["happy", *(word for word, _ in clips)] == list(language.read("en").says())


@needs_espeak
def test_phrases_are_said_though_they_cannot_be_kept_and_that_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    complaints: list[str] = []
    clips = dict(prepare(Profile(), tmp_path, tmp_path / "file", complaints.append))
    assert len(clips) == len(language.read("en").says())
    (sentence,) = complaints
    assert sentence.endswith("phrases are rendered anew at each start")


@needs_espeak
def test_a_recording_is_played_and_one_that_went_is_told_and_its_phrase_said(tmp_path: Path) -> None:
    (tmp_path / "mum.wav").write_bytes(clip.wav(TONE))
    book = CueBook(happy=CueEntry(recording="mum.wav"), sad=CueEntry(recording="gone.wav"), fear=CueEntry(phrase=None))
    complaints: list[str] = []
    clips = dict(prepare(Profile(cues=book), tmp_path, tmp_path / "cache", complaints.append))
    assert clips["happy"].seconds == pytest.approx(TONE.seconds, abs=0.02)
    assert np.array_equal(clips["sad"].samples, phrase("looks sad", "en", tmp_path / "cache").samples)
    assert "fear" not in clips
    assert complaints == [f"{tmp_path / 'gone.wav'} is not there; the phrase is said in its place"]


@pytest.mark.usefixtures("no_voice")
def test_words_without_a_voice_are_told_once_and_keep_no_recording_from_being_played(tmp_path: Path) -> None:
    (tmp_path / "mum.wav").write_bytes(clip.wav(TONE))
    complaints: list[str] = []
    wearer = Profile(cues=CueBook(disgust=CueEntry(recording="mum.wav")))
    assert [word for word, _ in prepare(wearer, tmp_path, tmp_path / "cache", complaints.append)] == ["disgust"]
    assert complaints == ["no voice can be rendered: run `sudo apt install espeak-ng`"]


def test_words_that_cannot_be_rendered_for_want_of_a_folder_keep_no_other_from_being_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mum.wav").write_bytes(clip.wav(TONE))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    complaints: list[str] = []
    wearer = Profile(cues=CueBook(disgust=CueEntry(recording="mum.wav")))
    assert [word for word, _ in prepare(wearer, tmp_path, tmp_path / "cache", complaints.append)] == ["disgust"]
    assert complaints == [
        "no phrase can be rendered, for want of a folder for temporary files: No such file or directory"
    ]


def test_a_voice_that_renders_nothing_whole_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = tmp_path / "bin" / "espeak-ng"
    failing.parent.mkdir()
    failing.write_text("#!/bin/sh\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{failing.parent}:/bin")
    monkeypatch.setattr("sys.executable", "/nowhere")
    complaints: list[str] = []
    assert dict(prepare(Profile(), tmp_path, tmp_path / "cache", complaints.append)) == {}
    assert len(complaints) == 1
    assert complaints[0].startswith("espeak-ng rendered no whole phrase with the voice 'en' in 15 s")


@pytest.mark.usefixtures("no_voice")
def test_earcons_take_the_place_of_words_and_recordings(tmp_path: Path) -> None:
    book = CueBook(happy=CueEntry(recording="mum.wav"), sad=CueEntry(phrase=None))
    wearer = Profile(sound=Sound(say="earcons"), cues=book)
    clips = dict(prepare(wearer, tmp_path, tmp_path / "cache", pytest.fail))
    assert set(clips) == set(language.read("en").says()) - {"sad"}
    assert all(np.array_equal(clips[word].samples, earcons.earcon(word).samples) for word in clips)


def test_silence_around_a_clip_is_trimmed_and_its_ends_are_soft() -> None:
    quiet = np.zeros(RATE, np.int16)
    trimmed = clip.trimmed(Clip(np.concatenate([quiet, TONE.samples, quiet]), RATE))
    assert trimmed.seconds == pytest.approx(TONE.seconds + 0.02, abs=0.005)
    assert trimmed.samples[0] == trimmed.samples[-1] == 0


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


@pytest.mark.parametrize(
    ("rate", "extra"),
    [
        pytest.param(0, b"", id="no rate"),
        pytest.param(1, b"", id="one sample a second"),
        pytest.param(2**32 - 1, b"", id="no such rate"),
        pytest.param(RATE, b"junk\xff\0\0\0", id="a chunk that reaches beyond its file"),
    ],
)
def test_a_damaged_phrase_is_refused(tmp_path: Path, rate: int, extra: bytes) -> None:
    path = tmp_path / "damaged.wav"
    whole = clip.wav(Clip(np.array([1, -2, 3], np.int16), RATE))
    path.write_bytes(whole[:12] + extra + whole[12:24] + struct.pack("<I", rate) + whole[28:])
    with pytest.raises(BadInput, match=r"damaged\.wav"):
        clip.read(path)


def test_a_phrase_that_ends_within_a_sample_is_read_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(clip.wav(Clip(np.array([1, -2, 3], np.int16), RATE))[:-1])
    assert clip.read(path).samples.tolist() == [1, -2]


def test_a_phrase_takes_no_more_memory_than_its_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    whole = clip.wav(Clip(np.array([1, -2, 3], np.int16), RATE))
    # The lengths of the file and of its samples.
    path.write_bytes(whole[:4] + b"\xff\xff\xff\xff" + whole[8:40] + b"\x00\xff\xff\xff" + whole[44:])
    tracemalloc.start()
    samples = clip.read(path).samples.tolist()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert samples == [1, -2, 3]
    assert most < 1_000_000


def test_silence_stays_silent() -> None:
    assert not clip.levelled(Clip(np.zeros(10, np.int16), RATE)).samples.any()


def test_a_file_that_is_no_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(b"ID3" + bytes(100))
    with pytest.raises(BadInput, match=r"song\.wav is no WAV"):
        clip.read(path)


@needs_aplay
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_the_wake_tone_and_then_the_whole_phrase_reach_alsa_in_one_stream_at_its_volume(
    rate: int, tmp_path: Path, soon: Callable[..., bool]
) -> None:
    output = tmp_path / "output.raw"
    complaints: list[str] = []
    voice = AlsaVoice(ready(hello=Clip(TONE.samples, rate)), into(output), 0.5, complaints.append)
    voice.say("hello")
    played = samples_in(output, soon)
    voice.close()
    wake = earcons.wake(rate).samples
    assert np.array_equal(played[: len(wake)], (wake * 0.5).astype(np.int16))
    assert played[: rate // 500].any()
    spoken = played[len(wake) : len(wake) + len(TONE.samples)]
    assert np.array_equal(spoken, (TONE.samples * 0.5).astype(np.int16))
    assert complaints == []


@needs_aplay
@needs_espeak
def test_a_phrase_is_said_while_others_are_still_being_rendered(tmp_path: Path, soon: Callable[..., bool]) -> None:
    output = tmp_path / "output.raw"
    go_on = threading.Event()

    def slow() -> Iterator[tuple[str, Clip]]:
        yield "happy", TONE
        go_on.wait(10)
        yield "sad", TONE

    voice = AlsaVoice(slow, into(output), 1.0, pytest.fail)
    voice.say("sad")
    assert not output.exists()
    voice.say("happy")
    assert samples_in(output, soon).any()
    output.unlink()
    go_on.set()
    voice.say("sad")
    assert samples_in(output, soon).any()
    voice.close()


@needs_aplay
def test_a_word_that_becomes_ready_in_a_moment_is_waited_for_unless_silence_is_asked_for(
    tmp_path: Path, soon: Callable[..., bool]
) -> None:
    output = tmp_path / "output.raw"
    go_on = threading.Event()

    def slow() -> Iterator[tuple[str, Clip]]:
        go_on.wait(10)
        yield "happy", TONE

    voice = AlsaVoice(slow, into(output), 1.0, pytest.fail)
    saying = threading.Thread(target=voice.say, args=("happy",))
    saying.start()
    while saying.is_alive():
        voice.silence()
    go_on.set()
    time.sleep(0.1)
    assert not output.exists()
    voice.say("happy")
    assert samples_in(output, soon).any()
    voice.close()


@needs_aplay
def test_a_new_phrase_cuts_off_the_old_one_and_silence_ends_all(hung: str, soon: Callable[..., bool]) -> None:
    complaints: list[str] = []
    voice = AlsaVoice(ready(a=LONG, b=LONG), hung, 1.0, complaints.append)
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
def test_a_hundred_phrases_at_once_leave_nothing_behind(hung: str, soon: Callable[..., bool]) -> None:
    # Those of the test before may still be about to end.
    assert soon(lambda: not {"attend aplay", "render phrases"} & {thread.name for thread in threading.enumerate()})
    files, threads = open_files(), set(threading.enumerate())
    complaints: list[str] = []
    voice = AlsaVoice(ready(a=LONG), hung, 1.0, complaints.append)
    for _ in range(100):
        voice.say("a")
    assert soon(lambda: len(children()) <= 1)
    voice.close()
    assert soon(lambda: open_files() <= files and set(threading.enumerate()) <= threads)
    assert children() == []
    assert complaints == []


@needs_aplay
def test_a_hung_sound_card_is_given_up_at_the_deadline_and_told_once(hung: str, soon: Callable[..., bool]) -> None:
    complaints: list[str] = []
    voice = AlsaVoice(ready(hello=TONE), hung, 1.0, complaints.append)
    for _ in range(2):
        voice.say("hello")
        assert soon(children)
        assert soon(lambda: not children())
    (sentence,) = complaints
    assert "hung" in sentence


@needs_aplay
def test_a_machine_without_a_sound_card_says_so_once(soon: Callable[..., bool]) -> None:
    complaints: list[str] = []
    voice = AlsaVoice(ready(hello=TONE), "hw:CARD=NoSuchCard", 1.0, complaints.append)
    for _ in range(3):
        voice.say("hello")
        assert soon(lambda: not children())
    assert soon(lambda: complaints)
    assert len(complaints) == 1
    assert complaints[0].startswith("hw:CARD=NoSuchCard cannot be played to: ")


@needs_aplay
def test_what_breaks_while_clips_are_made_ready_is_told_and_those_that_are_there_are_said(
    tmp_path: Path, soon: Callable[..., bool]
) -> None:
    def fail() -> Iterator[tuple[str, Clip]]:
        yield "hello", TONE
        raise BadInput("no language here")

    output = tmp_path / "output.raw"
    complaints: list[str] = []
    voice = AlsaVoice(fail, into(output), 1.0, complaints.append)
    voice.say("goodbye")
    assert complaints == ["phrases cannot be made ready: no language here"]
    voice.say("hello")
    assert samples_in(output, soon).any()


@needs_aplay
def test_nothing_is_said_after_the_end_nor_made_ready() -> None:
    words: list[str] = []
    go_on = threading.Event()

    def slow() -> Iterator[tuple[str, Clip]]:
        for word in ("hello", "goodbye"):
            go_on.wait(10)
            words.append(word)
            yield word, LONG

    voice = AlsaVoice(slow, "null", 1.0, pytest.fail)
    voice.close()
    go_on.set()
    voice.say("hello")
    voice.say("goodbye")
    assert children() == []
    assert words == ["hello"]


def test_a_phrase_that_is_not_ready_in_time_is_dropped_not_said_late() -> None:
    go_on = threading.Event()

    def slow() -> Iterator[tuple[str, Clip]]:
        go_on.wait(10)
        yield "hello", TONE

    voice = AlsaVoice(slow, "null", 1.0, pytest.fail)
    voice.say("hello")
    assert children() == []
    go_on.set()


@pytest.fixture(params=["memory", pytest.param("alsa", marks=needs_aplay)])
def any_voice(request: pytest.FixtureRequest, hung: str) -> tuple[Voice, Callable[[], bool]]:
    """Each voice, and whether it is speaking. The card hangs, so a phrase does not end by itself."""
    if request.param == "memory":
        memory = MemoryVoice()
        return memory, lambda: memory.speaking
    return AlsaVoice(ready(happy=LONG, sad=LONG), hung, 1.0, pytest.fail), lambda: bool(children())


def test_any_voice_speaks_is_silenced_and_speaks_again(
    any_voice: tuple[Voice, Callable[[], bool]], soon: Callable[..., bool]
) -> None:
    voice, speaking = any_voice
    voice.silence()
    for word in ("happy", "sad", "sad"):
        voice.say(word)
        assert soon(speaking)
    voice.silence()
    assert soon(lambda: not speaking())
    voice.say("happy")
    assert soon(speaking)
    voice.close()
    assert soon(lambda: not speaking())
    voice.close()
