"""Decoding a photograph to grey."""

import io
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens.adapters.truncated import is_cut_short
from cuelens.frame import Grey
from cuelens_models import regular_file
from cuelens_models.errors import BadInput

_MOST_BYTES: Final = 200_000_000
"""Largest picture file."""


def decode(path: Path) -> Grey:
    """Return the picture, uint8 (height, width), rotated by its EXIF tag. Raises BadInput if it is no image, or cut."""
    if fault := regular_file.fault(path, _MOST_BYTES):
        raise BadInput(f"{path} {fault}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise BadInput(f"{path} is empty")
    if is_cut_short(io.BytesIO(data)):
        raise BadInput(f"{path} is cut short: copy it again")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise BadInput(f"{path} is no image that can be decoded: {error.err}") from error
    if picture is None:
        raise BadInput(f"{path} is no image that can be decoded")
    return np.asarray(picture, dtype=np.uint8)
