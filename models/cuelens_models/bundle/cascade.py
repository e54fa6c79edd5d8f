"""The detector that crop rules are measured with, by name and by file: the same on the glasses and on a workstation."""

from pathlib import Path
from typing import Final

import cv2

from cuelens_models.errors import MissingExtra

NAME: Final = "haar-alt2"
STEP: Final = 1.15
"""Ratio between neighbouring sizes looked for."""
NEIGHBOURS: Final = 4
"""Raw hits that make a face."""
_FILE: Final = "haarcascade_frontalface_alt2.xml"
_DEBIAN: Final = Path("/usr/share/opencv4/haarcascades")


def cascade_file() -> Path:
    """Return the file of the alt2 frontal-face cascade. Raises MissingExtra if this OpenCV came without it."""
    # apt's OpenCV has no cv2.data.
    folders = [Path(cv2.data.haarcascades)] if hasattr(cv2, "data") else []
    for folder in (*folders, _DEBIAN):
        if (folder / _FILE).exists():
            return folder / _FILE
    raise MissingExtra(
        f"{_FILE} is not there: run `apt install opencv-data`, or `pip install 'opencv-python-headless<5'`"
    )
