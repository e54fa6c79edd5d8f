"""The search for one face by itself: how large a picture the detector gets, and how it is turned."""

from typing import Any

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Box, Candidate
from cuelens.vision.region_search import RegionSearch
from cuelens.vision.tracker import Track

MIDDLE = 320, 240


class Scripted:
    """A detector with a chosen answer to each search: whether a face is in the middle."""

    smallest = 20
    smallest_candidate = 10

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.agreeing = 9
        """How many windows agree on the face."""
        self.seen: list[tuple[Grey, int, int]] = []

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        self.seen.append((picture.copy(), smallest, largest))
        if not self.answers.pop(0):
            return {}
        side = (smallest + largest) // 2
        return {((picture.shape[1] - side) // 2, (picture.shape[0] - side) // 2, side, side): self.agreeing}

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        raise AssertionError

    def candidates(self, picture: Grey) -> list[Candidate]:
        raise AssertionError

    def sides(self, smallest: int, largest: int) -> list[int]:
        raise AssertionError


def track(side: int = 80, **known: Any) -> Track:
    """A face in the middle of the frame."""
    return Track((MIDDLE[0] - side // 2, MIDDLE[1] - side // 2, side, side), began=0.0, t=0.0, **known)


def bar(t: float = 0.0) -> Frame:
    """A bright bar across the middle, level with the frame."""
    grey = np.zeros((480, 640), np.uint8)
    grey[236:244, 290:350] = 250
    return Frame(grey, t, 0)


def lean(picture: Grey) -> float:
    """By how many degrees the bar leans in a picture, counter-clockwise."""
    rows, columns = np.nonzero(picture > 125)
    return float(-np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])))


@pytest.mark.parametrize("tilt", [-25.0, -4.0, 4.0, 25.0])
def test_a_missed_head_that_leant_is_searched_for_upright_too(tilt: float) -> None:
    detector = Scripted(False, True)
    scan = RegionSearch(detector).scan(bar(), track(number=1, misses=1, tilt=tilt), None, 0)
    assert [lean(picture) for picture, _, _ in detector.seen] == pytest.approx([-tilt, 0.0], abs=1)
    assert detector.seen[0][1:] == detector.seen[1][1:]
    assert scan.tilt == 0.0
    ((x, y, width, height),) = scan.boxes
    assert (x + width / 2, y + height / 2) == pytest.approx(MIDDLE, abs=2)


def test_in_a_room_that_leans_it_is_searched_for_upright_in_that_room() -> None:
    detector = Scripted(False, True)
    scan = RegionSearch(detector).scan(bar(), track(number=1, misses=1, tilt=0.0), None, 0, level=-12.0)
    assert [lean(picture) for picture, _, _ in detector.seen] == pytest.approx([0.0, 12.0], abs=1)
    assert scan.tilt == -12.0
    assert len(scan.boxes) == 1


@pytest.mark.parametrize(
    ("misses", "tilt", "level", "found"),
    [(0, 25.0, 0.0, True), (1, 3.9, 0.0, False), (1, 25.0, 25.0, False), (1, 25.0, 22.0, False), (1, 25.0, 0.0, True)],
    ids=["not missed", "upright", "upright in its room", "nearly so", "found as expected"],
)
def test_it_is_searched_for_so_only_if_it_leant_and_nothing_was_found(
    misses: int, tilt: float, level: float, *, found: bool
) -> None:
    detector = Scripted(found)
    known = track(number=1, misses=misses, tilt=tilt, searches=2)
    scan = RegionSearch(detector).scan(bar(), known, None, 0, level)
    assert scan.tilt is None
    assert len(scan.boxes) == found


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize(
    ("seconds", "side", "shown", "reach", "sizes"),
    [
        (0.089, 80, 26.7, 3.0, (0.8, 1.25)),
        (0.089, 40, 32, 3.0, (0.8, 1.25)),
        (0.09, 80, 40, 4.0, (0.75, 1.35)),
        (0.2, 120, 40, 4.0, (0.75, 1.35)),
        (0.2, 60, 44, 4.0, (0.75, 1.35)),
    ],
)
@pytest.mark.parametrize("known", [{}, {"number": 1}, {"number": 1, "searches": 2}], ids=["new", "wide", "steady"])
def test_a_face_that_is_not_where_it_was_expected_is_searched_for_farther_around(
    known: dict[str, Any],
    seconds: float,
    side: int,
    shown: float,
    reach: float,
    sizes: tuple[float, float],
    found: bool,
) -> None:
    detector = Scripted(False, found)
    scan = RegionSearch(detector).scan(bar(seconds), track(side, **known), None, 9)
    assert len(scan.boxes) == found
    picture, smallest, largest = detector.seen[1]
    assert picture.shape == pytest.approx((reach * shown, reach * shown), abs=1.5)
    assert (smallest, largest) == (max(round(sizes[0] * shown), 20), round(sizes[1] * shown))


def test_farther_around_it_is_searched_for_with_the_tilt_that_it_had() -> None:
    detector = Scripted(False, False, True)
    scan = RegionSearch(detector).scan(bar(), track(number=1, searches=1, tilt=10.0), None, 0)
    assert [lean(picture) for picture, _, _ in detector.seen] == pytest.approx([-18.0, -10.0, -10.0], abs=1)
    assert len(scan.boxes) == 1
    # The search that leaned measured nothing: the tilt stays.
    assert (scan.lean, scan.tilt) == (0.0, None)


@pytest.mark.parametrize("known", [{}, {"number": 1}], ids=["a newcomer", "a followed face"])
@pytest.mark.parametrize(
    ("seconds", "hits", "least", "found"),
    [(0.07, 1, 0, True), (0.07, 5, 6, False), (0.2, 4, 0, False), (0.2, 5, 0, True), (0.2, 5, 6, False)],
)
def test_after_a_long_time_it_takes_as_many_hits_farther_around_as_for_a_newcomer(
    known: dict[str, Any], seconds: float, hits: int, least: int, *, found: bool
) -> None:
    detector = Scripted(False, True)
    detector.agreeing = hits
    assert bool(RegionSearch(detector).scan(bar(seconds), track(**known), None, least).boxes) == found


def test_where_it_was_expected_fewer_hits_are_enough_after_a_long_time_too() -> None:
    detector = Scripted(True)
    detector.agreeing = 1
    assert len(RegionSearch(detector).scan(bar(0.2), track(number=1), None, 0).boxes) == 1


WIDE, STEADY = {"number": 1}, {"number": 1, "searches": 2}
MISSED, LEAPT = {"number": 1, "misses": 1}, {"number": 1, "misses": 1, "leapt": True}


@pytest.mark.parametrize(
    ("known", "side", "shown", "reach", "sizes"),
    [
        (WIDE, 54, 54, 1.65, (0.68, 1.5)),
        (WIDE, 64, 56, 1.65, (0.68, 1.5)),
        (WIDE, 110, 56, 1.65, (0.68, 1.5)),
        (WIDE, 112, 56, 1.65, (0.68, 1.5)),
        (WIDE, 160, 80, 1.65, (0.68, 1.5)),
        (STEADY, 48, 48, 1.6, (0.91, 1.1)),
        (STEADY, 78, 56, 1.6, (0.91, 1.1)),
        (STEADY, 80, 40, 1.6, (0.91, 1.1)),
        ({}, 78, 56, 2.2, (0.8, 1.25)),
        ({}, 80, 40, 2.2, (0.8, 1.25)),
        (MISSED, 30, 30, 3.0, (0.7, 1.45)),
        (MISSED, 46, 32, 3.0, (0.7, 1.45)),
        (MISSED, 48, 24, 3.0, (0.7, 1.45)),
        (MISSED, 120, 24, 3.0, (0.7, 1.45)),
        (LEAPT, 120, 40, 2.2, (0.8, 1.25)),
    ],
)
def test_a_face_is_as_large_in_its_picture_as_it_must_be(
    known: dict[str, Any], side: int, shown: int, reach: float, sizes: tuple[float, float]
) -> None:
    detector = Scripted(True)
    ((x, y, width, height),) = RegionSearch(detector).scan(bar(), track(side, **known), None, 0).boxes
    ((picture, smallest, largest),) = detector.seen
    assert picture.shape == pytest.approx((reach * shown, reach * shown), abs=1.5)
    assert (smallest, largest) == (max(round(sizes[0] * shown), 20), round(sizes[1] * shown))
    # Where the detector found it: in the middle, of about that side.
    assert (x + width / 2, y + height / 2) == pytest.approx(MIDDLE, abs=0.03 * side)
    assert width == height == pytest.approx(side * (smallest + largest) / 2 / shown, abs=side / shown + 1)


def test_a_picture_that_is_shrunk_by_a_fraction_shows_what_is_in_the_frame() -> None:
    detector = Scripted(True)
    RegionSearch(detector).scan(bar(), track(96, number=1), None, 0)
    ((picture, _, _),) = detector.seen
    rows, columns = np.nonzero(picture > 125)
    assert np.ptp(columns) + 1 == pytest.approx(60 * 56 / 96, abs=1)
    assert np.ptp(rows) + 1 == pytest.approx(8 * 56 / 96, abs=1)
    assert columns.mean() == pytest.approx(picture.shape[1] / 2, abs=1)
    assert rows.mean() == pytest.approx(picture.shape[0] / 2, abs=1)
