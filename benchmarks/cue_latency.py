"""Latency of outputs in milliseconds: from a cue to its first sound or its light, and from a press to its light.

    python benchmarks/cue_latency.py [--cues 100]

Sound: the real player writes to an ALSA device that is a FIFO; a thread reads the FIFO and takes the time of the first
sample that is not zero. Phrases are rendered beforehand, as on the glasses. Light: gpiozero's mock pins, timed at the
first value above zero, alone and beside a hanging sound card (a FIFO that nobody reads). Press: from the edge on a mock
pin to the light, while another thread is stuck in a cascade of several seconds.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cuelens.adapters.alsa import AlsaVoice
from cuelens.adapters.gpio import Gpio
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.speech import prepare
from cuelens.camera.in_order import InOrder
from cuelens.frame import Frame
from cuelens.ports import Light, Voice
from cuelens.profile.cue_book import CueBook
from cuelens.profile.profile import Profile, Sound
from cuelens.runtime.button import ButtonThread, Gestures
from cuelens.runtime.event_stream import EventStream
from cuelens.runtime.outputs import Outputs
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Pins
from cuelens.types import Cue

WEARER = Profile(sound=Sound(on=True))
WORDS = list(CueBook().entries())
APART_S = 0.5
"""Pause between the end of a light and the next cue, so that the flash limit does not delay the next light."""
QUIET_S = 0.2


def outputs(light: Light | None, voice: Voice | None) -> Outputs:
    return Outputs(WEARER, light, voice, lambda kind, detail: print(f"  told: {kind}: {detail}"))


def cue(word: str, output: str) -> Cue:
    return Cue(t=0.0, kind="answer", track=1, word=word, outputs=(output,))


class FirstSound:
    """Reads a FIFO and takes the time of the first sample that is not zero."""

    def __init__(self, fifo: Path) -> None:
        os.mkfifo(fifo)
        self._reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        # With a writer of our own open, the end of a child is not the end of the file.
        self._writer = os.open(fifo, os.O_WRONLY)
        os.set_blocking(self._reader, True)
        self._heard = threading.Event()
        self._at_s = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def arm(self) -> None:
        """Start waiting for the next sound."""
        self._heard.clear()

    def wait(self) -> float:
        """Return the time of the sound, in seconds of `time.perf_counter`."""
        assert self._heard.wait(10), "no sound came"
        return self._at_s

    def _read(self) -> None:
        while True:
            if os.read(self._reader, 1 << 16).strip(b"\0") and not self._heard.is_set():
                self._at_s = time.perf_counter()
                self._heard.set()


def voice(folder: Path, phrases: Path, complain: Callable[[str], None]) -> AlsaVoice:
    return AlsaVoice(
        lambda: prepare(WEARER, folder, phrases, complain), f"file:FILE={folder}/fifo,FORMAT=raw", 0.5, complain
    )


def sound_ms(folder: Path, phrases: Path, cues: int) -> list[float]:
    first = FirstSound(folder / "fifo")
    channels = outputs(None, voice(folder, phrases, print))
    times = []
    for number in range(cues):
        first.arm()
        began_s = time.perf_counter()
        channels.give(cue(WORDS[number % len(WORDS)], "voice"))
        times.append((first.wait() - began_s) * 1000)
        # Until the child has written the whole sound.
        time.sleep(QUIET_S)
    channels.close()
    # The first cue waits until its phrase is loaded.
    return times[1:]


def light_ms(cues: int, hung: AlsaVoice | None) -> list[float]:
    pins = Pins(factory="mock")
    gpio = Gpio(pins)
    channels = outputs(gpio.light(), hung)
    lamps = [gpio.factory.pin(number) for number in pins.light().values()]
    times = []
    for number in range(cues):
        word = WORDS[number % len(WORDS)]
        if hung:
            channels.give(cue(word, "voice"))
        began_s = time.perf_counter()
        channels.give(cue(word, "light"))
        while not any(lamp.state > 0 for lamp in lamps):
            time.sleep(0.0002)
        times.append((time.perf_counter() - began_s) * 1000)
        while any(lamp.state > 0 for lamp in lamps):
            time.sleep(0.01)
        time.sleep(APART_S)
    channels.close()
    gpio.close()
    return times


class StuckBeat:
    """A thread that makes one long OpenCV call after another. These calls release the interpreter's lock."""

    def __init__(self) -> None:
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Stop after the current call."""
        self._over = True
        self._thread.join()

    def _run(self) -> None:
        detector = HaarDetector()
        picture = np.random.default_rng(0).integers(0, 255, (1080, 1920), dtype=np.uint8)
        while not self._over:
            detector.detect(picture, 20, 1000)


class NoFrames:
    """A source without frames."""

    name = "nothing"

    def read(self, timeout_s: float) -> Frame | None:
        """Report the end of the source."""
        return None

    def close(self) -> None:
        """Nothing to close."""


def press_ms(presses: int) -> list[float]:
    pins = Pins(factory="mock")
    gpio = Gpio(pins)
    channels = outputs(gpio.light(), None)
    button = gpio.button()
    assert button
    assert pins.button != "none"
    contact = gpio.factory.pin(pins.button)
    lamps = [gpio.factory.pin(number) for number in pins.light().values()]
    controls = ButtonThread(button, Gestures(Wishes(), channels, InOrder(NoFrames()), EventStream()))
    beat = StuckBeat()
    times = []
    for _ in range(presses):
        pressed_s = time.perf_counter()
        contact.drive_low()
        while not any(lamp.state > 0 for lamp in lamps):
            time.sleep(0.0002)
        times.append((time.perf_counter() - pressed_s) * 1000)
        time.sleep(0.1)
        contact.drive_high()
        while any(lamp.state > 0 for lamp in lamps):
            time.sleep(0.01)
        time.sleep(APART_S)
    beat.end()
    controls.close()
    channels.close()
    gpio.close()
    return times


def summary(times: list[float]) -> str:
    return f"p50 {statistics.median(times):.1f} ms, p95 {statistics.quantiles(times, n=20)[-1]:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=100)
    cues = parser.parse_args().cues
    with (
        tempfile.TemporaryDirectory() as phrases,
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as hung,
    ):
        for _ in prepare(WEARER, Path(folder), Path(phrases), print):
            pass
        print(f"spoken cue asked for to first sound: {summary(sound_ms(Path(folder), Path(phrases), cues))}")
        print(f"cue asked for to light, alone: {summary(light_ms(cues, None))}")
        os.mkfifo(Path(hung) / "fifo")
        stuck = voice(Path(hung), Path(phrases), lambda _: None)
        print(f"cue asked for to light, beside a sound card that hangs: {summary(light_ms(cues, stuck))}")
        print(f"press to light, beside a beat that is stuck: {summary(press_ms(cues))}")


if __name__ == "__main__":
    main()
