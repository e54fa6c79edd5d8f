"""Photographs: known by their content, and decoded to grey."""

import io
from pathlib import Path
from typing import BinaryIO, Final

import cv2
import numpy as np

from cuelens.adapters.truncated import is_cut_short
from cuelens.frame import Grey
from cuelens_models import regular_file
from cuelens_models.errors import BadInput

_MOST_BYTES: Final = 200_000_000
"""Largest picture file."""
_HEIF_BRANDS: Final = {
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"msf1", b"avif", b"avis"),
}
"""Brands of still images in the container of MP4 (ISO/IEC 23008-12), which FFmpeg would play tile by tile."""


def nameless(file: BinaryIO) -> str:
    """Return a path to an open file that says nothing about it, so that OpenCV goes by the content.

    By their names OpenCV plays notes.txt as a film, takes clip%d.jpg for a series, and crashes at one that is no UTF-8.
    """
    return f"/dev/fd/{file.fileno()}"


def is_image(path: Path) -> bool:
    """Whether the content of a file is an image that OpenCV reads. Raises BadInput if it is one that it does not read.

    An image may also move: a GIF is one.
    """
    with path.open("rb") as file:
        if cv2.haveImageReader(nameless(file)):
            return True
        head = file.read(12)
    if head[4:8] == b"ftyp" and head[8:] in _HEIF_BRANDS:
        raise BadInput(f"{path} is a HEIC or AVIF image, which cannot be read here: save it as JPEG or PNG")
    return False


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
