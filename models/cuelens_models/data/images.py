"""Pictures on disk, brought to the size that faces have here.

The decoder turns a picture upright as its EXIF tag says, keeps the upper 8 bits of 16, weighs colours as luminance
(ITU-R BT.601), and drops an alpha channel.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import resized
from cuelens_models.data.faces import SIDE
from cuelens_models.errors import BadInput

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})
FaceOf = Callable[[Grey], Grey]
"""How a picture, uint8 (height, width), becomes a face, uint8 (48, 48)."""


def whole(picture: Grey) -> Grey:
    """Take the whole picture for the face: it was cropped before."""
    return resized(picture, SIDE, SIDE)


def read(path: Path, face_of: FaceOf = whole) -> Grey:
    """Return the face in a picture, uint8 (48, 48). Raises BadInput if it is no picture."""
    return face_of(picture(path))


def picture(path: Path) -> Grey:
    """Return the luminance of a picture, uint8 (height, width). Raises BadInput if it is none."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    except (OSError, cv2.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if decoded is None:
        raise BadInput(f"{path} is no image that can be decoded")
    return np.asarray(decoded, dtype=np.uint8)
