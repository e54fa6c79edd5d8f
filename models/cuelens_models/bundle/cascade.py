"""The face detector of crop rules: its name, parameters, file, and how it sees, shared by glasses and workstations."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cuelens_models.bundle.pixels import Grey
from cuelens_models.errors import MissingExtra

NAME: Final = "haar-alt2"
STEP: Final = 1.15
"""Ratio between neighbouring face sizes in a scan (OpenCV's `scaleFactor`)."""
NEIGHBOURS: Final = 4
"""Overlapping hits needed for a detection (OpenCV's `minNeighbors`)."""
_LIFT: Final = 0.7
_LIFTED: Final = np.rint(255 * (np.arange(256) / 255) ** _LIFT).astype(np.uint8)
_FILE: Final = "haarcascade_frontalface_alt2.xml"
_DEBIAN: Final = Path("/usr/share/opencv4/haarcascades")


def lifted(picture: Grey, out: Grey | None = None) -> Grey:
    """Return a picture with its shadows lifted, uint8 (height, width), as the cascade is to scan it.

    So it finds more dark faces: it divides what it sees by the spread of levels, which a bright wall behind one widens.

    Args:
        picture: uint8 (height, width).
        out: buffer for the result, of the same shape. None: a new array.
    """
    return np.asarray(cv2.LUT(picture, _LIFTED, dst=out), np.uint8)


def cascade_file() -> Path:
    """Return the path of the alt2 frontal-face cascade. Raises MissingExtra if OpenCV was installed without it."""
    # apt's OpenCV has no cv2.data.
    folders = [Path(cv2.data.haarcascades)] if hasattr(cv2, "data") else []
    for folder in (*folders, _DEBIAN):
        if (folder / _FILE).exists():
            return folder / _FILE
    raise MissingExtra(
        f"{_FILE} was not found: run `apt install opencv-data`, or `pip install 'opencv-python-headless<5'`"
    )
