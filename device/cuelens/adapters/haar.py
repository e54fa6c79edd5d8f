"""OpenCV's Haar cascade as the detector.

`alt2` finds as many faces as OpenCV's default frontal cascade with a ninth of its false boxes. The cascade file comes
with opencv-python-headless, or from Debian's package opencv-data beside apt's own OpenCV.
"""

from pathlib import Path
from typing import Final

import cv2

from cuelens.types import Box, Grey
from cuelens_models.errors import MissingExtra

NAME: Final = "haar-alt2"
_FILE: Final = "haarcascade_frontalface_alt2.xml"
_DEBIAN: Final = Path("/usr/share/opencv4/haarcascades")


class HaarDetector:
    """The alt2 frontal-face cascade. Not safe for use from two threads at once."""

    smallest = 20

    def __init__(self, step: float = 1.15, neighbours: int = 4) -> None:
        """step: ratio between neighbouring sizes looked for. neighbours: raw hits that make a face."""
        self._cascade = cv2.CascadeClassifier(str(_find()))
        self._step = step
        self._neighbours = neighbours

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return the faces between two sides in pixels, the largest first."""
        found = self._cascade.detectMultiScale(
            picture, self._step, self._neighbours, 0, (smallest, smallest), (largest, largest)
        )
        boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h in found]
        return sorted(boxes, key=lambda box: (-box[2], box[0], box[1]))


def _find() -> Path:
    # apt's OpenCV has no cv2.data.
    folders = [Path(cv2.data.haarcascades)] if hasattr(cv2, "data") else []
    for folder in (*folders, _DEBIAN):
        if (folder / _FILE).exists():
            return folder / _FILE
    raise MissingExtra(
        f"{_FILE} is not there: run `apt install opencv-data`, or `pip install 'opencv-python-headless<5'`"
    )
