"""Reading pictures from disk as faces of 48x48 pixels.

The decoder turns a picture upright as its EXIF tag says, keeps the upper 8 bits of 16, converts colours to luminance
(ITU-R BT.601), and drops an alpha channel.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models import regular_file
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import resize
from cuelens_models.data import levels
from cuelens_models.data.faces import SIDE
from cuelens_models.errors import BadInput

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})
FaceOf = Callable[[Grey], Grey]
"""A function from a picture, uint8 (height, width), to its face, uint8 (48, 48)."""


def whole(picture: Grey) -> Grey:
    """Use the whole picture as the face, for pictures that are cropped."""
    return resize(picture, SIDE, SIDE)


def read(path: Path, face_of: FaceOf = whole) -> Grey:
    """Return the face of a picture file, uint8 (48, 48). Raises BadInput if it cannot be decoded."""
    return face_of(picture(path))


def picture(path: Path) -> Grey:
    """Return the luminance of a picture file, uint8 (height, width).

    Raises BadInput if it cannot be decoded, or if its grey levels do not use the depth of the file (12 bits of 16).
    """
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH) if len(data) else None
        if decoded is not None and decoded.dtype != np.uint8:
            if fault := levels.depth(decoded):
                raise BadInput(f"{path}: its grey levels {fault}")
            decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if decoded is None:
        raise BadInput(f"{path} is no image that can be decoded")
    return np.asarray(decoded, dtype=np.uint8)
