"""Pictures of single faces on disk, brought to the size that faces have here."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models.bundle.preprocess import Grey, resized
from cuelens_models.data.faces import SIDE
from cuelens_models.errors import BadInput

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})


def read(path: Path) -> Grey:
    """Return a picture of a cropped face, uint8 (48, 48). Raises BadInput if it is no picture."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    except (OSError, cv2.error) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    if picture is None:
        raise BadInput(f"{path} is no image that can be decoded")
    return resized(np.asarray(picture, dtype=np.uint8), SIDE, SIDE)
