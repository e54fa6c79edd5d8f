"""Pictures that are shrunk by whole factors: the means of their blocks."""

import numpy as np
import pytest

from cuelens.vision.shrinking import shrink_into


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 6, 8, 12])
def test_each_pixel_is_the_mean_of_a_block(factor: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (7 * factor, 9 * factor), dtype=np.uint8)
    small = np.zeros((7, 9), np.uint8)
    shrink_into(small, picture, factor)
    means = picture.reshape(7, factor, 9, factor).mean(axis=(1, 3))
    # Each halving rounds once more.
    assert np.abs(small - means).max() <= 1.5


def test_a_part_of_a_buffer_is_written_to_and_the_picture_stays() -> None:
    buffer, picture = np.zeros((6, 6), np.uint8), np.full((16, 16), 80, np.uint8)
    shrink_into(buffer[1:5, 1:5], picture, 4)
    assert buffer.sum() == 16 * 80
    assert (picture == 80).all()
