"""What is not searched, and that nothing is found later for it, with a detector that sees squares."""

from typing import Any

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Box, Sight
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes

PATTERN = np.kron(np.random.default_rng(3).integers(-9, 10, (6, 6)), np.ones((16, 16))).astype(np.int16)
"""What a square of 96 pixels looks like, about its level."""


class Eye:
    """A face finder with a count of the pixels that were searched in each beat."""

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        self.finder = FaceFinder(detector, Optics(), LookPace(), watch := StageTimes())
        watch.begin()
        self.searched: list[int] = []

    def find(self, grey: Grey) -> Sight:
        self.detector.pixels.clear()
        sight = self.finder.find(Frame(grey, len(self.searched) / 15, 0))
        self.searched.append(sum(self.detector.pixels))
        return sight

    def follow(self, *frames: Grey) -> list[Sight]:
        """Find faces while no newcomers are searched for: what is searched is the region of the face."""
        sights = []
        for grey in frames:
            self.detector.pixels.clear()
            sights.append(self.finder.follow(Frame(grey, len(self.searched) / 15, 0)))
            self.searched.append(sum(self.detector.pixels))
        return sights


@pytest.fixture
def eye(squares: Any) -> Eye:
    return Eye(squares)


def room(number: int = 0, *boxes: Box, shift: int = 0) -> Grey:
    """A dark room with noise and some furniture, new noise in every frame, with squares of level 200."""
    random = np.random.default_rng(number)
    grey = random.normal(12, 3, (480, 640))
    grey[:, 300 + shift : 340 + shift] += 14
    grey[200 + shift : 230 + shift, :] += 8
    for x, y, width, height in boxes:
        grey[y : y + height, x : x + width] = 200
    return np.clip(grey, 0, 35 if not boxes else 255).astype(np.uint8)


def face(number: int, x: int, y: int = 150, pattern: Any = PATTERN) -> Grey:
    grey = room(number).astype(np.int16)
    grey[y : y + 96, x : x + 96] = 200 + pattern
    return grey.astype(np.uint8)


def followed(eye: Eye) -> int:
    """Let a face be followed for two seconds; returns how many frames that took."""
    for n in range(40):
        eye.find(face(n, 200))
    return 40


def test_a_still_room_costs_far_less_than_one_that_moves(squares: Any) -> None:
    still, moves = Eye(squares), Eye(squares)
    for n in range(150):
        still.find(room(n))
        moves.find(room(n, shift=20 * (n % 5)))
    assert sum(still.searched[75:]) < 0.6 * sum(moves.searched[75:])
    # It is not blind: all of it is searched now and then.
    assert sum(still.searched[75:]) > 0


@pytest.mark.parametrize("side", [42, 60, 90, 130, 190, 260])
@pytest.mark.parametrize("moves", [False, True])
def test_who_comes_into_a_room_is_found_as_soon_as_before(eye: Eye, side: int, *, moves: bool) -> None:
    for n in range(90):
        eye.find(room(n, shift=n % 2 * 20 * moves))
    box = (10, 470 - side, side, side)
    sights = [eye.find(room(n, box, shift=n % 2 * 20 * moves)) for n in range(90, 101)]
    assert any(sight.appeared for sight in sights)


def test_a_face_that_was_hidden_by_chance_is_found_though_it_stands_still(eye: Eye, squares: Any) -> None:
    squares.blind = True
    for n in range(60):
        eye.find(face(n, 200))
    squares.blind = False
    assert any(eye.find(face(n, 200)).appeared for n in range(60, 60 + 4 * 15))


def test_a_followed_face_is_searched_for_in_few_beats(eye: Eye) -> None:
    begin = followed(eye)
    sights = eye.follow(*(face(n, 200) for n in range(begin, begin + 40)))
    assert all(sight.seen for sight in sights)
    assert 8 <= sum(pixels > 0 for pixels in eye.searched[begin:]) <= 16


def test_a_face_that_moves_is_where_it_is_in_every_beat(eye: Eye) -> None:
    begin = followed(eye)
    for n in range(begin, begin + 30):
        x = 200 + 4 * (n - begin)
        (seen,) = eye.find(face(n, x)).seen
        assert seen.box[0] == pytest.approx(x, abs=6)


def test_a_face_that_goes_is_lost_after_two_misses(eye: Eye) -> None:
    begin = followed(eye)
    sights = [eye.find(room(n)) for n in range(begin, begin + 4)]
    assert all(sight.seen == () for sight in sights)
    assert [sight.lost for sight in sights].index((1,)) <= 2


def test_what_leaps_or_looks_otherwise_is_searched_for_at_once(eye: Eye) -> None:
    begin = followed(eye)
    eye.follow(*(face(n, 200 + n % 2 * 30) for n in range(begin, begin + 6)))
    assert all(eye.searched[begin + 1 : begin + 6])
