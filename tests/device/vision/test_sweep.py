"""The sweep by itself: what of a frame the detector gets to see, and when, for upright and for leaning heads."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Box
from cuelens.vision.boxes import near
from cuelens.vision.motion import Motion
from cuelens.vision.optics import Optics
from cuelens.vision.sweep import Sweep

SHAPE = 480, 640
WIDTHS = 320, 160, 80
"""Of the shrunken frames."""
SPOT = 24
"""Side of the bright square that is looked for, in pixels of the frame: it is smaller than any face."""


class Recorder:
    """A detector that keeps what it is shown. found: the bright spots of each picture, as windows of the least side."""

    smallest = 20

    def __init__(self, *, finds: bool = False) -> None:
        self.finds = finds
        self.shown: list[tuple[Grey, int, int]] = []

    def sides(self, smallest: int, largest: int) -> list[int]:
        return [side for side in (20, 23, 26, 30, 35, 40, 46) if smallest <= side <= largest]

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        raise AssertionError

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        self.shown.append((picture.copy(), smallest, largest))
        if not self.finds or not is_whole(picture):
            return []
        rows, columns = np.nonzero(picture > 128)
        x, y = columns.mean() + 0.5, rows.mean() + 0.5
        return [(round(x - smallest / 2), round(y - smallest / 2), smallest, smallest)]


def is_whole(picture: Grey) -> bool:
    """Whether a picture shows a spot that its border does not cut."""
    rows, columns = np.nonzero(picture > 128)
    if not len(rows):
        return False
    inside = 0 < rows.min() <= rows.max() < picture.shape[0] - 1
    return bool(inside and 0 < columns.min() <= columns.max() < picture.shape[1] - 1)


def frame(t: float, *spots: tuple[int, int], level: int = 0) -> Frame:
    """A dark frame with bright spots around places in pixels."""
    grey = np.full(SHAPE, level, np.uint8)
    for x, y in spots:
        grey[y - SPOT // 2 : y + SPOT // 2, x - SPOT // 2 : x + SPOT // 2] = 255
    return Frame(grey, t, 0)


class Swept:
    """A sweep with a clock that goes on by one whole sweep."""

    def __init__(self, tilt: float = 0.0, *, finds: bool = False) -> None:
        self.detector = Recorder(finds=finds)
        self.sweep = Sweep(self.detector, Optics(), tilt)
        self.motion = Motion()
        self.t = 0.0

    def whole(
        self,
        *spots: tuple[int, int],
        faces: Sequence[Box] = (),
        lost: Iterable[Box] = (),
        hits: int = 1,
        level: int = 0,
    ) -> list[Box]:
        """Scan all parts once."""
        self.detector.shown.clear()
        self.t += 0.5
        seen = frame(self.t, *spots, level=level)
        return self.some(seen, self.sweep.parts(seen), hits, faces, tuple(lost))

    def some(
        self, seen: Frame, parts: int, hits: int, faces: Sequence[Box] = (), lost: Sequence[Box] = ()
    ) -> list[Box]:
        """Scan so many parts of a frame."""
        self.motion.see(seen.grey)
        return self.sweep.scan(seen, parts, faces, self.motion, hits=hits, most=20, lost=lost)


@pytest.mark.parametrize("tilt", [0.0, 22.0, -22.0])
@pytest.mark.parametrize("place", [(320, 240), (180, 150), (470, 160), (200, 340), (460, 330)])
def test_what_changes_is_shown_whole_whichever_way_heads_lean(tilt: float, place: tuple[int, int]) -> None:
    swept = Swept(tilt)
    for _ in range(3):
        swept.whole()
    swept.whole(place)
    whole = {(least, picture.shape) for picture, least, _ in swept.detector.shown if is_whole(picture)}
    # Of each size that is searched for some strip shows all of it.
    assert {least for least, _ in whole} == {20, 23, 26, 30, 35}
    # Little more is cut out. Some parts were due to be scanned wholly.
    cut = [shape[1] for _, shape in whole if shape[1] not in WIDTHS]
    assert len(cut) >= len(whole) / 2
    assert max(cut) < 120


def test_a_face_about_what_changes_is_in_the_picture_too() -> None:
    swept = Swept()
    for _ in range(3):
        swept.whole()
    swept.whole((320, 240))
    for picture, least, _ in swept.detector.shown:
        columns = np.nonzero(picture > 128)[1]
        if len(columns):
            assert columns.min() >= least
            assert picture.shape[1] - 1 - columns.max() >= least


def test_where_windows_passed_is_scanned_again_although_it_stands_still() -> None:
    swept = Swept(finds=True)
    for _ in range(3):
        assert swept.whole((320, 240), hits=1000) == []
    for _ in range(9):
        swept.whole((320, 240), hits=1000)
        assert len([picture for picture, _, _ in swept.detector.shown if is_whole(picture)]) >= 8


@pytest.mark.parametrize("tilt", [0.0, 22.0, -22.0])
@pytest.mark.parametrize("place", [(320, 240), (180, 150), (470, 160), (200, 340), (460, 330)])
def test_a_find_is_told_where_it_is_in_the_frame(tilt: float, place: tuple[int, int]) -> None:
    swept = Swept(tilt, finds=True)
    boxes = swept.whole(place)
    assert boxes
    for x, y, width, height in boxes:
        # Windows begin at whole pixels of a frame that is shrunk by up to 8.
        assert math.dist((x + width / 2, y + height / 2), place) < 8


def test_a_still_room_is_scanned_wholly_in_every_fourth_sweep_and_not_all_of_it_in_the_same() -> None:
    swept = Swept()
    swept.whole()
    parts = len(swept.detector.shown)
    scans = []
    for _ in range(12):
        swept.whole()
        scans.append(len(swept.detector.shown))
    assert sum(scans[:4]) == sum(scans[4:8]) == sum(scans[8:]) == parts
    assert scans[:4] == scans[4:8] == scans[8:]
    assert max(scans) < parts / 2


@pytest.mark.parametrize("tilt", [0.0, 22.0])
def test_in_each_sweep_every_part_that_has_changed_is_scanned_once(tilt: float) -> None:
    swept, sweeps = Swept(tilt), []
    for n in range(4):
        swept.whole(level=n % 2 * 40)
        sweeps.append([(picture.shape, least, most) for picture, least, most in swept.detector.shown])
    assert sweeps[1:] == sweeps[:1] * 3


@pytest.mark.parametrize(("side", "searched"), [(36, True), (60, True), (250, True), (20, False), (500, False)])
def test_where_a_face_was_lost_its_size_is_searched_for_although_nothing_changes(side: int, *, searched: bool) -> None:
    swept = Swept()
    for _ in range(2):
        swept.whole()
    plain, lost = [], []
    for _ in range(8):
        swept.whole()
        plain.append(len(swept.detector.shown))
    for _ in range(8):
        swept.whole(lost=[(200, 150, side, side)])
        lost.append(len(swept.detector.shown))
    assert (sum(lost) > sum(plain)) == searched
    if searched:
        assert sum(lost) < sum(plain) + 8 * 10


def test_faces_from_the_smallest_to_the_largest_are_searched_for_and_no_others() -> None:
    swept = Swept()
    swept.whole()
    sizes = [
        side * SHAPE[1] // picture.shape[1]
        for picture, least, most in swept.detector.shown
        for side in swept.detector.sides(least, most)
    ]
    optics = Optics()
    smallest, largest = optics.smallest_face(*SHAPE[::-1]), optics.largest_face(*SHAPE[::-1])
    assert min(sizes) == pytest.approx(smallest, rel=0.1)
    assert 0.85 * largest < max(sizes) <= 1.1 * largest


@pytest.mark.parametrize(("farthest_m", "widths"), [(4.0, (640, *WIDTHS)), (2.0, WIDTHS), (1.0, (213, 106, 53))])
def test_a_sweep_has_24_parts_and_shrinks_the_frame_until_faces_are_20_to_39_pixels_wide(
    farthest_m: float, widths: tuple[int, ...]
) -> None:
    detector, motion, seen = Recorder(), Motion(), frame(0.0)
    sweep = Sweep(detector, Optics(farthest_m=farthest_m), 0.0)
    assert sweep.parts(seen) == pytest.approx(24, abs=3)
    motion.see(seen.grey)
    sweep.scan(seen, sweep.parts(seen), (), motion, hits=1, most=1)
    assert {picture.shape[1] for picture, _, _ in detector.shown} == set(widths)
    assert all(20 <= least <= most <= 39 for _, least, most in detector.shown)


@pytest.mark.parametrize("farthest_m", [4.0, 2.0, 1.0])
def test_no_part_has_many_more_windows_than_others(farthest_m: float) -> None:
    detector, motion, seen = Recorder(), Motion(), frame(0.0)
    sweep = Sweep(detector, Optics(farthest_m=farthest_m), 0.0)
    motion.see(seen.grey)
    sweep.scan(seen, sweep.parts(seen), (), motion, hits=1, most=1)
    windows = [
        sum((picture.shape[0] - side) * (picture.shape[1] - side) / side**2 for side in detector.sides(least, most))
        for picture, least, most in detector.shown
    ]
    assert max(windows) < 1.6 * float(np.mean(windows))


@pytest.mark.parametrize(("gap_s", "found"), [(0.5, True), (0.7, False)])
def test_hits_of_different_parts_agree_for_six_tenths_of_a_second(gap_s: float, *, found: bool) -> None:
    spot = (320, 240)
    at_once = Swept(finds=True)
    most = max(hits for hits in range(1, 30) if Swept(finds=True).whole(spot, hits=hits))
    assert at_once.whole(spot, hits=most + 1) == []
    parted = Swept(finds=True)
    parts = parted.sweep.parts(frame(0.0, spot))
    assert parted.some(frame(1.0, spot), parts // 2, most) == []
    assert bool(parted.some(frame(1.0 + gap_s, spot), parts - parts // 2, most)) == found


def test_a_candidate_is_told_once_for_each_time_that_it_is_found() -> None:
    swept = Swept(finds=True)
    assert swept.whole((320, 240), hits=3)
    assert swept.some(frame(swept.t, (320, 240)), 0, 3) == []
    assert swept.whole((320, 240), hits=3)


def test_what_is_near_a_tracked_face_is_no_newcomer() -> None:
    (box,) = Swept(finds=True).whole((320, 240), hits=3)
    assert not any(near(one, box) for one in Swept(finds=True).whole((320, 240), hits=3, faces=[box]))
    assert Swept(finds=True).whole((320, 240), hits=3, faces=[(20, 20, box[2], box[3])]) == [box]
