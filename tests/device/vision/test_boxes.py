"""Geometry of boxes: groups of hits, and pictures that are turned."""

import numpy as np
import pytest

from cuelens.types import Box
from cuelens.vision.boxes import grouped, near, to_frame, turned, turned_back, within_reach


def test_hits_become_faces_where_enough_of_them_agree() -> None:
    hits = [(100, 100, 50, 50)] * 4 + [(102, 98, 54, 54)] * 2 + [(300, 200, 40, 40)] * 3
    assert grouped(hits, 5) == {(101, 99, 51, 51): 6}
    assert grouped(hits, 4) == {(101, 99, 51, 51): 6}
    assert grouped(hits, 3) == {(101, 99, 51, 51): 6, (300, 200, 40, 40): 3}
    assert grouped(hits[:3], 3) == {(100, 100, 50, 50): 3}
    assert grouped(hits[:2], 3) == {}
    assert grouped([], 1) == {}


def test_windows_of_one_face_are_one_face_where_a_single_hit_is_enough_too() -> None:
    hits = [(100, 100, 50, 50), (102, 98, 54, 54), (300, 200, 40, 40), (98, 99, 49, 49)]
    assert grouped(hits, 1) == {(100, 99, 51, 51): 3, (300, 200, 40, 40): 1}
    assert grouped(hits[:1], 1) == {(100, 100, 50, 50): 1}


def test_a_box_of_a_shrunken_cut_out_lies_in_the_frame_where_the_cut_out_was() -> None:
    assert to_frame((10, 20, 30, 40), left=100, top=200, scale=2.5) == (125, 250, 75, 100)


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ((100, 100, 80, 40), True),
        ((139, 100, 80, 40), True),
        ((141, 100, 80, 40), False),
        ((100, 100, 127, 64), True),
        ((100, 100, 129, 64), False),
        ((115, 108, 51, 25), True),
        ((115, 108, 49, 25), False),
    ],
)
def test_boxes_are_near_within_half_a_side_and_a_factor_of_1_6(other: Box, alike: bool) -> None:
    assert near((100, 100, 80, 40), other) is alike
    assert near(other, (100, 100, 80, 40)) is alike


@pytest.mark.parametrize(
    ("after", "reached"),
    [
        ((195, 100, 80, 80), True),
        ((197, 100, 80, 80), False),
        ((5, 100, 80, 80), True),
        ((3, 100, 80, 80), False),
        ((100, 195, 80, 80), True),
        ((100, 197, 80, 80), False),
        ((209, 90, 100, 100), True),
        ((211, 90, 100, 100), False),
    ],
)
def test_a_face_goes_18_of_its_sides_in_a_second_at_most(after: Box, reached: bool) -> None:
    assert within_reach((100, 100, 80, 80), after, 1 / 15) is reached


@pytest.mark.parametrize(("side", "reached"), [(149, True), (150, False), (68, True), (67, False)])
def test_its_side_changes_by_a_factor_of_1_5_at_most_meanwhile(side: int, reached: bool) -> None:
    assert within_reach((100, 100, 100, 100), (100, 100, side, side), 1.0) is reached


def test_in_no_time_a_face_goes_nowhere() -> None:
    assert not within_reach((100, 100, 80, 80), (100, 100, 80, 80), 0.0)


@pytest.mark.parametrize("degrees", [-30, -12, 8, 25])
@pytest.mark.parametrize("shape", [(90, 120), (121, 80)])
def test_a_box_in_a_turned_picture_lies_where_its_content_was(shape: tuple[int, int], degrees: float) -> None:
    picture = np.zeros(shape, np.uint8)
    picture[30:52, 35:57] = 255
    upright = turned(picture, -degrees)
    rows, columns = np.nonzero(upright > 128)
    x, y = round(columns.mean() - 10.5), round(rows.mean() - 10.5)
    left, top, *side = turned_back((x, y, 22, 22), picture.shape, degrees)
    assert abs(left - 35) <= 1
    assert abs(top - 30) <= 1
    assert side == [22, 22]
