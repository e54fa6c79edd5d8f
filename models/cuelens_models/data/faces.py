"""Faces with their labels and votes: the value that all data code passes around."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.cascade import NAME
from cuelens_models.bundle.contract import CropRule

SIDE: Final = 48
CROP: Final = CropRule(detector=NAME, scale=1.02, shift_y=0.0)
"""The crop rule that makes a detector's box look like a face of FER2013 (benchmarks/crop_geometry.py)."""
EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's original labels, in the order of their numbers. -1 stands for an unknown label."""
VOTES: Final = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "not_a_face")
"""The columns of a FER+ ballot."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Parallel arrays over n faces.

    pixels: uint8 (n, 48, 48), luminance. emotion: int8 (n,), an index into EMOTIONS or -1.
    votes: uint8 (n, 10), FER+ ballots in the order of VOTES; all zero without a ballot.
    """

    pixels: NDArray[np.uint8]
    emotion: NDArray[np.int8]
    votes: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Raise ValueError if shapes, types or values do not fit each other."""
        n = len(self.pixels)
        if self.pixels.shape != (n, SIDE, SIDE) or self.pixels.dtype != np.uint8:
            raise ValueError(f"pixels are {self.pixels.dtype} {self.pixels.shape}, not uint8 (n, {SIDE}, {SIDE})")
        if self.emotion.shape != (n,) or self.votes.shape != (n, len(VOTES)):
            raise ValueError(f"emotion {self.emotion.shape} and votes {self.votes.shape} do not fit {n} faces")
        if n and not -1 <= self.emotion.min() <= self.emotion.max() < len(EMOTIONS):
            raise ValueError(f"emotion goes from {self.emotion.min()} to {self.emotion.max()}, not from -1 to 6")

    def __len__(self) -> int:
        return len(self.pixels)

    def digest(self) -> str:
        """Return a SHA-256 of all of it."""
        content = hashlib.sha256()
        for array in (self.pixels, self.emotion, self.votes):
            content.update(np.ascontiguousarray(array).tobytes())
        return content.hexdigest()

    def take(self, indices: NDArray[np.intp]) -> "Faces":
        """Return the faces at these indices."""
        return Faces(self.pixels[indices], self.emotion[indices], self.votes[indices])


def concatenate(*parts: Faces) -> Faces:
    """Return the faces of all parts, in the order of the parts."""
    return Faces(
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.emotion for part in parts]),
        np.concatenate([part.votes for part in parts]),
    )
