"""Where the picture changed, on noise with squares."""

import numpy as np
import pytest

from cuelens.frame import Grey
from cuelens.types import Box
from cuelens.vision.motion import Motion


def noisy(seed: int, square: Box | None = None, level: int = 160, brighter: float = 0) -> Grey:
    grey = np.random.default_rng(seed).normal(100 + brighter, 4, (480, 640))
    if square:
        x, y, width, height = square
        grey[y : y + height, x : x + width] += level - 100
    return np.clip(grey, 0, 255).astype(np.uint8)


def changed(before: Grey, now: Grey, faces: tuple[Box, ...] = (), hits: tuple[Box, ...] = ()) -> Box | None:
    motion = Motion()
    motion.see(before)
    since = motion.blocks
    motion.see(now)
    return motion.area(since, faces, hits)


def covers(area: Box | None, box: Box) -> bool:
    """Whether an area holds a box, but for half a block at its edges: such a block hardly changes."""
    return (
        area is not None
        and area[0] <= box[0] + 8
        and area[1] <= box[1] + 8
        and area[0] + area[2] >= box[0] + box[2] - 8
        and area[1] + area[3] >= box[1] + box[3] - 8
    )


def test_noise_changes_nothing() -> None:
    assert [changed(noisy(n), noisy(n + 1)) for n in range(20)] == [None] * 20


@pytest.mark.parametrize("square", [(200, 150, 40, 40), (0, 0, 60, 60), (590, 430, 50, 50)])
def test_what_comes_goes_or_moves_is_in_the_area(square: Box) -> None:
    for before, now in ((noisy(1), noisy(2, square)), (noisy(1, square), noisy(2))):
        area = changed(before, now)
        assert covers(area, square)
        assert area
        assert area[2] <= square[2] + 32
        assert area[3] <= square[3] + 32
    moved = (square[0] + 12 if square[0] < 500 else square[0] - 12, *square[1:])
    assert changed(noisy(1, square), noisy(2, moved))


def test_another_exposure_is_a_change_everywhere() -> None:
    assert covers(changed(noisy(1), noisy(2, brighter=12)), (0, 0, 640, 480))


def test_a_followed_face_may_move_but_not_what_is_beside_it() -> None:
    face, newcomer = (200, 150, 80, 80), (300, 150, 60, 60)
    assert changed(noisy(1), noisy(2, face), faces=(face,)) is None
    area = changed(noisy(1, face), noisy(2, newcomer), faces=(face,))
    assert area
    assert area[0] + area[2] >= newcomer[0] + newcomer[2]


def test_where_something_was_found_it_is_searched_again() -> None:
    assert covers(changed(noisy(1), noisy(2), hits=((200, 150, 40, 40),)), (200, 150, 40, 40))


def test_without_an_earlier_frame_or_after_one_of_another_size_everything_changed() -> None:
    motion = Motion()
    motion.see(noisy(1))
    small = motion.blocks[:5]
    for since in (None, small):
        assert covers(motion.area(since, (), ()), (0, 0, 640, 480))
