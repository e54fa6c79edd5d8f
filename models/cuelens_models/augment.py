"""What training does to a face so that the network has seen what a small camera and a loose box do to it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.preprocess import Grey


def augment(face: Grey, random: np.random.Generator) -> Grey:
    """Return a mildly changed copy of a face, uint8 (height, width).

    Mirrored half of the time; turned by up to 15 degrees, scaled by up to 15 % and moved by up to 10 % of the side,
    as detector boxes vary; contrast and brightness changed; a quarter blurred and a quarter given sensor noise.
    """
    side = face.shape[0]
    turn = cv2.getRotationMatrix2D(
        (side / 2 - 0.5, side / 2 - 0.5), random.uniform(-15, 15), random.uniform(0.85, 1.15)
    )
    turn[:, 2] += random.uniform(-0.1, 0.1, 2) * side
    if random.random() < 0.5:
        turn[0] = -turn[0]
        turn[0, 2] += side - 1
    changed = cv2.warpAffine(face, turn, face.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    level: NDArray[np.float32] = changed.astype(np.float32)
    level = (level - 128) * random.uniform(0.7, 1.3) + 128 + random.uniform(-30, 30)
    if random.random() < 0.25:
        level = np.asarray(cv2.GaussianBlur(level, (0, 0), random.uniform(0.4, 1.0)), dtype=np.float32)
    if random.random() < 0.25:
        level += random.normal(0, random.uniform(2, 8), level.shape).astype(np.float32)
    return np.clip(level, 0, 255).astype(np.uint8)
