"""Corruptions: the faults of a small camera on a moving head, with fixed seeds, the same for every model.

The strengths were set once, by eye, and are not tuned to any model. The kinds follow Hendrycks and Dietterich (2019,
arXiv 1903.12261), adapted to faces of 48x48 grey levels:

- blur: a Gaussian of 1.5 pixels, the face out of focus
- noise: read noise of 16 grey levels
- low_light: a quarter of the exposure, and read noise of 5 grey levels
- jpeg: quality 15
- small_face: the face is 24 pixels wide, then enlarged
- rotation: the head leans by 20 degrees to one side or the other
- occlusion: an even rectangle of 24x16 pixels, a sixth of the face, in a random place and grey
- camera: all faults of a small camera at once: the face 32 pixels wide, a lens blur of 0.6 of those pixels, 0.6 of the
  exposure, read noise of 6 grey levels, JPEG of quality 50, enlarged to 48
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import resize
from cuelens_models.data.faces import SIDE

NONE: Final = "none"
_SEED: Final = 2013


def corrupt(faces: Grey, name: str) -> Grey:
    """Return corrupted copies of faces, uint8 (n, 48, 48). name: one of CORRUPTIONS, or "none"."""
    if name == NONE:
        return faces
    # Each kind has its own seed, so a new kind does not change the others.
    random = np.random.default_rng([_SEED, *name.encode()])
    return np.stack([CORRUPTIONS[name](face, random) for face in faces])


def _blur(face: Grey, random: np.random.Generator) -> Grey:
    del random
    return _smooth(face, 1.5)


def _noise(face: Grey, random: np.random.Generator) -> Grey:
    return _expose(face, 1.0, 16, random)


def _low_light(face: Grey, random: np.random.Generator) -> Grey:
    return _expose(face, 0.25, 5, random)


def _jpeg(face: Grey, random: np.random.Generator) -> Grey:
    del random
    return _compress(face, 15)


def _small_face(face: Grey, random: np.random.Generator) -> Grey:
    del random
    return resize(resize(face, 24, 24), SIDE, SIDE)


def _rotation(face: Grey, random: np.random.Generator) -> Grey:
    middle = (SIDE - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), 20 * float(random.choice((-1, 1))), 1)
    rotated = cv2.warpAffine(face, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(rotated, np.uint8)


def _occlusion(face: Grey, random: np.random.Generator) -> Grey:
    width, height = (24, 16) if random.random() < 0.5 else (16, 24)
    left, top = random.integers(0, SIDE - width + 1), random.integers(0, SIDE - height + 1)
    covered = face.copy()
    covered[top : top + height, left : left + width] = random.integers(0, 256)
    return covered


def _camera(face: Grey, random: np.random.Generator) -> Grey:
    small = _expose(_smooth(resize(face, 32, 32), 0.6), 0.6, 6, random)
    return resize(_compress(small, 50), SIDE, SIDE)


CORRUPTIONS: Final[dict[str, Callable[[Grey, np.random.Generator], Grey]]] = {
    "blur": _blur,
    "noise": _noise,
    "low_light": _low_light,
    "jpeg": _jpeg,
    "small_face": _small_face,
    "rotation": _rotation,
    "occlusion": _occlusion,
    "camera": _camera,
}


def _smooth(face: Grey, sigma: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _expose(face: Grey, exposure: float, noise: float, random: np.random.Generator) -> Grey:
    """Return the face at `exposure` times its grey levels, with read noise of `noise` levels."""
    levels: NDArray[np.float64] = face * exposure + random.normal(0, noise, face.shape)
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def _compress(face: Grey, quality: int) -> Grey:
    _, jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)
