"""A detector for tests that draw what it sees, and patience."""

import math
import time
from collections.abc import Callable

import numpy as np
import pytest

from cuelens.frame import Grey
from cuelens.types import Box, Candidate


class SquareDetector:
    """Finds grey squares of five levels, between the sizes it is asked for; counts the pixels that it searched."""

    smallest = 20
    smallest_candidate = 10

    def __init__(self) -> None:
        self.pixels: list[int] = []
        self.looks = 0
        self.blind = False
        self.agreeing = 9
        """How many windows agree on each square that is searched for."""
        self.windows = 6
        """How many agree on it where a candidate is checked."""

    def sides(self, smallest: int, largest: int) -> list[int]:
        return [side for side in (20, 23, 26, 30, 35, 40, 46) if smallest <= side <= largest]

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        self.pixels.append(picture.size)
        return dict.fromkeys(self._squares(picture, round(smallest * 0.9), round(largest * 1.1)), self.agreeing)

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        self.pixels.append(picture.size)
        # A window answers for squares that are about as large as it is.
        return self.windows * self._squares(picture, round(smallest * 0.9), round(largest * 1.1))

    def candidates(self, picture: Grey) -> list[Candidate]:
        self.looks += 1
        squares = self._squares(picture, self.smallest_candidate // 2, 8 * self.smallest_candidate)
        return [Candidate(x + side / 2, y + side / 2, side, 0.0) for x, y, side, _ in squares]

    def _squares(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        boxes: list[Box] = []
        if self.blind:
            return boxes
        for level in (60, 100, 150, 200, 240):
            rows, columns = np.nonzero(np.abs(picture.astype(int) - level) < 20)
            if len(rows):
                # The area is the same however the square is turned.
                side = round(math.sqrt(len(rows)))
                left, top = round(columns.mean() + 0.5 - side / 2), round(rows.mean() + 0.5 - side / 2)
                # A square that is cut off by the border of the picture is no face.
                if smallest <= side <= largest and abs(np.ptp(rows) - np.ptp(columns)) <= 2:
                    boxes.append((left, top, side, side))
        return boxes


@pytest.fixture
def squares() -> SquareDetector:
    """A detector of squares of level 60, 100, 150, 200 or 240 on black."""
    return SquareDetector()


@pytest.fixture
def soon() -> Callable[[Callable[[], object]], bool]:
    """Waits for a condition, up to 30 s; returns whether it came true."""

    def wait(condition: Callable[[], object]) -> bool:
        end_s = time.monotonic() + 30
        while not (true := condition()) and time.monotonic() < end_s:
            time.sleep(0.005)
        return bool(true)

    return wait
