"""Frames with a known pattern, and the search for anything that was made of their pixels.

What the search finds: 32 bytes in a row of a frame, whole, shrunk by 2, 4 or 8, or as wide as the page's picture, with
shadows lifted or not, as grey levels or shifted to signed bytes; a face as the network gets it (48 x 48, in bytes or in
32-bit floats, whatever its brightness and contrast, and a little beside its place); its look of 8 x 8; a picture in a
format that OpenCV reads, wherever it begins; any of this in base64. What no search can find: pixels that were
compressed by other means, encrypted, written as decimal numbers, turned, or reduced to a few numbers. For these stands
the list of files and numbers that may be written at all.
"""

import base64
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.adapters.demo_scene import COLLINS, HEIGHT, WIDTH, Place, Scene
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Grey
from cuelens.types import Box
from cuelens_models.bundle.cascade import lifted
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.preprocess import crop

ROW = 16
"""Bytes of a needle; one lies in every 31 bytes of a row."""
_KINDS = 7
"""Different bytes in a needle: fewer are found in any file."""
_FACE_ALIKE = 0.6
_LOOK_ALIKE = 0.85
"""Correlations. A face that is cut six pixels beside its place has 0.78, a text or a network 0.3 at most; of looks,
which are smaller, these have 0.6 at most."""
_BLOCK = 1 << 16
_HEADS = re.compile(
    rb"\xff\xd8\xff(?:\xe0..JFIF|\xe1..Exif|\xdb\0\x43|\xfe\0)|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|P[56]\s|II\*\0|MM\0\*",
    re.DOTALL,
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


class Frames:
    """A face that sways in front of a random pattern, with sensor noise. pictures: each with the box of the face."""

    def __init__(self, count: int = 6) -> None:
        """count: of different frames."""
        random = np.random.default_rng(20261128)
        coarse = random.integers(100, 150, (HEIGHT // 16, WIDTH // 16), dtype=np.uint8)
        wall = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        path = tuple(Place(t, 320 + 6 * (t % 2), 230 - 4 * (t % 3), 112 + t) for t in range(5))
        scene = Scene(np.asarray(wall, np.uint8), (COLLINS.actor(path),), 4)
        shown = [scene.picture(number) for number in range(count)]
        detector = HaarDetector()
        self.pictures: list[tuple[Grey, Box]] = [(grey, _found(detector, grey, boxes[0])) for grey, boxes in shown]

    def write(self, folder: Path, seconds: float, fps: int = 15) -> None:
        """Write them to and fro as the frames of a video: each picture once, under many names."""
        folder.mkdir()
        for number, (grey, _) in enumerate(self.pictures):
            cv2.imwrite(str(folder / f".{number}.pgm"), grey)
        order = [*range(len(self.pictures)), *reversed(range(len(self.pictures)))]
        for number in range(round(seconds * fps)):
            (folder / f"{number:05}.pgm").hardlink_to(folder / f".{order[number % len(order)]}.pgm")


def _found(detector: HaarDetector, grey: Grey, truth: Box) -> Box:
    """Return the box that the detector gives to a face, which is not quite the true one."""
    side = truth[2]
    found = detector.faces(grey, side * 2 // 3, side * 3 // 2)
    assert found, "the face is not found"
    return min(found, key=lambda box: abs(box[0] - truth[0]) + abs(box[1] - truth[1]))


class Search:
    """Finds in bytes what was made of some frames."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def found(self, data: bytes) -> set[str]:
        """Return what was found, in words; nothing if there is nothing."""
        found = set()
        for read, how in ((data, ""), *((inner, " in base64") for inner in _decoded(data))):
            found |= {what + how for what in (*self._rows(read), *self._alike(read), *_pictures(read))}
        return found

    @cached_property
    def _needles(self) -> set[bytes]:
        """Pieces of rows."""
        needles: set[bytes] = set()
        for grey, _ in self._frames.pictures:
            for shrunk in (1, 2, 4, 8, grey.shape[1] / 320):
                size = (round(grey.shape[1] / shrunk), round(grey.shape[0] / shrunk))
                small = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
                for picture in (small, lifted(small)):
                    rows = picture[:, : picture.shape[1] // ROW * ROW].reshape(-1, ROW)
                    kinds = 1 + np.count_nonzero(np.diff(np.sort(rows, axis=1), axis=1), axis=1)
                    raw = rows[kinds >= _KINDS].tobytes()
                    needles.update(raw[begin : begin + ROW] for begin in range(0, len(raw), ROW))
        return needles

    def _rows(self, data: bytes) -> Iterator[str]:
        needles = self._needles
        for read in (data, (np.frombuffer(data, np.uint8) ^ 0x80).tobytes()):
            if any(read[begin : begin + ROW] in needles for begin in range(len(read) - ROW + 1)):
                yield "rows of a frame"

    @cached_property
    def _patterns(self) -> tuple[tuple[str, NDArray[np.float64], float], ...]:
        """The mean face, and its look: they sway by little. With a name, and how alike a piece must be."""
        contract = load(SHIPPED).contract
        faces = [crop(grey, box, contract) for grey, box in self._frames.pictures]
        looks = [
            cv2.resize(grey[y : y + h, x : x + w], (8, 8), interpolation=cv2.INTER_AREA)
            for grey, (x, y, w, h) in self._frames.pictures
        ]
        return (
            ("a face", np.mean(faces, axis=0).reshape(-1), _FACE_ALIKE),
            ("a look", np.mean(looks, axis=0).reshape(-1), _LOOK_ALIKE),
        )

    def _alike(self, data: bytes) -> Iterator[str]:
        """Yield what correlates with a face, or with a look of one."""
        for name, pattern, alike in self._patterns:
            if any(_best(numbers, pattern) > alike for numbers in _as_numbers(data)):
                yield name


def _best(numbers: NDArray[np.float64], pattern: NDArray[np.float64]) -> float:
    """Return the highest correlation of a pattern with a piece of some numbers, piece by piece (by FFT)."""
    size, best = pattern.size, 0.0
    level = pattern - pattern.mean()
    level /= np.linalg.norm(level)
    block = min(_BLOCK, 1 << numbers.size.bit_length())
    turned = np.conj(np.fft.rfft(level, block))
    for begin in range(0, numbers.size - size + 1, block - size + 1):
        taken = numbers[begin : begin + block]
        products = np.fft.irfft(np.fft.rfft(taken, block) * turned, block)[: taken.size - size + 1]
        sums, squares = (np.cumsum(np.concatenate(([0.0], taken**power))) for power in (1, 2))
        spread = squares[size:] - squares[:-size] - (sums[size:] - sums[:-size]) ** 2 / size
        # Where numbers are as good as equal, rounding would look like a face.
        lively = spread > 1e-6 * max(float(squares[-1]), 1e-9)
        best = max(best, float(np.max(products[lively] / np.sqrt(spread[lively]), initial=0.0)))
    return best


def _as_numbers(data: bytes) -> Iterator[NDArray[np.float64]]:
    yield np.frombuffer(data, np.uint8).astype(np.float64)
    yield np.frombuffer(data, np.int8).astype(np.float64)
    for offset in range(4):
        floats = np.frombuffer(data, "<f4", (len(data) - offset) // 4 if len(data) > offset else 0, offset)
        yield np.where(np.isfinite(floats) & (np.abs(floats) < 1e3), floats, 0.0).astype(np.float64)


def _pictures(data: bytes) -> Iterator[str]:
    for head in _HEADS.finditer(data):
        piece = np.frombuffer(data[head.start() :], np.uint8)
        picture = cv2.imdecode(piece, cv2.IMREAD_GRAYSCALE)
        if picture is not None and picture.size > 64:
            yield "a picture file"


def _decoded(data: bytes) -> Iterator[bytes]:
    for text in _BASE64.finditer(data):
        whole = text[0].rstrip(b"=")
        whole = whole[:-1] if len(whole) % 4 == 1 else whole
        yield base64.b64decode(whole + b"=" * (-len(whole) % 4))
