"""Pictures that are shrunk by whole factors: the means of their blocks."""

import numpy as np
import pytest

from cuelens.vision.shrinking import Shrinker


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 6, 8, 12])
def test_each_pixel_is_the_mean_of_a_block(factor: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (7 * factor, 9 * factor), dtype=np.uint8)
    small = np.zeros((7, 9), np.uint8)
    Shrinker().shrink(small, picture, factor)
    means = picture.reshape(7, factor, 9, factor).mean(axis=(1, 3))
    # Each halving rounds once more.
    assert np.abs(small - means).max() <= 1.5


def test_a_part_of_a_buffer_is_written_to_and_the_picture_stays() -> None:
    buffer, picture = np.zeros((6, 6), np.uint8), np.full((16, 16), 80, np.uint8)
    Shrinker().shrink(buffer[1:5, 1:5], picture, 4)
    assert buffer.sum() == 16 * 80
    assert (picture == 80).all()


def test_pictures_of_other_sizes_between_change_nothing() -> None:
    random, shrinker = np.random.default_rng(2), Shrinker()
    first, second = np.zeros((5, 6), np.uint8), np.zeros((5, 6), np.uint8)
    picture, larger = (random.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 48), (160, 96)))
    shrinker.shrink(first, picture, 8)
    shrinker.shrink(np.zeros((20, 12), np.uint8), larger, 8)
    shrinker.shrink(second, picture, 8)
    assert (first == second).all()
