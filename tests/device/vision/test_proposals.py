"""Proposals of new faces, with a detector whose candidates and windows the test chooses."""

import math

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Box, Candidate
from cuelens.vision.optics import Optics
from cuelens.vision.proposals import Proposal, Proposals

FACE = (300, 200, 80, 80)


class Scripted:
    """A detector with chosen candidates. One window passes in each picture that it scans, or none."""

    smallest = 20
    smallest_candidate = 10

    def __init__(self, *candidates: Candidate) -> None:
        self.told = list(candidates)
        self.passes = True
        self.seen: list[Grey] = []

    def candidates(self, picture: Grey) -> list[Candidate]:
        return self.told

    def faces(self, picture: Grey, smallest: int, largest: int) -> dict[Box, int]:
        return {}

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        self.seen.append(picture.copy())
        side = (smallest + largest) // 2
        return [((picture.shape[1] - side) // 2, (picture.shape[0] - side) // 2, side, side)] * self.passes


def candidate(box: Box, tilt: float = 0.0) -> Candidate:
    x, y, side, _ = box
    return Candidate((x + side / 2) / 4, (y + side / 2) / 4, side / 4, tilt)


def look(proposals: Proposals, t: float, *faces: Box, hits: int = 1, level: float = 0.0) -> list[Proposal]:
    frame = Frame(np.zeros((480, 640), np.uint8), t, 0)
    return proposals.look(frame, faces, hits=hits, level=level)


def test_a_candidate_in_which_a_window_passes_is_proposed_at_its_place() -> None:
    (found,) = look(Proposals(Scripted(candidate(FACE, 12.0)), Optics()), 0.0)
    assert found.tilt == 12.0
    assert found.box[0] + found.box[2] / 2 == pytest.approx(340, abs=8)
    assert found.box[1] + found.box[3] / 2 == pytest.approx(240, abs=8)


def test_one_in_which_too_few_windows_pass_is_none() -> None:
    assert look(Proposals(Scripted(candidate(FACE)), Optics()), 0.0, hits=2) == []


def test_a_face_that_is_followed_is_no_newcomer() -> None:
    detector = Scripted(candidate(FACE))
    assert look(Proposals(detector, Optics()), 0.0, (305, 203, 76, 76)) == []
    assert detector.seen == []


@pytest.mark.parametrize("side", [40, 60, 160])
def test_one_in_the_middle_of_a_followed_face_is_that_face_whatever_its_side(side: int) -> None:
    detector = Scripted(candidate((340 - side // 2, 240 - side // 2, side, side)))
    assert look(Proposals(detector, Optics()), 0.0, FACE) == []
    assert detector.seen == []


@pytest.mark.parametrize(("right", "found"), [(36, 0), (48, 1)])
def test_one_beyond_half_a_side_of_a_followed_face_is_another(right: int, found: int) -> None:
    beside = (340 + right - 25, 215, 50, 50)
    assert len(look(Proposals(Scripted(candidate(beside)), Optics()), 0.0, FACE)) == found


def test_a_place_that_is_dropped_for_an_hour_is_looked_at_again_and_again() -> None:
    detector = Scripted(candidate(FACE))
    detector.passes = False
    proposals = Proposals(detector, Optics())
    looks = [look(proposals, n * 0.4) for n in range(9000)]
    assert not any(looks)
    # After half a second: in every other look.
    assert len(detector.seen) == pytest.approx(4500, abs=5)


class Leftmost(Scripted):
    """A detector whose window passes at the left edge of what it scans."""

    def hits(self, picture: Grey, smallest: int, largest: int) -> list[Box]:
        return [(0, y, side, side) for _, y, side, _ in super().hits(picture, smallest, largest)]


def test_a_window_on_a_followed_face_is_no_newcomer_although_its_candidate_was_beside_it() -> None:
    beside = candidate((365, 180, 120, 120))
    assert len(look(Proposals(Leftmost(beside), Optics()), 0.0)) == 1
    assert look(Proposals(Leftmost(beside), Optics()), 0.0, (300, 200, 120, 120)) == []


@pytest.mark.parametrize(("tilt", "tilts"), [(2.0, [2, 2, 22, 2, 2, -22, 2]), (-3.0, [-3, -3, -22, -3, -3, 22, -3])])
def test_one_check_in_three_of_a_place_tries_a_lean_to_either_side(
    tilt: float, tilts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []
    monkeypatch.setattr(Proposals, "_windows", lambda _self, _grey, _place, lean: tried.append(lean) or [])
    proposals = Proposals(Scripted(candidate(FACE, tilt)), Optics())
    for n in range(len(tilts)):
        look(proposals, 0.6 * n)
    assert tried == tilts


def test_a_dropped_candidate_rests_longer_each_time_and_lets_others_have_their_turn() -> None:
    others = [candidate((60 * n, 300, 50, 50)) for n in range(2)]
    detector = Scripted(candidate(FACE), *others)
    detector.passes = False
    proposals = Proposals(detector, Optics())
    scans = []
    for n in range(150):
        detector.seen.clear()
        look(proposals, n / 15)
        scans.append(len(detector.seen))
    assert scans[:2] == [2, 1]
    assert max(scans) == 2
    assert 0 < sum(scans[75:]) < sum(scans[:75])


def test_a_head_that_leans_is_upright_when_it_is_checked() -> None:
    grey = np.zeros((480, 640), np.uint8)
    # A bright bar across the face, level with eyes that lean by 20 degrees.
    across, below = math.cos(math.radians(20)), -math.sin(math.radians(20))
    for step in range(-30, 31):
        x, y = round(340 + step * across), round(240 + step * below)
        grey[y - 4 : y + 5, x - 4 : x + 5] = 250
    detector = Scripted(candidate(FACE, 20.0))
    Proposals(detector, Optics()).look(Frame(grey, 0.0, 0), (), hits=1)
    rows, columns = np.nonzero(detector.seen[0] > 125)
    assert np.ptp(columns) > 4 * np.ptp(rows)


def test_a_room_that_leans_is_level_for_the_network_and_its_faces_lean_with_it() -> None:
    (found,) = look(Proposals(Scripted(candidate((400, 220, 40, 40))), Optics()), 0.0, level=90.0)
    assert found.tilt == 90.0
    # To the right of the centre before the frame is turned upright: above it in the frame itself.
    assert found.box[0] + 20 == pytest.approx(320, abs=6)
    assert found.box[1] + 20 == pytest.approx(140, abs=6)


@pytest.mark.parametrize("side", [24, 420])
def test_what_nobody_could_talk_from_is_no_candidate(side: int) -> None:
    assert look(Proposals(Scripted(candidate((20, 20, side, side))), Optics()), 0.0) == []
