"""A spoken phrase as samples: read, trimmed, made louder or softer, and kept as WAV."""

import io
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.errors import BadInput

_AUDIBLE: Final = 0.02
"""Fraction of the peak under which a sample counts as silence."""
_MARGIN_S: Final = 0.01
_SOFT_START_S: Final = 0.008


@dataclass(frozen=True, slots=True)
class Clip:
    """Mono sound. samples: int16 (n,). rate: samples a second."""

    samples: NDArray[np.int16]
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


def read(path: Path) -> Clip:
    """Read a mono 16-bit WAV. Raises BadInput if it is something else, or silent."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise BadInput(f"{path} is not a mono 16-bit WAV")
            clip = Clip(np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate())
    except (wave.Error, EOFError, OSError) as error:
        raise BadInput(f"{path} is no WAV file that can be read: {error}") from error
    if len(clip.samples) == 0 or not clip.samples.any():
        raise BadInput(f"{path} is silent")
    return clip


def trimmed(clip: Clip) -> Clip:
    """Return the clip without the silence around it (a synthesiser leaves 0.3 s at the end), with a soft start."""
    loud = np.flatnonzero(
        np.abs(clip.samples.astype(np.int32)) > _AUDIBLE * np.abs(clip.samples.astype(np.int32)).max()
    )
    margin = round(_MARGIN_S * clip.rate)
    kept = clip.samples[max(int(loud[0]) - margin, 0) : int(loud[-1]) + margin].astype(np.float64)
    ramp = min(round(_SOFT_START_S * clip.rate), len(kept))
    kept[:ramp] *= np.linspace(0, 1, ramp)
    return Clip(kept.astype(np.int16), clip.rate)


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
