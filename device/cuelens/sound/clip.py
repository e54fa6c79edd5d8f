"""Clips, sound as samples: reading, trimming, levelling and writing WAV."""

import io
import wave
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuelens.sound.limits import check_form
from cuelens_models import regular_file
from cuelens_models.errors import BadInput

_AUDIBLE: Final = 0.02
"""Silence threshold, as a fraction of the peak."""
_MARGIN_S: Final = 0.01
_END_S: Final = 0.05
"""Part of a rendered clip that is silent at its end."""
_WINDOW_S: Final = 0.02
LOUDNESS: Final = 0.11
"""Loudness of every phrase: root mean square of its loud part, as a fraction of full scale. No phrase clips at it."""
LOUDEST_DB: Final = 4.0
"""Most by which the loudest eighth of a second is over LOUDNESS, A-weighted: docs/safety.md computes with it."""
_LOUDEST_S: Final = 0.125
_PEAK: Final = 0.9
_MOST_BYTES: Final = 16_000_000
"""Largest file of a phrase: many times the longest."""


class Clip(msgspec.Struct, frozen=True):
    """Mono sound. samples: int16 (n,). rate: samples a second."""

    samples: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return len(self.samples) / self.rate


def read(path: Path) -> Clip:
    """Read a mono 16-bit WAV of 8 to 48 kHz. Raises BadInput if the file is another format, or silent."""
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}")
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise wave.Error("it is not mono with 16 bits")
            check_form(1, file.getframerate())
            # A damaged length asks for up to 4 GB, whatever is there.
            content = file.readframes(min(file.getnframes(), path.stat().st_size))
            # A file that was cut short may end within a sample.
            clip = Clip(np.frombuffer(content[: len(content) // 2 * 2], np.int16), file.getframerate())
    except (wave.Error, EOFError, OSError, RuntimeError, BadInput) as error:
        # `wave` raises a RuntimeError at a chunk that reaches beyond the one that holds it.
        raise BadInput(f"{path} is no WAV file that can be read: {error}") from error
    if len(clip.samples) == 0 or not clip.samples.any():
        raise BadInput(f"{path} is silent")
    return clip


def trimmed(clip: Clip) -> Clip:
    """Return the clip without leading and trailing silence (a synthesiser leaves 0.3 s), with a fade at both ends."""
    height = np.abs(clip.samples.astype(np.int32))
    loud = np.flatnonzero(height > _AUDIBLE * height.max())
    margin = round(_MARGIN_S * clip.rate)
    sound = clip.samples[max(int(loud[0]) - margin, 0) : int(loud[-1]) + margin].astype(np.float64)
    # The fade lies in the margin: it weakens sound only if the clip begins or ends without silence.
    ramp = np.linspace(0, 1, min(margin, len(sound)))
    sound[: len(ramp)] *= ramp
    sound[len(sound) - len(ramp) :] *= ramp[::-1]
    return Clip(sound.astype(np.int16), clip.rate)


def is_cut_off(clip: Clip) -> bool:
    """Whether a rendered clip ends in the middle of sound: a synthesiser leaves silence behind the last word."""
    height = np.abs(clip.samples.astype(np.int32))
    end = height[-round(_END_S * clip.rate) :]
    return bool(height.size) and bool((end > _AUDIBLE * height.max()).any())


def levelled(clip: Clip) -> Clip:
    """Return the clip with its loudness normalised: its loud part at LOUDNESS.

    The loud part consists of the windows of 20 ms within 20 dB of the loudest. It is softer where a peak would pass
    0.9, or the loudest eighth of a second LOUDEST_DB, as a knock before soft speech does. Silence stays silent.
    """
    if not clip.samples.any():
        return clip
    sound = clip.samples / 32768
    window = min(round(_WINDOW_S * clip.rate), len(sound))
    power = np.square(sound[: len(sound) // window * window]).reshape(-1, window).mean(axis=1)
    loud = max(np.sqrt(power[power >= power.max() / 100].mean()), _loudest(sound, clip.rate) / 10 ** (LOUDEST_DB / 20))
    gain = min(LOUDNESS / loud, _PEAK / np.abs(sound).max())
    return Clip((sound * gain * 32768).astype(np.int16), clip.rate)


def _loudest(sound: NDArray[np.float64], rate: int) -> float:
    """Return the root mean square of the loudest eighth of a second, A-weighted (IEC 61672-1). sound: -1 to 1, (n,)."""
    squared = np.square(np.fft.rfftfreq(len(sound), 1 / rate))
    weight = 10**0.1 * 12194**2 * squared**2 / ((squared + 20.6**2) * (squared + 12194**2))
    weight /= np.sqrt((squared + 107.7**2) * (squared + 737.9**2))
    power = np.square(np.fft.irfft(np.fft.rfft(sound) * weight, len(sound)))
    window = round(_LOUDEST_S * rate)
    # Silence around the clip belongs to the windows at its ends.
    total = np.cumsum(np.pad(power, (window + 1, window)))
    return float(np.sqrt((total[window:] - total[:-window]).max() / window))


def joined(first: Clip, second: Clip) -> Clip:
    """Return two clips of the same rate as one, in this order."""
    return Clip(np.concatenate([first.samples, second.samples]), second.rate)


def at_volume(clip: Clip, volume: float) -> Clip:
    """Return the clip with its samples multiplied by `volume`, 0 to 1."""
    return Clip((clip.samples * volume).astype(np.int16), clip.rate)


def wav(clip: Clip) -> bytes:
    """Return the clip as the bytes of a WAV file."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(clip.rate)
        file.writeframes(clip.samples.tobytes())
    return target.getvalue()
