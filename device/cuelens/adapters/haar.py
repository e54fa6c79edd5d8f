"""Face detector: OpenCV's Haar cascade, and a network that tells where it is worth a scan.

`alt2` finds as many faces as OpenCV's default frontal cascade, with a ninth of the false positives. The cascade file is
part of opencv-python-headless, and of Debian's opencv-data for apt's own OpenCV.
"""

import math
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from cuelens.adapters.candidate_network import SMALLEST, CandidateNetwork
from cuelens.frame import Grey
from cuelens.types import Box, Candidate
from cuelens_models.bundle.cascade import NAME, NEIGHBOURS, STEP, cascade_file, lifted

__all__ = ["NAME", "HaarDetector"]

_FEWEST: Final = 2
"""`faces` returns boxes on which more windows agree than this."""


class HaarDetector:
    """The alt2 frontal-face cascade, and the network of candidates. Not safe for use from two threads at once."""

    smallest = 20
    smallest_candidate = SMALLEST

    def __init__(self, step: float = STEP, neighbours: int = NEIGHBOURS) -> None:
        """Load the cascade. The network is loaded by the first look: many a scan does without.

        Args:
            step: scale factor between two window sizes.
            neighbours: `detect` returns faces with more overlapping hits than this (OpenCV's `minNeighbors`).
        """
        self._cascade = cv2.CascadeClassifier(str(cascade_file()))
        self._step = step
        self._neighbours = neighbours
        self._lifted = np.empty(0, np.uint8)
        """Buffer of the picture that is scanned."""

    def sides(self, smallest: int, largest: int) -> list[int]:
        """Return the sides of windows that a scan between two sides tries, in pixels."""
        steps = range(int(math.log(max(largest, self.smallest) / self.smallest) / math.log(self._step)) + 2)
        sides = (round(self.smallest * self._step**step) for step in steps)
        return [side for side in sides if smallest <= side <= largest]

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return boxes of faces between two sides in pixels, the largest first."""
        faces = self.faces(picture, smallest, largest)
        sure = [box for box, hits in faces.items() if hits > self._neighbours]
        return sorted(sure, key=lambda box: (-box[2], box[0], box[1]))

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        """Return boxes of faces between two sides in pixels, with the number of windows that agree on it: 3 or more."""
        if min(picture.shape) < smallest:
            return {}
        limits = (smallest, smallest), (largest, largest)
        boxes, counts = self._cascade.detectMultiScale2(self._lift(picture), self._step, _FEWEST, 0, *limits)
        return {(int(x), int(y), int(w), int(h)): int(n) for (x, y, w, h), n in zip(boxes, counts, strict=True)}

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        """Return every window that passes for a face, ungrouped, between two sides in pixels."""
        if min(picture.shape) < smallest:
            return []
        limits = (smallest, smallest), (largest, largest)
        windows = self._cascade.detectMultiScale(self._lift(picture), self._step, 0, 0, *limits)
        return sorted((int(x), int(y), int(w), int(h)) for x, y, w, h in windows)

    def candidates(self, picture: Grey) -> list[Candidate]:
        """Return where faces may be, of all sizes and tilts, the likeliest first. Some are none.

        Raises MissingExtra without a runtime of networks.

        Args:
            picture: uint8 (rows, columns).
        """
        return self._network.candidates(picture)

    @cached_property
    def _network(self) -> CandidateNetwork:
        return CandidateNetwork()

    def _lift(self, picture: Grey) -> Grey:
        if self._lifted.size < picture.size:
            # Half as much again: a face that comes nearer should not need another buffer in every beat.
            self._lifted = np.empty(3 * picture.size // 2, np.uint8)
        return lifted(picture, self._lifted[: picture.size].reshape(picture.shape))
