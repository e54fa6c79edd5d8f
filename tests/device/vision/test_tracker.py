"""Telling apart who is who: boxes given to tracks, on faces that are patches of noise."""

import math

import numpy as np
import pytest

from cuelens.frame import Grey
from cuelens.types import Box, Face
from cuelens.vision.alignment import Fit
from cuelens.vision.boxes import distance
from cuelens.vision.register import Register
from cuelens.vision.tracker import Scan, Track, assign

SIDE = 80


def patch(seed: int) -> Grey:
    """What a face looks like: eight by eight blobs, blurred by nothing."""
    random = np.random.default_rng(seed)
    return np.kron(random.integers(40, 220, (8, 8)), np.ones((SIDE // 8, SIDE // 8))).astype(np.uint8)


def picture(*placed: tuple[int, tuple[int, int]]) -> Grey:
    """A frame with patches; what is given later hides what is given before."""
    grey = np.full((480, 640), 128, np.uint8)
    for seed, (x, y) in placed:
        grey[y : y + SIDE, x : x + SIDE] = patch(seed)
    return grey


def box(x: int, y: int) -> Box:
    return x, y, SIDE, SIDE


def scan(*boxes: Box) -> Scan:
    """What a search found, in no doubt about sizes."""
    return Scan(dict.fromkeys(boxes, 9))


def followed(x: int, y: int, seed: int) -> Track:
    """A track that has stood there for a second."""
    track = Track(box(x, y), 0.0, 0.0, number=seed)
    for n in range(1, 16):
        assign({0: scan(box(x, y))}, [track], picture((seed, (x, y))), n / 15)
    return track


def test_of_two_boxes_each_track_gets_the_one_where_it_should_be() -> None:
    tracks = [followed(100, 100, 1), followed(300, 100, 2)]
    both = [box(305, 102), box(98, 101)]
    assign({0: scan(*both), 1: scan(*both)}, tracks, picture((1, (98, 101)), (2, (305, 102))), 16 / 15)
    assert [distance(track.box, own) < 2 for track, own in zip(tracks, (both[1], both[0]), strict=True)] == [True, True]
    assert [track.misses for track in tracks] == [0, 0]


@pytest.mark.parametrize(("seed", "misses"), [(1, 0), (2, 1)], ids=["the same face", "another face"])
def test_a_face_that_leaps_must_look_as_before(seed: int, misses: int) -> None:
    track = followed(100, 100, 1)
    assign({0: scan(box(130, 100))}, [track], picture((seed, (130, 100))), 16 / 15)
    assert track.misses == misses


@pytest.mark.parametrize(("pause_s", "seed", "misses"), [(0.2, 2, 0), (0.4, 2, 1), (0.4, 1, 0), (1.9, 2, 1)])
def test_after_a_pause_a_face_at_the_same_place_must_look_as_before(pause_s: float, seed: int, misses: int) -> None:
    track = followed(100, 100, 1)
    assign({0: scan(box(100, 100))}, [track], picture((seed, (100, 100))), 1 + pause_s)
    assert track.misses == misses


def test_what_a_face_looks_like_is_learned_anew_within_two_seconds() -> None:
    track = followed(100, 100, 1)
    for n in range(16, 46):
        assign({0: scan(box(100, 100))}, [track], picture((2, (100, 100))), n / 15)
    assign({0: scan(box(130, 100))}, [track], picture((2, (130, 100))), 46 / 15)
    assert track.misses == 0


def test_a_leap_is_taken_as_it_is_measured_and_a_tremble_in_part() -> None:
    for x, expected in ((140, 140), (108, 106)):
        track = Track(box(100, 100), 0.0, 0.0)
        track.update(box(x, 100), 1 / 15)
        assert track.box[0] == pytest.approx(expected, abs=1)


def test_a_side_that_is_wholly_trusted_says_nothing_of_growth() -> None:
    expected = []
    for trust in (0.5, 1.0):
        track = Track(box(100, 100), 0.0, 0.0)
        for n in range(1, 6):
            track.update((100, 100, SIDE + 2 * n, SIDE + 2 * n), n / 15, trust)
        expected.append(track.expected(5 / 15 + 0.5)[2])
    assert expected[0] > SIDE + 20
    assert expected[1] == SIDE + 10


def test_a_box_is_given_once_though_two_regions_show_it() -> None:
    tracks = [followed(100, 100, 1), followed(190, 100, 2)]
    assign({0: scan(box(104, 100)), 1: scan(box(105, 101))}, tracks, picture((1, (104, 100))), 16 / 15)
    assert [track.misses for track in tracks] == [0, 1]


def test_who_is_hidden_does_not_take_over_the_one_before_them() -> None:
    left, right = followed(100, 100, 1), followed(260, 100, 2)
    tracks = [left, right]
    for n in range(1, 21):
        places = (100 + 8 * n, 100), (260 - 8 * n, 100)
        grey = picture((1, places[0]), (2, places[1]))
        hidden = abs(places[0][0] - places[1][0]) < 0.7 * SIDE
        seen = [box(*places[1])] if hidden else [box(*places[0]), box(*places[1])]
        assign({0: scan(*seen), 1: scan(*seen)}, tracks, grey, 1 + n / 15)
        assert distance(right.box, box(*places[1])) < 5
        assert left.misses > 0 if hidden else distance(left.box, box(*places[0])) < 5


def test_somebody_else_at_a_missed_face_s_place_is_not_taken_for_it() -> None:
    track = followed(100, 100, 1)
    assign({0: scan()}, [track], picture(), 16 / 15)
    assign({0: scan(box(102, 100))}, [track], picture((2, (102, 100))), 17 / 15)
    assert track.misses == 2


@pytest.mark.parametrize("lit", [0.5, 1.0])
def test_the_same_face_is_taken_again_after_a_miss_in_any_light(lit: float) -> None:
    track = followed(100, 100, 1)
    assign({0: scan()}, [track], picture(), 16 / 15)
    grey = np.asarray(picture((1, (102, 100))) * lit, np.uint8)
    assign({0: scan(box(102, 100))}, [track], grey, 17 / 15)
    assert track.misses == 0


def test_a_track_knows_where_its_face_is_going() -> None:
    track = Track(box(100, 100), 0.0, 0.0)
    for n in range(1, 20):
        track.update(box(100 + 10 * n, 100 + 3 * n), n / 15)
    x, y, *_ = track.expected(20 / 15)
    assert abs(x - 300) <= 1
    assert abs(y - 160) <= 1


@pytest.mark.parametrize(("who", "number"), [(1, 1), (2, 2)])
def test_a_number_is_given_back_to_who_looks_the_same(who: int, number: int) -> None:
    register = Register(reunion_s=2.0)
    track = Track(box(100, 100), 0.0, 0.0)
    assert register.number(track, picture((1, (100, 100)))).track == 1
    assign({0: scan(box(101, 100))}, [track], picture((1, (101, 100))), 0.5)
    register.gone(track)
    back = Track(box(110, 105), 1.5, 1.6)
    assert register.number(back, picture((who, (110, 105)))).track == number


def test_a_box_that_trembles_is_steadied() -> None:
    random = np.random.default_rng(0)
    track, sides = Track(box(100, 100), 0.0, 0.0), []
    for n in range(1, 200):
        side = round(SIDE * float(np.exp(random.normal(0, 0.06))))
        track.update((140 - side // 2, 140 - side // 2, side, side), n / 15, trust=0.5 if n % 3 else 0.6)
        sides.append((track.box[2], side))
    steady, measured = np.std(np.log(sides[30:]), axis=0)
    assert steady < 0.8 * measured
    assert np.mean(sides[30:], axis=0) == pytest.approx([SIDE, SIDE], rel=0.03)


@pytest.mark.parametrize("growth", [-0.5, 0.5])
def test_a_face_that_comes_nearer_or_leaves_is_measured_without_lag(growth: float) -> None:
    track = Track(box(100, 100), 0.0, 0.0)
    for n in range(1, 23):
        side = round(SIDE * float(np.exp(growth * n / 15)))
        track.update((140 - side // 2, 140 - side // 2, side, side), n / 15, trust=0.5)
    assert track.box[2] == pytest.approx(side, rel=0.03)


def test_a_side_that_leaps_is_taken_at_once() -> None:
    track = Track(box(100, 100), 0.0, 0.0)
    track.update((60, 60, 2 * SIDE, 2 * SIDE), 1 / 15, trust=0.5)
    assert track.box == (60, 60, 2 * SIDE, 2 * SIDE)


@pytest.mark.parametrize(("to_the_left", "to_the_right", "sign"), [(30, 10, 1), (10, 30, -1), (20, 20, 0), (0, 0, 0)])
def test_the_tilt_goes_to_the_side_with_more_hits(to_the_left: int, to_the_right: int, sign: int) -> None:
    track = Track(box(100, 100), 0.0, 0.0)
    track.compare(to_the_left, 8.0)
    assert track.tilt == 0
    track.compare(to_the_right, -8.0)
    assert np.sign(track.tilt) == sign
    for _ in range(100):
        track.compare(to_the_left, 8.0)
    assert abs(track.tilt) <= 35


@pytest.mark.parametrize(("measured", "side"), [(88, 82), (72, 78), (160, 160), (40, 40)])
def test_of_a_side_that_a_search_measures_a_part_is_taken_and_all_of_one_that_is_far_off(
    measured: int, side: int
) -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1)
    corner = 140 - measured // 2
    track.update((corner, corner, measured, measured), 1 / 15, trust=0.25, fit=Fit(140, 140, SIDE, 0.0, 1.0))
    assert track.box[2] == side
    assert distance(track.box, box(100, 100)) <= 1


@pytest.mark.parametrize(("away_s", "number"), [(1.9, 1), (2.1, 2)])
def test_who_returns_within_the_reunion_keeps_the_number(away_s: float, number: int) -> None:
    register, grey = Register(2.0), picture((1, (100, 100)))
    register.number(left := Track(box(100, 100), began=0.0, t=0.0), grey)
    register.gone(left)
    assert register.number(Track(box(104, 100), began=away_s, t=away_s), grey).track == number


@pytest.mark.parametrize(("more", "less", "tilt"), [(6, 2, 4.0), (2, 6, -4.0), (5, 5, 0.0), (3, 0, 8.0), (0, 0, 0.0)])
def test_the_tilt_turns_by_the_share_of_hits_on_one_side(more: int, less: int, tilt: float) -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1)
    track.compare(more, 8.0)
    assert track.tilt == 0.0
    track.compare(less, -8.0)
    assert track.tilt == pytest.approx(tilt)


def test_a_leaning_scan_is_compared_with_the_one_before_where_that_one_leaned() -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1, tilt=25.0)
    track.compare(0, 8.0)
    track.compare(10, -8.0)
    assert track.tilt == 17.0
    # Nothing at 25 degrees, and the hits at 17 are known already.
    track.compare(0, 8.0)
    assert track.tilt == 17.0
    track.compare(10, 8.0)
    assert track.tilt == 21.0


def test_two_leaning_scans_turn_the_tilt_no_further_than_heads_lean() -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1, tilt=33.0)
    track.compare(0, -8.0)
    track.compare(10, 8.0)
    assert track.tilt == 35.0
    # The hits were at 41 degrees.
    track.compare(10, -8.0)
    assert track.tilt == 34.0


def returns_as(track: Track, who: int) -> bool:
    """Tell whether somebody who comes back at its place is taken for a face that was lost."""
    register = Register(2.0)
    register.number(track, picture())
    register.gone(track)
    back = Track(track.box, began=track.t + 1.0, t=track.t + 1.0)
    return register.number(back, picture((who, track.box[:2]))).track == track.number


def test_what_stands_at_the_place_of_a_face_that_is_not_found_is_not_learned() -> None:
    track = followed(100, 100, 1)
    for n in range(16, 46):
        assign({0: scan()}, [track], picture((2, (100, 100))), n / 15)
    assert returns_as(track, 1)
    assert not returns_as(followed(100, 100, 1), 2)


def test_what_passes_before_a_face_in_a_moment_is_not_learned() -> None:
    track = followed(100, 100, 1)
    for n in range(16, 19):
        assign({0: scan(box(100, 100))}, [track], picture((2, (100, 100))), n / 15)
    assert returns_as(track, 1)


def test_a_face_that_trembles_in_its_place_is_expected_there() -> None:
    random, track, off = np.random.default_rng(0), Track(box(100, 100), 0.0, 0.0), []
    for n in range(1, 200):
        x, y = (100 + round(float(tremble)) for tremble in random.normal(0, 1, 2))
        track.update(box(x, y), n / 15, trust=0.5)
        off.append(distance(track.expected(n / 15 + 0.2), box(100, 100)))
    assert np.mean(off) < 4
    assert max(off) < 12


@pytest.mark.parametrize("growth", [-2.0, -0.6, 0.6, 2.0])
@pytest.mark.parametrize("aligned", [False, True])
def test_a_face_is_expected_to_come_no_faster_than_from_two_metres_to_one_in_six_tenths(
    growth: float, *, aligned: bool
) -> None:
    track = Track(box(200, 200), 0.0, 0.0)
    for n in range(1, 16):
        side = SIDE * float(np.exp(growth * n / 15))
        if aligned:
            track.follow(Fit(240, 240, side, 0.0, 1.0), n / 15)
        else:
            corner = round(240 - side / 2)
            track.update((corner, corner, round(side), round(side)), n / 15, trust=0.5)
    _, _, now = track.place(1.0)
    _, _, later = track.place(1.5)
    bounded = min(max(growth, -1.2), 1.2)
    assert np.log(later / now) / 0.5 == pytest.approx(bounded, abs=0.1)


def test_a_new_face_is_expected_where_it_was_found() -> None:
    assert Track(box(100, 100), 0.0, 0.0).expected(2.0) == box(100, 100)


def test_two_frames_of_one_time_say_nothing_of_speed() -> None:
    track = Track(box(100, 100), 0.0, 0.0)
    track.follow(Fit(150, 140, SIDE, 0.0, 1.0), 0.0)
    assert track.expected(1.0) == box(110, 100)
    track.update(box(300, 300), 0.0)
    assert track.expected(1.0) == box(110, 100)


@pytest.mark.parametrize(("leans", "tilt"), [(-50.0, -35.0), (-10.0, -10.0), (12.0, 12.0), (50.0, 35.0)])
def test_a_head_leans_as_alignment_tells_but_by_no_more_than_heads_do(leans: float, tilt: float) -> None:
    track = Track(box(100, 100), 0.0, 0.0, number=1)
    track.follow(Fit(140, 140, SIDE, leans, 1.0), 1 / 15)
    assert track.face.tilt == tilt


def test_a_new_face_has_no_number_and_has_not_been_missed() -> None:
    track = Track(box(100, 100), began=5.0, t=5.0)
    assert track.face == Face(0, box(100, 100), 0.0)
    assign({0: scan()}, [track], picture(), 5.1)
    assert track.misses == 1


def test_a_face_that_alignment_follows_is_where_that_says_and_expected_farther_on() -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1)
    sides = [SIDE * math.exp(0.02 * n) for n in range(31)]
    for n in range(1, 30):
        track.follow(Fit(140 + 5 * n, 140 - 2 * n, sides[n], 10.0, 1.0), n / 15)
    assert track.place(29 / 15) == pytest.approx((140 + 5 * 29, 140 - 2 * 29, sides[29]))
    assert track.face == Face(1, track.expected(29 / 15), 10.0)
    assert track.place(2.0) == pytest.approx((140 + 5 * 30, 140 - 2 * 30, sides[30]), abs=0.1)


@pytest.mark.parametrize(("searched_t", "x", "y"), [(None, 120, 90), (0.0, 104, 98)], ids=["never", "just before"])
def test_of_a_place_that_a_search_measures_the_more_is_taken_the_longer_none_did(
    searched_t: float | None, x: int, y: int
) -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1)
    if searched_t is not None:
        track.searched(picture(), searched_t)
    track.update(box(120, 90), 1 / 15, fit=Fit(140, 140, SIDE, 0.0, 1.0))
    assert track.box == box(x, y)


@pytest.mark.parametrize(("number", "t", "compared"), [(1, 0.5, True), (0, 0.5, False), (1, 0.6, False)])
def test_how_a_face_looks_is_kept_for_alignment_if_it_counts_and_was_found(
    number: int, t: float, compared: bool
) -> None:
    track = Track(box(100, 100), began=0.0, t=0.5, number=number)
    for searches in (1, 2, 3):
        track.searched(picture((1, (100, 100))), t)
        assert (track.searched_t, track.searches) == (t, searches)
    assert (track.likeness is not None) == compared


def test_a_box_of_a_face_that_alignment_follows_is_given_to_nobody_else_though_they_look_alike() -> None:
    tracks = [followed(100, 100, 1), followed(190, 100, 1)]
    assign({1: scan(box(104, 100))}, tracks, picture((1, (104, 100))), 16 / 15)
    assert [track.misses for track in tracks] == [0, 1]


def test_of_two_who_were_lost_the_nearer_one_has_returned() -> None:
    register, grey = Register(2.0), picture()
    lost = [Track(box(x, 100), began=0.0, t=0.0) for x in (100, 120)]
    assert [register.number(track, grey).track for track in lost] == [1, 2]
    for track in lost:
        register.gone(track)
    assert register.places(1.9) == [box(100, 100), box(120, 100)]
    assert register.places(2.1) == []
    assert [register.number(Track(box(114, 100), began=1.0, t=1.0), grey).track for _ in range(3)] == [2, 1, 3]


def test_a_new_face_goes_on_from_where_it_came() -> None:
    track = Track((130, 90, 40, 40), began=1.0, t=1.0)
    track.came_from(box(60, 90), 0.8)
    assert track.speed == pytest.approx((250.0, -100.0))
    assert track.expected(1.1) == (155, 80, 40, 40)
    assert (track.box, track.t, track.began) == ((130, 90, 40, 40), 1.0, 1.0)


def leapt() -> Track:
    """A head that came nearer and leant, was missed, and was proposed elsewhere, at 0.2 s."""
    track = Track(box(100, 100), began=0.0, t=0.0, number=3)
    track.follow(Fit(140, 140, SIDE * 1.05, 10.0, 1.0), 0.1)
    track.compare(9, 8.0)
    track.misses = 1
    track.leap((200, 80, 90, 90), 0.2, -20.0)
    return track


def test_a_face_that_leaps_goes_on_from_there_and_still_counts_as_missed() -> None:
    track = leapt()
    assert track.face == Face(3, (200, 80, 90, 90), -20.0)
    assert (track.t, track.began, track.misses, track.leapt) == (0.2, 0.0, 1, True)
    assert track.speed == pytest.approx((1050.0, -150.0), abs=6)
    assert track.place(0.3) == pytest.approx((350.0, 110.0, 90.0), abs=1)


def test_after_a_leap_the_tilt_is_compared_anew() -> None:
    track = leapt()
    track.compare(2, -8.0)
    assert track.tilt == -20.0
    track.compare(6, 8.0)
    assert track.tilt == -16.0


def test_a_face_that_is_found_where_it_leapt_to_has_not_leapt_any_more() -> None:
    track = leapt()
    track.update((305, 65, 90, 90), 0.3)
    assert (track.leapt, track.misses) == (False, 0)


def test_a_head_that_stands_up_has_its_tilt_compared_anew() -> None:
    track = Track(box(100, 100), began=0.0, t=0.0, number=1, tilt=25.0)
    track.compare(9, 8.0)
    track.stand_up(5.0)
    track.compare(2, -8.0)
    assert track.tilt == 5.0
    track.compare(6, 8.0)
    assert track.tilt == 9.0


@pytest.mark.parametrize(
    ("place", "told", "tilt"), [(104, 0.0, 0.0), (104, -6.0, -6.0), (104, None, 25.0), (400, 0.0, 25.0)]
)
def test_a_head_stands_up_where_it_was_found_so_and_nowhere_else(place: int, told: float | None, tilt: float) -> None:
    track = followed(100, 100, 1)
    track.tilt = 25.0
    assign({0: Scan({box(place, 100): 9}, tilt=told)}, [track], picture((2, (400, 100)), (1, (104, 100))), 16 / 15)
    assert track.tilt == tilt


def test_a_side_of_which_a_search_is_in_no_doubt_is_taken_whole() -> None:
    track = Track(box(100, 100), began=0.0, t=0.0)
    track.update((98, 98, 84, 84), 1 / 15)
    assert track.box[2] == 84
    assign({0: scan((96, 96, 88, 88))}, [track], picture(), 2 / 15)
    assert track.box[2] == 88
