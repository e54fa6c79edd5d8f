"""Looking, with a detector that sees what the test draws: bright squares, at their true place and size."""

import numpy as np
import pytest

from cuelens.look import Looking, LookPace, Optics
from cuelens.stopwatch import Stopwatch
from cuelens.types import Box, Frame, Grey, Sight


class SquareDetector:
    """Finds bright squares on black, between the sizes it is asked for; counts what it was asked."""

    smallest = 20

    def __init__(self) -> None:
        self.pixels: list[int] = []

    def detect(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        self.pixels.append(picture.size)
        boxes = []
        for level in (100, 150, 200):
            rows, columns = np.nonzero(np.abs(picture.astype(int) - level) < 20)
            if len(rows):
                box = (int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
                # A square that is cut off by the border of the picture is no face.
                if smallest <= box[2] <= largest and abs(box[2] - box[3]) <= 2:
                    boxes.append(box)
        return boxes


def frame(t: float, *squares: tuple[Box, int]) -> Frame:
    grey = np.zeros((480, 640), np.uint8)
    for (x, y, width, height), level in squares:
        grey[max(y, 0) : y + height, max(x, 0) : x + width] = level
    return Frame(grey, t, 0)


class Eye:
    """A looking stage with its clock."""

    def __init__(self) -> None:
        self.detector = SquareDetector()
        self.watch = Stopwatch()
        self.looking = Looking(self.detector, Optics(), LookPace(), self.watch)
        self.n = 0

    def look(self, *squares: tuple[Box, int]) -> Sight:
        self.watch.begin()
        sight = self.looking.look(frame(self.n / 15, *squares))
        self.watch.end()
        self.n += 1
        return sight

    def until_found(self, *squares: tuple[Box, int]) -> Sight:
        return next(sight for _ in range(10) if (sight := self.look(*squares)).appeared)


def test_the_smallest_face_is_40_pixels_of_640_at_two_metres() -> None:
    assert Optics().smallest_face(640, 480) == pytest.approx(40, abs=0.1)
    assert Optics(farthest_m=1.0).smallest_face(640, 480) == pytest.approx(80, abs=0.2)
    assert Optics(horizontal_degrees=102).smallest_face(640, 480) < 20
    # A camera mounted on its side: the lens's width is the frame's height.
    assert Optics(sideways=True).smallest_face(480, 640) == pytest.approx(40, abs=0.1)


def test_a_face_counts_when_it_was_found_twice() -> None:
    eye = Eye()
    box = ((200, 150, 100, 100), 200)
    assert eye.look(box) == Sight((), (), ())
    second = eye.look(box)
    assert [face.track for face in second.appeared] == [1]
    assert second.seen == second.appeared
    x, y, width, height = second.seen[0].box
    assert abs(x - 200) <= 3
    assert abs(y - 150) <= 3
    assert abs(width - 100) <= 5
    assert width == pytest.approx(height, abs=2)


def test_something_found_once_only_is_never_told() -> None:
    eye = Eye()
    eye.look(((200, 150, 100, 100), 200))
    told = [eye.look() for _ in range(30)]
    assert all(sight == Sight((), (), ()) for sight in told)


def test_a_followed_face_is_looked_for_in_its_region_only() -> None:
    eye = Eye()
    box = ((200, 150, 100, 100), 200)
    eye.until_found(box)
    eye.detector.pixels.clear()
    for _ in range(10):
        eye.look(box)
    assert max(eye.detector.pixels) <= 100 * 100
    assert {beat[0] for beat in list(eye.watch.beats)[-10:]} == {"region"}


def test_newcomers_are_looked_for_once_a_second() -> None:
    eye = Eye()
    box = ((100, 150, 100, 100), 200)
    eye.until_found(box)
    sights = [eye.look(box, ((400, 200, 80, 80), 150)) for _ in range(18)]
    newcomers = [face.track for sight in sights for face in sight.appeared]
    assert newcomers == [2]
    assert sum(beat[0] == "full" for beat in list(eye.watch.beats)[-18:]) in (1, 2)


def test_a_moving_face_keeps_its_track() -> None:
    eye = Eye()
    eye.until_found(((100, 150, 100, 100), 200))
    tracks = {
        face.track for n in range(60) for face in eye.look(((100 + 5 * n, 150, 100 + n // 2, 100 + n // 2), 200)).seen
    }
    assert tracks == {1}


def test_a_face_that_goes_is_lost_after_two_misses() -> None:
    eye = Eye()
    eye.until_found(((200, 150, 100, 100), 200))
    sights = [eye.look() for _ in range(4)]
    assert [sight.lost for sight in sights].index((1,)) <= 2
    assert all(sight.seen == () for sight in sights)


def test_a_face_that_is_back_within_two_seconds_near_its_place_keeps_its_number() -> None:
    eye = Eye()
    eye.until_found(((200, 150, 100, 100), 200))
    for _ in range(20):
        eye.look()
    assert [face.track for face in eye.until_found(((210, 155, 104, 104), 200)).appeared] == [1]


@pytest.mark.parametrize(("away", "box"), [(40, (200, 150, 100, 100)), (15, (450, 300, 100, 100))])
def test_a_face_that_is_back_late_or_elsewhere_gets_a_new_number(away: int, box: Box) -> None:
    eye = Eye()
    eye.until_found(((200, 150, 100, 100), 200))
    for _ in range(away):
        eye.look()
    assert [face.track for face in eye.until_found((box, 200)).appeared] == [2]


def test_two_faces_are_followed_apart() -> None:
    eye = Eye()
    left, right = ((80, 150, 90, 90), 150), ((400, 160, 110, 110), 200)
    eye.until_found(left, right)
    sights = [eye.look(left, right) for _ in range(20)]
    assert all(len(sight.seen) == 2 for sight in sights)
    assert len({face.track for sight in sights for face in sight.seen}) == 2


@pytest.mark.parametrize("shape", [(1, 4000), (5, 4000), (4000, 3), (1, 1)])
def test_a_frame_too_thin_for_a_face_has_none(shape: tuple[int, int]) -> None:
    watch = Stopwatch()
    looking = Looking(SquareDetector(), Optics(), LookPace(), watch)
    watch.begin()
    for t in (0.0, 1.0):
        assert looking.look(Frame(np.full(shape, 200, np.uint8), t, 0)) == Sight((), (), ())


def test_frames_of_any_size_are_looked_at_from_the_same_distance() -> None:
    for width, height in ((320, 240), (1280, 960), (480, 640)):
        looking = Looking(detector := SquareDetector(), Optics(), LookPace(), watch := Stopwatch())
        side = round(width * 0.15)
        grey = np.zeros((height, width), np.uint8)
        grey[height // 2 : height // 2 + side, width // 2 : width // 2 + side] = 200
        watch.begin()
        looking.look(Frame(grey, 0.0, 0))
        assert looking.look(Frame(grey, 0.1, 0)).appeared
        assert detector.pixels[0] == pytest.approx(320 * 320 * height / width, rel=0.02)
