"""Pictures without a face, from which a network learns to reject false detections.

Half are random squares of ordinary pictures and synthetic textures; half are false detections of the cascade in them.
The pictures are those that scikit-image ships, without those that show people. The pictures in HELD_OUT are kept for
evaluation.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.cascade import cascade_file
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import resize
from cuelens_models.command import require
from cuelens_models.data.faces import SIDE, VOTES, Faces

HELD_OUT: Final = ("chelsea", "coffee", "brick", "text")
"""Pictures kept for evaluation: training never sees them."""
LEARNED_FROM: Final = (
    *("cell", "clock", "coins", "colorwheel", "grass", "gravel", "horse", "hubble_deep_field", "immunohistochemistry"),
    *("logo", "microaneurysms", "moon", "page", "retina", "rocket", "stereo_motorcycle"),
)
_FRAME: Final = 240
_CUTS: Final = 4


def backgrounds(count: int, seed: int, names: Sequence[str] = LEARNED_FROM, textures: float = 0.3) -> Faces:
    """Return `count` pictures without a face, each with ten votes for not_a_face.

    Raises MissingExtra without scikit-image.

    Args:
        count: how many.
        seed: the same seed gives the same pictures.
        names: pictures of scikit-image to cut them from.
        textures: share of synthetic textures among the pictures.
    """
    random = np.random.default_rng(seed)
    pictures = [_grey(picture) for picture in _load(names)]
    cascade = cv2.CascadeClassifier(str(cascade_file()))
    cuts: list[Grey] = []
    detections: list[Grey] = []
    while len(cuts) + len(detections) < count:
        frame = (
            texture(random) if random.random() < textures else _view(pictures[random.integers(len(pictures))], random)
        )
        # With no neighbours required, every single hit of the cascade counts.
        boxes = sorted(map(tuple, cascade.detectMultiScale(frame, 1.15, 0, 0, (32, 32))))
        detections += [resize(frame[y : y + h, x : x + w], SIDE, SIDE) for x, y, w, h in boxes[:_CUTS]]
        if len(cuts) < count // 2:
            cuts += [_cut(frame, random) for _ in range(_CUTS)]
    pixels = np.array([*detections, *cuts][:count], np.uint8).reshape(count, SIDE, SIDE)
    votes = np.zeros((count, len(VOTES)), np.uint8)
    votes[:, VOTES.index("not_a_face")] = 10
    return Faces(pixels, np.full(count, -1, np.int8), votes)


def _load(names: Sequence[str]) -> Iterator[NDArray[np.uint8]]:
    try:
        from skimage import data
    except ImportError as error:
        raise require("skimage", "train") from error

    for name in names:
        picture = getattr(data, name)()
        yield picture[0] if isinstance(picture, tuple) else picture


def _grey(picture: NDArray[np.uint8]) -> Grey:
    if picture.dtype == bool:
        return picture.astype(np.uint8) * 255
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2GRAY), np.uint8)


def _view(picture: Grey, random: np.random.Generator) -> Grey:
    """Return a random view of a picture: turned, scaled, in another contrast, sometimes a negative."""
    height, width = picture.shape
    scale = _FRAME / min(height, width) * np.exp(random.uniform(0, 1.5))
    place = (random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height)
    turn = cv2.getRotationMatrix2D(place, random.uniform(0, 360), scale)
    turn[:, 2] += np.subtract(_FRAME / 2, place)
    view = cv2.warpAffine(picture, turn, (_FRAME, _FRAME), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    level = (view.astype(np.float32) - 128) * random.uniform(0.4, 1.4) + random.uniform(80, 176)
    if random.random() < 0.25:
        level = 255 - level
    return np.asarray(np.clip(level, 0, 255), np.uint8)


def texture(random: np.random.Generator) -> Grey:
    """Return a synthetic texture, uint8 (240, 240): noise of several grain sizes, with stripes over it."""
    level = np.full((_FRAME, _FRAME), random.uniform(60, 200), np.float32)
    for grain in (2, 8, 30, 80):
        small = random.standard_normal((_FRAME // grain + 1, _FRAME // grain + 1), np.float32)
        level += np.asarray(cv2.resize(small, (_FRAME, _FRAME), interpolation=cv2.INTER_CUBIC)) * random.uniform(0, 30)
    across, down = random.uniform(-0.5, 0.5, 2)
    ramp = np.arange(_FRAME, dtype=np.float32)
    level += random.uniform(0, 40) * np.sin(across * ramp + down * ramp[:, np.newaxis] + random.uniform(0, 6))
    return np.asarray(np.clip(level, 0, 255), np.uint8)


def _cut(frame: Grey, random: np.random.Generator) -> Grey:
    side = int(random.integers(32, 160))
    top, left = random.integers(0, _FRAME - side, 2)
    return resize(frame[top : top + side, left : left + side], SIDE, SIDE)
