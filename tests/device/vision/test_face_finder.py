"""Looking, with a detector that sees what the test draws: bright squares, at their true place and size."""

from typing import Any

import numpy as np
import pytest

from cuelens.frame import Frame
from cuelens.types import Box, Sight
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes


def frame(t: float, *squares: tuple[Box, int]) -> Frame:
    grey = np.zeros((480, 640), np.uint8)
    for (x, y, width, height), level in squares:
        grey[max(y, 0) : y + height, max(x, 0) : x + width] = level
    return Frame(grey, t, 0)


class Eye:
    """A looking stage with its clock."""

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        self.watch = StageTimes()
        self.finder = FaceFinder(self.detector, Optics(), LookPace(), self.watch)
        self.n = 0

    def find(self, *squares: tuple[Box, int]) -> Sight:
        self.watch.begin()
        sight = self.finder.find(frame(self.n / 15, *squares))
        self.watch.end()
        self.n += 1
        return sight

    def kind(self) -> str:
        """What looking did in the latest beat."""
        return self.watch.beats[-1][0]

    def until_found(self, *squares: tuple[Box, int]) -> Sight:
        return next(sight for _ in range(15) if (sight := self.find(*squares)).appeared)


@pytest.fixture
def eye(squares: Any) -> Eye:
    return Eye(squares)


def test_the_smallest_face_is_40_pixels_of_640_at_two_metres() -> None:
    assert Optics().smallest_face(640, 480) == pytest.approx(40, abs=0.1)
    assert Optics(farthest_m=1.0).smallest_face(640, 480) == pytest.approx(80, abs=0.2)
    assert Optics(horizontal_degrees=102).smallest_face(640, 480) < 20
    # A camera mounted on its side: the lens's width is the frame's height.
    assert Optics(sideways=True).smallest_face(480, 640) == pytest.approx(40, abs=0.1)


def test_a_face_counts_when_it_was_found_twice(eye: Eye) -> None:
    box = ((200, 150, 100, 100), 200)
    scans = []
    while not (sight := eye.find(box)).appeared:
        assert sight == Sight((), (), ())
        scans.append(eye.kind())
        assert len(scans) < 15
    # The sweep came upon it, and then it was found again, around that place.
    assert scans[-1] == "sweep"
    assert eye.kind() == "region"
    assert [face.track for face in sight.appeared] == [1]
    assert sight.seen == sight.appeared
    x, y, width, height = sight.seen[0].box
    assert abs(x - 200) <= 3
    assert abs(y - 150) <= 3
    assert abs(width - 100) <= 5
    assert width == pytest.approx(height, abs=2)


def test_a_followed_face_needs_fewer_windows_that_agree_than_a_newcomer(eye: Eye) -> None:
    box = ((200, 150, 100, 100), 200)
    eye.detector.agreeing = 4
    assert not any(eye.find(box).appeared for _ in range(30))
    again = Eye(eye.detector)
    eye.detector.agreeing = 5
    assert again.until_found(box).seen
    eye.detector.agreeing = 3
    assert all(again.find(box).seen for _ in range(30))


@pytest.mark.parametrize("side", [42, 60, 90, 130, 190, 260, 330])
def test_a_face_of_any_size_is_found_within_a_sweep_and_a_beat(eye: Eye, side: int) -> None:
    box = ((10, 470 - side, side, side), 200)
    sights = [eye.find(box) for _ in range(11)]
    assert any(sight.appeared for sight in sights) == (side < 300)


def test_what_nobody_could_talk_from_is_not_looked_for(eye: Eye) -> None:
    told = [eye.find(((200, 150, 26, 26), 200), ((300, 40, 400, 400), 150)) for _ in range(40)]
    assert all(sight == Sight((), (), ()) for sight in told)


def test_something_found_once_only_is_never_told(eye: Eye) -> None:
    box = ((200, 150, 100, 100), 200)
    beats = next(n for n in range(15) if eye.find(box).appeared)
    again = Eye(eye.detector)
    told = [again.find(box) for _ in range(beats)] + [again.find() for _ in range(30)]
    assert not any(sight.seen or sight.appeared or sight.lost for sight in told)


def test_no_beat_pays_for_a_whole_scan(eye: Eye) -> None:
    whole = 320 * 240
    for _ in range(30):
        eye.detector.pixels.clear()
        eye.find()
        # Two parts of the sweep.
        assert len(eye.detector.pixels) <= 2
    eye.until_found(((200, 150, 100, 100), 200))
    for _ in range(30):
        eye.detector.pixels.clear()
        eye.find(((200, 150, 100, 100), 200))
        assert len(eye.detector.pixels) <= 2
        assert sum(eye.detector.pixels) < whole


def test_a_followed_face_is_looked_for_in_its_region_only(eye: Eye) -> None:
    box = ((200, 150, 100, 100), 200)
    eye.until_found(box)
    looked = []
    for _ in range(12):
        eye.detector.pixels.clear()
        assert eye.find(box).seen
        looked.append(eye.detector.pixels[0])
    # 1.6 times the box at half the resolution; in every fourth beat 1.7 times the box, with the face 56 pixels wide.
    coarse, fine = sorted(looked)[:9], sorted(looked)[9:]
    assert 75 * 75 <= coarse[0] <= coarse[-1] <= 85 * 85
    assert 88 * 88 <= fine[0] <= fine[-1] <= 96 * 96


def test_newcomers_are_found_in_less_than_two_seconds(eye: Eye) -> None:
    box = ((100, 150, 100, 100), 200)
    eye.until_found(box)
    sights = [eye.find(box, ((400, 200, 80, 80), 150)) for _ in range(28)]
    assert [face.track for sight in sights for face in sight.appeared] == [2]
    assert all(any(face.track == 1 for face in sight.seen) for sight in sights)


def test_a_fifth_face_is_found_although_one_of_four_is_measured_in_every_beat(eye: Eye) -> None:
    boxes = [((16 + 120 * n, 200, 88, 88), level) for n, level in enumerate((60, 100, 150, 200, 240))]
    for _ in range(10 * 15):
        sight = eye.find(*boxes)
    assert len({face.track for face in sight.seen}) == len(boxes)


def test_a_moving_face_keeps_its_track(eye: Eye) -> None:
    eye.until_found(((100, 150, 100, 100), 200))
    tracks = {
        face.track for n in range(60) for face in eye.find(((100 + 5 * n, 150, 100 + n // 2, 100 + n // 2), 200)).seen
    }
    assert tracks == {1}


def test_a_face_that_goes_is_lost_after_two_misses(eye: Eye) -> None:
    eye.until_found(((200, 150, 100, 100), 200))
    sights = [eye.find() for _ in range(4)]
    assert [sight.lost for sight in sights].index((1,)) <= 2
    assert all(sight.seen == () for sight in sights)


def test_a_face_that_is_back_within_two_seconds_near_its_place_keeps_its_number(eye: Eye) -> None:
    eye.until_found(((200, 150, 100, 100), 200))
    for _ in range(20):
        eye.find()
    assert [face.track for face in eye.until_found(((210, 155, 104, 104), 200)).appeared] == [1]


@pytest.mark.parametrize(("away", "box"), [(40, (200, 150, 100, 100)), (15, (450, 300, 100, 100))])
def test_a_face_that_is_back_late_or_elsewhere_gets_a_new_number(eye: Eye, away: int, box: Box) -> None:
    eye.until_found(((200, 150, 100, 100), 200))
    for _ in range(away):
        eye.find()
    assert [face.track for face in eye.until_found((box, 200)).appeared] == [2]


def test_two_faces_are_followed_apart(eye: Eye) -> None:
    left, right = ((80, 150, 90, 90), 150), ((400, 160, 110, 110), 200)
    for _ in range(30):
        eye.find(left, right)
    sights = [eye.find(left, right) for _ in range(20)]
    assert all(len(sight.seen) == 2 for sight in sights)
    assert len({face.track for sight in sights for face in sight.seen}) == 2


@pytest.mark.parametrize("shape", [(1, 4000), (5, 4000), (4000, 3), (1, 1)])
def test_a_frame_too_thin_for_a_face_has_none(squares: Any, shape: tuple[int, int]) -> None:
    watch = StageTimes()
    finder = FaceFinder(squares, Optics(), LookPace(), watch)
    watch.begin()
    for t in (0.0, 0.1):
        assert finder.find(Frame(np.full(shape, 200, np.uint8), t, 0)) == Sight((), (), ())


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 960), (480, 640)])
def test_frames_of_any_size_are_looked_at_from_the_same_distance(squares: Any, width: int, height: int) -> None:
    finder = FaceFinder(squares, Optics(), LookPace(), watch := StageTimes())
    side = round(width * 0.15)
    grey = np.zeros((height, width), np.uint8)
    grey[height // 2 : height // 2 + side, width // 2 : width // 2 + side] = 200
    watch.begin()
    assert any(finder.find(Frame(grey, n / 15, 0)).appeared for n in range(12))
    assert max(squares.pixels) <= 320 * 320 * height / width


@pytest.mark.parametrize(("before", "now"), [((480, 640), (640, 480)), ((640, 480), (480, 640))])
def test_frames_that_change_their_size_are_searched_anew(
    squares: Any, before: tuple[int, int], now: tuple[int, int]
) -> None:
    finder = FaceFinder(squares, Optics(), LookPace(), watch := StageTimes())
    watch.begin()
    for n in range(15):
        finder.find(Frame(np.zeros(before, np.uint8), n / 15, 0))
    grey = np.zeros(now, np.uint8)
    grey[320:420, 330:430] = 200
    sights = [finder.find(Frame(grey, n / 15, 0)) for n in range(15, 27)]
    (face,) = [face for sight in sights for face in sight.appeared]
    assert face.box == pytest.approx((330, 320, 100, 100), abs=5)


@pytest.mark.parametrize("farthest_m", [0.26, 0.3, 0.4])
def test_few_sizes_are_swept_again_and_again(squares: Any, farthest_m: float) -> None:
    finder = FaceFinder(squares, Optics(farthest_m=farthest_m), LookPace(), watch := StageTimes())
    watch.begin()
    grey = np.zeros((480, 640), np.uint8)
    assert not any(finder.find(Frame(grey, n / 15, 0)).seen for n in range(60))
    grey[100:380, 150:430] = 200
    assert any(finder.find(Frame(grey, n / 15, 0)).seen for n in range(60, 90))
