"""Earcons, a few soft tones in place of a word; and the wake tone, which wakes a sound sink before each clip.

Autistic children rated 250 Hz and 8 kHz most unpleasant (docs/decisions/0005). All tones are pure sines without
harmonics, between 440 and 1047 Hz.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens.sound.clip import LOUDNESS, Clip

_RATE: Final = 22050
_EDGE_S: Final = 0.04
"""Length of the fade-in and of the fade-out of a tone."""
_PAUSE_S: Final = 0.03
_SHORT_S: Final = 0.16
_LONG_S: Final = 0.32
_LEVEL: Final = 0.6
"""Factor on the loudness of a phrase."""

_WAKE_HZ: Final = 480.0
_WAKE_S: Final = 0.3
"""Longer than the first quarter of a second, which sinks swallow."""
_WAKE_LEVEL: Final = 0.2

_A4, _C5, _D5, _E5, _G5, _A5, _C6 = 440.0, 523.25, 587.33, 659.26, 783.99, 880.0, 1046.5
Tone = tuple[float, float]
"""Frequency in Hz, length in seconds."""

_EXPRESSIONS: Final[dict[str, tuple[Tone, ...]]] = {
    "happy": ((_C5, _SHORT_S), (_G5, _LONG_S)),  # rises
    "surprise": ((_C5, _SHORT_S), (_C6, _SHORT_S)),  # leaps up
    "sad": ((_E5, _LONG_S), (_A4, _LONG_S)),  # sinks, slowly
    "angry": ((_A4, _SHORT_S), (_A4, _SHORT_S)),  # low, twice
    "disgust": ((_A5, _SHORT_S), (_A4, _SHORT_S)),  # leaps down
    "fear": ((_C6, _SHORT_S), (_C6, _SHORT_S)),  # high, twice
    "smile": ((_E5, _SHORT_S), (_G5, _LONG_S)),  # rises a little
    "frown": ((_G5, _SHORT_S), (_E5, _LONG_S)),  # falls a little
}
_FIND: Final[Tone] = (_D5, _LONG_S)
"""First tone of the words "find ..." of a game."""
_EARCONS: Final[dict[str, tuple[Tone, ...]]] = {
    **_EXPRESSIONS,
    **{f"find {word}": (_FIND, *tones) for word, tones in _EXPRESSIONS.items()},
    "neutral": ((_D5, _LONG_S), (_D5, _LONG_S)),  # stays, slowly
    "contempt": ((_D5, _SHORT_S), (_D5, _SHORT_S), (_A4, _LONG_S)),  # stays, then falls
    "unsure": ((_D5, _SHORT_S), (_E5, _SHORT_S), (_D5, _SHORT_S)),  # to and fro
    "face": ((_C5, _SHORT_S), (_E5, _SHORT_S), (_G5, _SHORT_S)),  # three steps up
    "nobody": ((_G5, _SHORT_S), (_E5, _SHORT_S), (_C5, _SHORT_S)),  # three steps down
    **{str(digit): ((_E5, _SHORT_S),) * digit for digit in range(1, 7)},  # as many tones as a code's digit says
    "stopped": ((_G5, _SHORT_S), (_E5, _SHORT_S), (_C5, _LONG_S), (_A4, _LONG_S)),  # four steps down, and stays there
}


def wake(rate: int) -> Clip:
    """Return the quiet tone that precedes every clip, 0.3 s. rate: samples a second."""
    return Clip(_int16(_tone((_WAKE_HZ, _WAKE_S), rate) * _WAKE_LEVEL), rate)


def earcon(word: str) -> Clip:
    """Return the tones that stand for a word. Words differ in how their tones rise, fall, leap or stay."""
    pause = np.zeros(round(_PAUSE_S * _RATE))
    parts = [part for tone in _EARCONS[word] for part in (_tone(tone, _RATE), pause)]
    return Clip(_int16(np.concatenate(parts[:-1]) * _LEVEL), _RATE)


def _tone(tone: Tone, rate: int) -> NDArray[np.float64]:
    """Return a sine as loud as a phrase, with raised-cosine fades."""
    frequency_hz, length_s = tone
    sine = np.sin(2 * np.pi * frequency_hz * np.arange(round(length_s * rate)) / rate)
    edge = (1 - np.cos(np.linspace(0, np.pi, round(_EDGE_S * rate)))) / 2
    sine[: len(edge)] *= edge
    sine[-len(edge) :] *= edge[::-1]
    loud: NDArray[np.float64] = sine * (math.sqrt(2) * LOUDNESS)
    return loud


def _int16(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    return (sound * 32767).astype(np.int16)
