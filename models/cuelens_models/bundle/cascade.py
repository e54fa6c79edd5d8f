"""The face detector of crop rules: its name, parameters and file, shared by the glasses and workstations."""

from pathlib import Path
from typing import Final

import cv2

from cuelens_models.errors import MissingExtra

NAME: Final = "haar-alt2"
STEP: Final = 1.15
"""Ratio between neighbouring face sizes in a scan (OpenCV's `scaleFactor`)."""
NEIGHBOURS: Final = 4
"""Overlapping hits needed for a detection (OpenCV's `minNeighbors`)."""
_FILE: Final = "haarcascade_frontalface_alt2.xml"
_DEBIAN: Final = Path("/usr/share/opencv4/haarcascades")


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
