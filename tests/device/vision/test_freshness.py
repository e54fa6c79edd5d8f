"""Whether a reading is still one of what a face looks like, on faces that are patches of blobs."""

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.types import Face
from cuelens.vision.freshness import Freshness
from cuelens.vision.thumbnail import look

SIDE = 96


def picture(seed: int, mouth: int = 0, lit: float = 1.0) -> Frame:
    """A face of eight by eight blobs; its mouth is four of them, so much brighter."""
    blobs: Grey = np.random.default_rng(seed).integers(60, 180, (8, 8)).astype(np.uint8)
    blobs[6, 2:6] += np.uint8(mouth)
    grey = np.full((480, 640), 120, np.uint8)
    grey[100 : 100 + SIDE, 200 : 200 + SIDE] = np.kron(blobs, np.ones((SIDE // 8, SIDE // 8)))
    noise = np.random.default_rng(seed + 1).normal(0, 4, grey.shape)
    return Frame(np.clip(lit * grey + noise, 0, 255).astype(np.uint8), 0.0, 0)


FACE = Face(1, (200, 100, SIDE, SIDE))


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        (picture(1), True),
        (picture(1, lit=0.6), True),
        (picture(1, mouth=5), True),
        (picture(1, mouth=60), False),
        (picture(2), False),
    ],
    ids=["the same", "darker", "hardly another mouth", "another mouth", "somebody else"],
)
def test_a_face_that_looks_otherwise_must_be_read_anew(now: Frame, holds: bool) -> None:
    freshness = Freshness()
    freshness.note(picture(1), FACE)
    assert freshness.holds(now, FACE) is holds


def test_a_face_that_was_never_read_must_be_read() -> None:
    freshness = Freshness()
    freshness.note(picture(1), FACE)
    assert not freshness.holds(picture(1), Face(2, FACE.box))


@pytest.mark.parametrize("place", [(-300, 100), (200, -300), (700, 100), (200, 500)])
def test_of_a_box_outside_the_frame_nothing_is_seen(place: tuple[int, int]) -> None:
    assert look(picture(1).grey, (*place, SIDE, SIDE)) is None


def test_of_many_faces_the_last_are_remembered() -> None:
    freshness = Freshness()
    for track in range(100):
        freshness.note(picture(1), Face(track, FACE.box))
    assert [track for track in range(100) if freshness.holds(picture(1), Face(track, FACE.box))] == [*range(84, 100)]
