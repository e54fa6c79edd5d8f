"""Earcons: soft, within the tolerated frequencies, and all different."""

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens.profile import language
from cuelens.sound.clip import LOUDNESS, Clip
from cuelens.sound.earcons import earcon, wake

WORDS = list(language.read("en").says())
EVERY = {"wake": wake(22050), "wake 8 kHz": wake(8000), "wake 48 kHz": wake(48000), **{w: earcon(w) for w in WORDS}}


def share(sound: Clip, low_hz: float, high_hz: float) -> float:
    """Return the share of a clip's energy between two frequencies."""
    power = np.square(np.abs(np.fft.rfft(sound.samples.astype(np.float64))))
    hz = np.fft.rfftfreq(len(sound.samples), 1 / sound.rate)
    return float(power[(hz >= low_hz) & (hz <= high_hz)].sum() / power.sum())


def envelope(sound: Clip, window_s: float = 0.005) -> NDArray[np.float64]:
    parts = np.array_split(np.abs(sound.samples.astype(np.float64)) / 32768, round(sound.seconds / window_s))
    return np.array([part.max() for part in parts])


@pytest.mark.parametrize("name", EVERY)
def test_a_tone_has_nothing_where_sound_is_hard_to_bear(name: str) -> None:
    sound = EVERY[name]
    assert share(sound, 0, 350) < 1e-4
    assert share(sound, 200, 300) < 1e-5
    assert share(sound, 1300, sound.rate) < 1e-4
    assert share(sound, 4000, sound.rate) < 1e-5
    assert share(sound, 400, 1200) > 0.999


@pytest.mark.parametrize("name", EVERY)
def test_a_tone_swells_and_dies_away_and_is_no_louder_than_a_phrase(name: str) -> None:
    sound = EVERY[name]
    heights = envelope(sound)
    assert heights[:2].max() < 0.3 * heights.max() > heights[-2:].max()
    assert np.abs(np.diff(heights)).max() < 0.35 * heights.max()
    assert heights.max() / np.sqrt(2) < 0.7 * LOUDNESS


def test_the_wake_tone_is_quiet_sounds_at_once_and_outlasts_what_a_sink_swallows() -> None:
    tone = wake(22050)
    assert 0.25 < tone.seconds < 0.35
    assert np.flatnonzero(tone.samples)[0] < 0.002 * tone.rate
    assert envelope(tone).max() < 0.5 * envelope(earcon("happy")).max()


def test_every_word_has_an_earcon_of_its_own() -> None:
    sounds = [earcon(word).samples.tobytes() for word in WORDS]
    assert len(set(sounds)) == len(WORDS)
    assert all(0.1 < earcon(word).seconds < 1.2 for word in WORDS)


def test_what_a_game_asks_for_ends_as_the_word_itself_sounds() -> None:
    for word in WORDS:
        if word.startswith("find "):
            itself = earcon(word.removeprefix("find ")).samples
            assert np.array_equal(earcon(word).samples[-len(itself) :], itself)
