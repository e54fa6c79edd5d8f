"""Alignment: where a face went since it was last searched for, by what it looked like then.

A picture of the face, 24 pixels wide, is kept from the last search. In a later frame it is shifted, turned and resized
until it fits best: inverse compositional image alignment (Baker and Matthews 2004, IJCV 56(3)), which costs a fiftieth
of a search. It fits where a face moves a tenth of its side from where it was expected, in any light.
"""

import math
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Grey

_SIDE: Final = 24
"""Side of the kept picture, in pixels."""
_REACH: Final = 1.5
"""Side of the part of a frame in which it is fitted, in sides of the face."""
_STEPS: Final = 4
"""Most steps of the fit."""
_SETTLED: Final = 0.15
"""The fit ends with a step of so many of its pixels."""
_FLAT: Final = 2.0
"""Least standard deviation of a picture that can be fitted, in grey levels."""
_HOLD: Final = 1.0
"""Least squared change of a normal picture for any movement by its side: faces have 2 to 10. An edge alone holds
nothing in place along it.
"""

Pixels = NDArray[np.float32]


class Fit(msgspec.Struct, frozen=True):
    """Where a face is by alignment.

    Attributes:
        x: centre, in pixels of the frame.
        y: centre, in pixels of the frame.
        side: in pixels.
        tilt: in degrees, counter-clockwise.
        likeness: correlation of the picture with the kept one, up to 1.
    """

    x: float
    y: float
    side: float
    tilt: float
    likeness: float


def _oval() -> Pixels:
    """Return the weights of the pixels: the face without the corners, where the background is."""
    steps = (np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE * 2 - 1
    return (steps[:, None] ** 2 + steps[None, :] ** 2 <= 1).astype(np.float32).ravel()


_OVAL: Final = _oval()
_INSIDE: Final = np.flatnonzero(_OVAL)
_ACROSS: Final = np.tile((np.arange(_SIDE) + 0.5) / _SIDE - 0.5, _SIDE)[_INSIDE].astype(np.float32)
_DOWN: Final = np.repeat((np.arange(_SIDE) + 0.5) / _SIDE - 0.5, _SIDE)[_INSIDE].astype(np.float32)
"""Places of the pixels inside the oval, in sides from the centre."""
_SHARES: Final = np.full(len(_INSIDE), 1 / len(_INSIDE), np.float32)
"""For the mean of them: a product costs half of numpy's mean."""


class Likeness:
    """A face as it looked in one frame, ready to be fitted to later ones."""

    __slots__ = ("_descent", "_pixels")

    def __init__(self, pixels: Pixels, descent: Pixels) -> None:
        """Keep the pixels (n,), of mean 0 and norm 1, and by how much each moves the fit, (4, n)."""
        self._pixels = pixels
        self._descent = descent

    @classmethod
    def of(cls, grey: Grey, place: tuple[float, float, float], tilt: float) -> "Likeness | None":
        """Return the likeness of a face; None if it has too little contrast, or lies outside the frame.

        Args:
            grey: the frame, uint8 (height, width).
            place: centre and side, in pixels of the frame.
            tilt: of the head, in degrees, counter-clockwise.
        """
        around = _Around.of(grey, place)
        if around is None:
            return None
        picture = around.sample(*place, tilt)
        pixels = _normal(picture)
        if pixels is None:
            return None
        # Sobel's kernels are eight times the slope, per pixel; here it is per side, and of the normal picture.
        scale = _SIDE / 8 / float(cv2.norm((inside := picture.ravel().take(_INSIDE)) - inside @ _SHARES))
        right, below = (
            cv2.Sobel(picture, cv2.CV_32F, *way, ksize=3, scale=scale).ravel().take(_INSIDE) for way in ((1, 0), (0, 1))
        )
        moves = np.stack((right, below, right * _ACROSS + below * _DOWN, below * _ACROSS - right * _DOWN))
        # What a change of light could explain is no movement.
        moves -= (moves @ _SHARES)[:, np.newaxis]
        moves -= np.outer(moves @ pixels, pixels)
        # LAPACK's first call would cost as much as ten beats.
        _, holds, ways = cv2.eigen(moves @ moves.T)
        if holds[-1, 0] < _HOLD:
            return None
        return cls(pixels, (ways.T / holds[:, 0]) @ (ways @ moves))

    def fit(self, grey: Grey, expected: tuple[float, float, float], tilt: float) -> Fit | None:
        """Return where the face is in a frame; None if that lies outside it, or has no contrast.

        Args:
            grey: the frame, uint8 (height, width).
            expected: its centre and side, in pixels of the frame.
            tilt: as expected, in degrees, counter-clockwise.
        """
        around = _Around.of(grey, expected)
        if around is None:
            return None
        x, y, side = expected
        best: Fit | None = None
        for _ in range(_STEPS):
            pixels = _normal(around.sample(x, y, side, tilt))
            if pixels is None:
                break
            likeness = float(pixels @ self._pixels)
            if best is None or likeness > best.likeness:
                best = Fit(x, y, side, tilt, likeness)
            right, below, grown, turned = (self._descent @ (pixels - self._pixels)).tolist()
            if max(abs(right), abs(below), abs(grown), abs(turned)) * _SIDE < _SETTLED:
                break
            scale, angle = max(1 + grown, 0.8), math.atan2(turned, 1 + grown)
            side /= scale
            # Clockwise on the screen is against the head's tilt.
            tilt += math.degrees(angle)
            cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
            x -= side * (right * cosine + below * sine)
            y -= side * (below * cosine - right * sine)
        return best


class _Around(msgspec.Struct, frozen=True):
    """A part of a frame, shrunken. Lengths in pixels of the frame to one of its own."""

    picture: Grey
    left: int
    top: int
    shrink: int

    @classmethod
    def of(cls, grey: Grey, place: tuple[float, float, float]) -> "_Around | None":
        x, y, side = place
        half = side * _REACH / 2
        left, top = max(round(x - half), 0), max(round(y - half), 0)
        part = grey[top : max(round(y + half), 0), left : max(round(x + half), 0)]
        # Means of two by two pixels cost least; of more each way, every other block is left out.
        shrink = max(round(side) // (2 * _SIDE) * 2, 1)
        every = max(shrink // 2, 1)
        rows, columns = part.shape[0] // shrink, part.shape[1] // shrink
        if rows < 4 or columns < 4:
            return None
        part = part[: rows * shrink : every, : columns * shrink : every]
        if shrink > every:
            part = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
        return cls(part, left, top, shrink)

    def sample(self, x: float, y: float, side: float, tilt: float) -> Pixels:
        """Return the face at a place, upright, float32 (24, 24)."""
        scale = side / _SIDE / self.shrink
        cosine, sine = scale * math.cos(math.radians(tilt)), scale * math.sin(math.radians(tilt))
        middle = (_SIDE - 1) / 2
        x = (x - self.left) / self.shrink - 0.5
        y = (y - self.top) / self.shrink - 0.5
        turn = np.array(
            ((cosine, sine, x - middle * (cosine + sine)), (-sine, cosine, y - middle * (cosine - sine))), np.float64
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        face = cv2.warpAffine(self.picture, turn, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return face.astype(np.float32)


def _normal(picture: Pixels) -> Pixels | None:
    """Return the pixels inside the oval, of mean 0 and norm 1; None without contrast."""
    pixels: Pixels = picture.ravel().take(_INSIDE)
    pixels -= pixels @ _SHARES
    contrast = math.sqrt(float(pixels @ pixels))
    return pixels / np.float32(contrast) if contrast > _FLAT * math.sqrt(len(pixels)) else None
