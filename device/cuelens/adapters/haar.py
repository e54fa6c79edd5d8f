"""Face detector: OpenCV's Haar cascade.

`alt2` finds as many faces as OpenCV's default frontal cascade, with a ninth of the false positives. The cascade file is
part of opencv-python-headless, and of Debian's opencv-data for apt's own OpenCV.
"""

import math

import cv2

from cuelens.frame import Grey
from cuelens.types import Box
from cuelens_models.bundle.cascade import NAME, NEIGHBOURS, STEP, cascade_file, lifted

__all__ = ["NAME", "HaarDetector"]


class HaarDetector:
    """The alt2 frontal-face cascade. Not safe for use from two threads at once."""

    smallest = 20

    def __init__(self, step: float = STEP, neighbours: int = NEIGHBOURS) -> None:
        """step: scale factor between two window sizes. neighbours: overlapping hits that make a face (minNeighbors)."""
        self._cascade = cv2.CascadeClassifier(str(cascade_file()))
        self._step = step
        self._neighbours = neighbours

    def sides(self, smallest: int, largest: int) -> list[int]:
        """Return the sides of windows that a scan between two sides tries, in pixels."""
        steps = range(int(math.log(max(largest, self.smallest) / self.smallest) / math.log(self._step)) + 2)
        sides = (round(self.smallest * self._step**step) for step in steps)
        return [side for side in sides if smallest <= side <= largest]

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return boxes of faces between two sides in pixels, the largest first."""
        return sorted(self.faces(picture, smallest, largest), key=lambda box: (-box[2], box[0], box[1]))

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        """Return boxes of faces between two sides in pixels, with the number of windows that agree on each."""
        if min(picture.shape) < smallest:
            return {}
        limits = (smallest, smallest), (largest, largest)
        boxes, counts = self._cascade.detectMultiScale2(lifted(picture), self._step, self._neighbours, 0, *limits)
        return {(int(x), int(y), int(w), int(h)): int(n) for (x, y, w, h), n in zip(boxes, counts, strict=True)}

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return every window that passes for a face, ungrouped, between two sides in pixels."""
        if min(picture.shape) < smallest:
            return []
        limits = (smallest, smallest), (largest, largest)
        windows = self._cascade.detectMultiScale(lifted(picture), self._step, 0, 0, *limits)
        return sorted((int(x), int(y), int(w), int(h)) for x, y, w, h in windows)
