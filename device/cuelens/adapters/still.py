"""Decoding a photograph to grey, or saying that it is none. OpenCV fills what is missing of a cut one with grey."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens.types import Grey
from cuelens_models.errors import BadInput

_JPEG_BEGIN: Final = b"\xff\xd8"
_PNG_BEGIN: Final = b"\x89PNG"
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9


def decode(path: Path) -> Grey:
    """Return the picture, uint8 (height, width), turned as the camera noted. Raises BadInput if it is none, or cut."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if not data:
        raise BadInput(f"{path} is empty")
    cut = (data.startswith(_JPEG_BEGIN) and not _jpeg_has_end(data)) or (
        data.startswith(_PNG_BEGIN) and b"IEND" not in data
    )
    if cut:
        raise BadInput(f"{path} is cut short: copy it again")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise BadInput(f"{path} is no image that can be decoded")
    return np.asarray(picture, dtype=np.uint8)


def _jpeg_has_end(data: bytes) -> bool:
    """Walk the segments of a JPEG (ITU-T T.81, annex B) to its end marker; a thumbnail's own end does not count."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return False
        marker = data[place + 1]
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == _START_OF_SCAN:
            # Coded data follow, in which FF is a marker only if neither 00 nor a restart comes after it.
            place = data.find(b"\xff", place)
            while place >= 0 and place + 1 < len(data) and (data[place + 1] == 0 or 0xD0 <= data[place + 1] <= 0xD7):
                place = data.find(b"\xff", place + 2)
            if place < 0 or place + 1 >= len(data):
                return False
            if data[place + 1] == _END_OF_IMAGE:
                return True
    return False
