"""The network of candidates: what it proposes in pictures with and without a face, of any size."""

import math

import cv2
import numpy as np
import pytest

from cuelens.adapters.candidate_network import SMALLEST, CandidateNetwork
from cuelens.adapters.demo_scene import COLLINS, HOPPER, Model, photograph
from cuelens.frame import Grey


@pytest.fixture(scope="module")
def network() -> CandidateNetwork:
    return CandidateNetwork()


def before_a_wall(person: Model, side: int) -> Grey:
    """A photographed head in the middle of a picture of 160x120, with a face of so many pixels."""
    x, y, own, _ = person.mark
    around = round(0.55 * own)
    head = photograph(person.file)[max(y - around, 0) : y + own + around, max(x - around, 0) : x + own + around]
    small = cv2.resize(head, None, fx=side / own, fy=side / own, interpolation=cv2.INTER_AREA)[:120, :160]
    wall = np.full((120, 160), 120, np.uint8)
    top, left = (120 - small.shape[0]) // 2, (160 - small.shape[1]) // 2
    wall[top : top + small.shape[0], left : left + small.shape[1]] = small
    return wall


@pytest.mark.parametrize("person", [COLLINS, HOPPER])
@pytest.mark.parametrize("side", [12, 20, 32, 46])
def test_a_face_is_the_likeliest_candidate(network: CandidateNetwork, person: Model, side: int) -> None:
    best = network.candidates(before_a_wall(person, side))[0]
    assert math.hypot(best.x - 80, best.y - 60) < 0.5 * side
    assert abs(math.log(best.side / side)) < math.log(1.6)


def test_noise_and_plain_walls_have_few_candidates(network: CandidateNetwork) -> None:
    random = np.random.default_rng(5)
    noise = [np.clip(random.normal(120, 20, (120, 160)), 0, 255).astype(np.uint8) for _ in range(5)]
    walls = [np.full((120, 160), level, np.uint8) for level in (0, 60, 120, 180, 255)]
    assert all(len(network.candidates(picture)) <= 8 for picture in (*noise, *walls))


@pytest.mark.parametrize("shape", [(90, 160), (160, 120), (240, 320), (31, 200), (1, 1)])
def test_pictures_of_any_size_are_looked_at(network: CandidateNetwork, shape: tuple[int, int]) -> None:
    for candidate in network.candidates(np.full(shape, 90, np.uint8)):
        assert candidate.side >= SMALLEST / 2


def test_the_same_picture_has_the_same_candidates_whatever_came_between(network: CandidateNetwork) -> None:
    picture = before_a_wall(COLLINS, 24)
    first = network.candidates(picture)
    network.candidates(np.zeros((240, 320), np.uint8))
    assert network.candidates(picture) == first
