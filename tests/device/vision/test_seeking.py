"""Seeking new faces in the whole frame: when a look comes, when parts of the sweep do, and faces that walk in fast."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Box, Candidate, Sight
from cuelens.vision.boxes import near
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes
from cuelens.vision.sweep import Sweep


def patches(seed: int, level: int = 200) -> Any:
    """What a square of 100 pixels looks like that alignment can follow."""
    return level + np.kron(np.random.default_rng(seed).integers(-9, 10, (5, 5)), np.ones((20, 20)))


CALM, OTHER = patches(3), patches(4)
# Whole pixels of frames that are shrunk by four: the edge of a square would be taken for a square of another level.
PLACE = (100, 152, 100, 100)


class Seeker:
    """A face finder that tells what each of its beats did.

    Attributes:
        looked: times of the looks.
        swept: parts of the sweep that were due in each beat.
        searched: how many faces each beat searched for.
    """

    def __init__(self, detector: Any) -> None:
        self.detector = detector
        self.finder = FaceFinder(detector, Optics(), LookPace(), watch := StageTimes())
        watch.begin()
        self.n = 0
        self.looked: list[float] = []
        self.swept: list[int] = []
        self.searched: list[int] = []

    def at(self, t: float, *squares: tuple[Box, Any], spent: bool = False, reduced: bool = False) -> Sight:
        """A beat at a time in seconds. spent: it read a face."""
        grey = np.zeros((480, 640), np.uint8)
        for (x, y, width, height), level in squares:
            grey[y : y + height, x : x + width] = level if np.isscalar(level) else level[:, : max(640 - x, 0)]
        frame = Frame(grey, t, 0)
        looks, self.parts = self.detector.looks, 0
        sight = self.finder.follow(frame)
        self.finder.seek(frame, spent=spent, reduced=reduced)
        self.looked += [t] * (self.detector.looks - looks)
        self.swept.append(self.parts)
        self.searched.append(sight.searched)
        return sight

    def beat(self, *squares: tuple[Box, Any], spent: bool = False) -> Sight:
        """The next beat of fifteen a second."""
        self.n += 1
        return self.at(self.n / 15, *squares, spent=spent)

    def known(self, *squares: tuple[Box, Any], beats: int = 30) -> "Seeker":
        """Follow faces for two seconds, and forget what the beats did."""
        sights = [self.beat(*squares) for _ in range(beats)]
        assert len(sights[-1].seen) == len(squares)
        self.looked, self.swept, self.searched = [], [], []
        return self

    def looks_as_soon_as(self, beats: int) -> bool:
        """Whether each look came so many beats after the one before, or when the next beat searched for nobody."""
        first = self.n - len(self.searched) + 1
        looks = [round(15 * t) - first for t in self.looked]
        # The last digit of a time may cost a beat.
        return all(
            later - earlier >= beats and not self.searched[later] and all(self.searched[earlier + beats + 1 : later])
            for earlier, later in pairwise(looks)
        )

    def beats_between_looks(self) -> list[int]:
        return [round(15 * gap) for gap in np.diff(self.looked)]


@pytest.fixture
def seeker(squares: Any, monkeypatch: pytest.MonkeyPatch) -> Seeker:
    """A seeker whose sweep is noted, and finds what it finds."""
    seeker = Seeker(squares)
    scan = Sweep.scan

    def noted(sweep: Sweep, frame: Frame, parts: int, *others: Any, **options: Any) -> list[Box]:
        seeker.parts += parts
        return scan(sweep, frame, parts, *others, **options)

    monkeypatch.setattr(Sweep, "scan", noted)
    return seeker


@pytest.fixture
def looking(seeker: Seeker, monkeypatch: pytest.MonkeyPatch) -> Seeker:
    """A seeker that finds by looks alone."""

    def nothing(*given: Any, **options: Any) -> list[Box]:
        return []

    monkeypatch.setattr(Sweep, "scan", nothing)
    return seeker


@pytest.mark.parametrize(("later", "looks"), [(0.119, 1), (0.121, 2)])
def test_without_a_tracked_face_a_look_comes_after_0_12_seconds(seeker: Seeker, later: float, looks: int) -> None:
    seeker.at(10.0)
    seeker.at(10.0 + later, (PLACE, 200))
    assert len(seeker.looked) == looks


@pytest.mark.parametrize(("later", "looks"), [(0.249, 1), (0.251, 2)])
def test_where_nothing_changes_the_next_look_comes_after_a_quarter_of_a_second(
    seeker: Seeker, later: float, looks: int
) -> None:
    seeker.at(10.0)
    seeker.at(10.0 + later)
    assert len(seeker.looked) == looks


def test_after_a_tracked_face_nothing_is_known_of_what_changed(looking: Seeker) -> None:
    looking.known((PLACE, 200))
    looking.detector.blind = True
    while looking.beat((PLACE, 200)).lost == ():
        pass
    # Two beats without a face, then every other beat looks: the last look was one with a tracked face.
    (last,) = looking.looked[-1:]
    looking.at(last + 0.13, (PLACE, 200))
    assert len(looking.looked) > looking.looked.index(last) + 1


@pytest.mark.parametrize("spent", [False, True])
def test_after_a_clock_that_went_back_a_look_comes_at_once(seeker: Seeker, *, spent: bool) -> None:
    seeker.at(10.0)
    seeker.at(5.0, spent=spent)
    assert seeker.looked == [10.0, 5.0]


def test_a_beat_that_seeks_nobody_does_not_look(seeker: Seeker) -> None:
    seeker.at(1.0, reduced=True)
    seeker.at(2.0, (PLACE, 200), reduced=True)
    assert seeker.looked == []
    assert seeker.swept == [0, 0]


def test_with_a_tracked_face_a_look_comes_every_0_4_seconds_or_in_the_next_beat_that_paid_for_nothing(
    seeker: Seeker,
) -> None:
    seeker.known((PLACE, CALM))
    for _ in range(90):
        seeker.beat((PLACE, CALM))
    assert seeker.looks_as_soon_as(6)
    assert len(seeker.looked) >= 10
    assert sum(seeker.searched) >= 15


@pytest.mark.parametrize(("later", "spent", "looks"), [(0.79, True, 1), (0.81, True, 2), (0.5, False, 2)])
def test_a_reading_puts_a_look_off_for_0_8_seconds(seeker: Seeker, later: float, looks: int, *, spent: bool) -> None:
    seeker.at(1.0)
    seeker.at(1.0 + later, spent=spent)
    assert len(seeker.looked) == looks


def test_readings_in_every_beat_put_looks_off_for_0_8_seconds(seeker: Seeker) -> None:
    seeker.known((PLACE, CALM))
    for _ in range(120):
        seeker.beat((PLACE, CALM), spent=True)
    assert set(seeker.beats_between_looks()) <= {12, 13}
    assert len(seeker.looked) >= 9


def test_a_search_in_every_beat_puts_looks_and_parts_of_the_sweep_off_for_0_8_seconds(seeker: Seeker) -> None:
    # Alignment cannot follow a square of one level.
    seeker.known((PLACE, 200))
    for _ in range(90):
        seeker.beat((PLACE, 200))
    assert seeker.searched == [1] * 90
    assert set(seeker.beats_between_looks()) <= {12, 13}
    assert len(seeker.looked) >= 6
    parts = np.flatnonzero(seeker.swept)
    assert set(np.diff(parts)) <= {12, 13, 14}
    assert len(parts) >= 6
    assert max(seeker.swept) == 1


@pytest.mark.parametrize("spent", [False, True])
def test_two_searches_in_every_beat_put_looks_off_no_longer(seeker: Seeker, *, spent: bool) -> None:
    both = (PLACE, 200), ((400, 152, 100, 100), 150)
    seeker.known(*both)
    for _ in range(150):
        seeker.beat(*both, spent=spent)
    assert seeker.searched == [2] * 150
    assert set(seeker.beats_between_looks()) <= {12, 13}
    assert len(seeker.looked) >= 11


@pytest.mark.parametrize("spent", [False, True])
def test_a_look_checks_two_candidates(looking: Seeker, *, spent: bool) -> None:
    looking.detector.windows = 0
    many = [((20 + 120 * n, 200, 88, 88), level) for n, level in enumerate((60, 100, 150, 200))]
    looking.at(1.0)
    looking.detector.pixels.clear()
    looking.at(1.81, *many, spent=spent)
    assert looking.looked == [1.0, 1.81]
    assert len(looking.detector.pixels) == 2


def test_without_a_tracked_face_two_newcomers_are_found_at_once(looking: Seeker) -> None:
    both = (PLACE, 200), ((400, 152, 100, 100), 150)
    looking.beat(*both)
    assert [face.track for face in looking.beat(*both).appeared] == [1, 2]


def test_beside_a_tracked_face_two_newcomers_are_found_at_once_too(looking: Seeker) -> None:
    known = PLACE, CALM
    looking.known(known)
    every = known, ((240, 152, 80, 80), 150), ((360, 152, 80, 80), 100), ((500, 152, 80, 80), 60)
    appeared = [number for _ in range(60) if (number := len(looking.beat(*every).appeared))]
    assert appeared == [2, 1]


@pytest.mark.parametrize(("windows", "found"), [(1, False), (2, True)])
def test_beside_a_tracked_face_two_windows_must_pass_and_without_one_a_single_one(
    looking: Seeker, windows: int, *, found: bool
) -> None:
    looking.detector.windows = 1
    known, newcomer = (PLACE, CALM), ((400, 152, 100, 100), 150)
    looking.known(known)
    looking.detector.windows = windows
    assert any(looking.beat(known, newcomer).appeared for _ in range(30)) == found


def test_without_a_tracked_face_two_parts_are_swept_in_each_beat_that_does_not_look(seeker: Seeker) -> None:
    seeker.detector.blind = True
    for n in range(30):
        seeker.beat(((40 + 16 * n, 152, 100, 100), 200))
    assert seeker.swept == [0, 2] * 15
    assert seeker.beats_between_looks() == [2] * 14


@pytest.mark.parametrize("rate", [5, 7.5])
def test_where_every_beat_looks_a_part_is_swept_in_it_too(seeker: Seeker, rate: float) -> None:
    seeker.detector.blind = True
    for n in range(30):
        seeker.at(n / rate, ((40 + 16 * n, 152, 100, 100), 200))
    assert len(seeker.looked) == 30
    assert seeker.swept == [0] + [1] * 29


def test_two_searches_leave_no_beat_to_the_sweep(seeker: Seeker) -> None:
    both = (PLACE, 200), ((400, 152, 100, 100), 150)
    seeker.known(*both)
    for _ in range(30):
        seeker.beat(*both)
    assert seeker.searched == [2] * 30
    assert seeker.swept == [0] * 30


def test_in_a_still_room_every_fourth_beat_looks_and_the_others_sweep(seeker: Seeker) -> None:
    for _ in range(32):
        seeker.beat()
    assert seeker.swept == [0, 2, 2, 2] * 8
    assert seeker.beats_between_looks() == [4] * 7


def test_a_reading_takes_one_of_two_parts(seeker: Seeker) -> None:
    seeker.at(1.0)
    seeker.at(1.05, spent=True)
    assert seeker.swept == [0, 1]


@pytest.mark.parametrize("newcomers", [0, 1, 2])
def test_each_search_for_a_newcomer_who_is_gone_takes_one_of_two_parts(seeker: Seeker, newcomers: int) -> None:
    seeker.at(1.0, *[(PLACE, 200), ((400, 152, 100, 100), 150)][:newcomers])
    assert seeker.at(1.05).searched == newcomers
    assert seeker.swept == [0, 2 - newcomers]


def test_with_a_tracked_face_the_frame_is_swept_in_four_seconds_of_idle_beats(seeker: Seeker) -> None:
    seeker.known((PLACE, CALM))
    for _ in range(150):
        seeker.beat((PLACE, CALM))
    looks = {round(15 * t) - 31 for t in seeker.looked}
    busy = [n for n in range(150) if n in looks or seeker.searched[n]]
    assert not any(seeker.swept[n] for n in busy)
    # Of 25 parts, less those that beats would have paid for that looked. Some more fall behind in busy beats.
    due = 25 / 4.0 / 15 * (150 - len(looks))
    assert 0.75 * due < sum(seeker.swept) <= due
    assert max(seeker.swept) <= 2


def test_parts_that_were_put_off_come_two_at_a_time_at_most(seeker: Seeker) -> None:
    seeker.known((PLACE, CALM))
    # Until others have come due since the last one that was not put off any longer.
    while seeker.swept[-4:] != [1, 0, 0, 0] or len(seeker.swept) < 30:
        seeker.beat((PLACE, CALM), spent=True)
    assert max(seeker.swept) == 1
    idle = []
    while len(idle) < 2:
        looks = len(seeker.looked)
        seeker.beat((PLACE, CALM))
        if not seeker.searched[-1] and len(seeker.looked) == looks:
            idle.append(seeker.swept[-1])
    assert idle[0] == 2
    assert idle[1] <= 1


def blind_network(picture: Grey) -> list[Candidate]:
    return []


@pytest.mark.parametrize("side", [44, 100, 240])
def test_what_the_network_does_not_know_the_sweep_finds(
    seeker: Seeker, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeker.detector, "candidates", blind_network)
    seeker.detector.windows = 1
    assert any(seeker.beat(((300, 200, side, side), 150)).appeared for _ in range(30))


def test_the_sweep_finds_it_beside_a_tracked_face_too(seeker: Seeker, monkeypatch: pytest.MonkeyPatch) -> None:
    seeker.known((PLACE, CALM))
    monkeypatch.setattr(seeker.detector, "candidates", blind_network)
    newcomer = (400, 200, 100, 100), 150
    assert any(seeker.beat((PLACE, CALM), newcomer).appeared for _ in range(45))


@pytest.mark.parametrize(("windows", "found"), [(1, False), (2, True)])
def test_beside_a_tracked_face_two_windows_of_the_sweep_must_agree(
    seeker: Seeker, windows: int, monkeypatch: pytest.MonkeyPatch, *, found: bool
) -> None:
    seeker.known((PLACE, CALM))
    monkeypatch.setattr(seeker.detector, "candidates", blind_network)
    seeker.detector.windows = windows
    # Of its size only one part of the sweep has a window.
    newcomer = (400, 200, 40, 40), 150
    assert any(seeker.beat((PLACE, CALM), newcomer).appeared for _ in range(60)) == found


def test_what_was_proposed_and_not_found_again_rests_for_a_quarter_of_a_second(looking: Seeker) -> None:
    looking.detector.agreeing = 4
    for n, t in enumerate((0.0, 0.05, 0.2, 0.25, 0.32, 0.37)):
        looking.at(t, (PLACE, 200 if n // 2 % 2 else 150))
    assert looking.looked == [0.0, 0.2, 0.32]
    assert looking.searched == [0, 1, 0, 0, 0, 1]


def walker(t: float, y: int = 152, level: int = 200) -> tuple[Box, int]:
    """A face that walks in by sixteen of its sides a second: out of reach of a search in the next beat."""
    return (20 + round(1600 * t), y, 100, 100), level


@pytest.mark.parametrize(("later", "confirmed"), [(0.14, True), (0.21, True), (0.23, False)])
def test_who_walks_in_fast_is_confirmed_by_two_finds_within_0_22_seconds(
    looking: Seeker, later: float, *, confirmed: bool
) -> None:
    for t in (0.0, 0.07, later):
        assert looking.at(t, walker(t)).appeared == ()
    assert looking.looked == [0.0, later]
    sight = looking.at(later + 0.07, walker(later + 0.07))
    assert bool(sight.appeared) == confirmed
    if confirmed:
        assert near(sight.seen[0].box, walker(later + 0.07)[0])


def test_each_of_two_who_walk_in_came_from_the_nearer_place(looking: Seeker) -> None:
    def both(t: float) -> list[tuple[Box, int]]:
        return [walker(t, 40), walker(t, 192, 150)]

    for t in (0.0, 0.07, 0.14):
        looking.at(t, *both(t))
    assert [face.track for face in looking.at(0.21, *both(0.21)).appeared] == [1, 2]


def test_what_was_found_out_of_reach_is_not_where_a_newcomer_came_from(looking: Seeker) -> None:
    # Then it would be searched for farther on, and not be found where it stands.
    looking.at(0.0, ((20, 40, 100, 100), 200))
    looking.at(0.07)
    looking.at(0.14, ((420, 300, 100, 100), 200))
    assert looking.at(0.21, ((420, 300, 100, 100), 200)).appeared


def turning(n: float, pattern: Any = CALM) -> tuple[Box, Any]:
    """A face that goes off by 1.12 of its sides a beat: the wearer's head turns."""
    return (round(100 + 112 * n), 152, 100, 100), pattern


def test_a_missed_face_that_is_found_elsewhere_in_the_same_beat_keeps_its_number(seeker: Seeker) -> None:
    seeker.known(turning(0))
    looks = seeker.detector.looks
    sight = seeker.beat(turning(1))
    assert (sight.seen, sight.lost, seeker.detector.looks) == ((), (), looks + 1)
    for n in (2, 3, 4):
        (face,) = seeker.beat(turning(n)).seen
        assert face.track == 1
        assert near(face.box, turning(n)[0])


@pytest.mark.parametrize(
    ("pattern", "spent", "steps"),
    [(OTHER, False, (1, 2, 3)), (CALM, True, (1, 2, 3)), (CALM, False, (1.25, 2.5, 3.75))],
    ids=["another face", "no look after a reading", "out of reach"],
)
def test_another_face_and_one_out_of_reach_do_not_take_its_number(
    looking: Seeker, pattern: Any, steps: tuple[float, ...], *, spent: bool
) -> None:
    looking.known(turning(0))
    sights = [looking.beat(turning(n, pattern), spent=spent and n == 1) for n in steps]
    assert [track for sight in sights for track in sight.lost] == [1]
    assert not any(face.track == 1 for sight in sights for face in sight.seen)


def test_a_missed_face_that_is_found_elsewhere_and_hastens_keeps_its_number(looking: Seeker) -> None:
    looking.known(turning(0))
    assert looking.beat(turning(1)).seen == ()
    (face,) = looking.beat(turning(2.4)).seen
    assert face.track == 1


def test_a_face_that_sets_off_is_followed_without_a_look(seeker: Seeker) -> None:
    seeker.known(turning(0))
    looks = seeker.detector.looks
    (face,) = seeker.beat(turning(0.8)).seen
    assert face.track == 1
    assert near(face.box, turning(0.8)[0])
    assert seeker.detector.looks == looks


@pytest.mark.parametrize("rate", [5, 7.5, 10])
def test_where_frames_are_sparse_a_face_that_goes_to_and_fro_is_followed_all_the_same(
    looking: Seeker, rate: float
) -> None:
    places = [turning(0, 200)] * 10 + [turning(0.7, 200), turning(0, 200)] * 6
    sights = [looking.at(n / rate, place) for n, place in enumerate(places)]
    for sight, (box, _) in zip(sights[10:], places[10:], strict=True):
        (face,) = sight.seen
        assert face.track == 1
        assert near(face.box, box)


def test_another_face_that_stands_where_a_missed_one_could_be_is_a_newcomer(looking: Seeker) -> None:
    looking.known(turning(0))
    assert looking.beat(turning(1, OTHER)).appeared == ()
    assert [face.track for face in looking.beat(turning(1, OTHER)).appeared] == [2]


def test_after_two_searches_a_missed_face_is_not_looked_for(looking: Seeker) -> None:
    # The other one is searched for in every beat.
    other = (PLACE[0], 340, 100, 100), 150
    looking.known(turning(0), other)
    looks = looking.detector.looks
    assert looking.beat(turning(1), other).searched == 2
    assert looking.detector.looks == looks
