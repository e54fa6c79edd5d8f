import numpy as np
import pytest

pytest.importorskip("skimage", reason="backgrounds are cut from the pictures of scikit-image (extra train)")

from cuelens_models.data.backgrounds import HELD_OUT, LEARNED_FROM, backgrounds
from cuelens_models.data.faces import VOTES


def test_every_background_has_ten_votes_that_say_it_is_no_face() -> None:
    faces = backgrounds(30, 1)
    assert len(faces) == 30
    assert set(faces.votes[:, VOTES.index("not_a_face")]) == {10}
    assert (faces.votes.sum(axis=1) == 10).all()
    assert set(faces.emotion) == {-1}
    assert len({picture.tobytes() for picture in faces.pixels}) > 20


def test_the_same_seed_gives_the_same_pictures_and_another_others() -> None:
    np.testing.assert_array_equal(backgrounds(12, 1).pixels, backgrounds(12, 1).pixels)
    assert (backgrounds(12, 1).pixels != backgrounds(12, 2).pixels).any()


def test_no_background_is_asked_for() -> None:
    assert len(backgrounds(0, 1)) == 0


def test_pictures_that_measure_are_not_learned_from() -> None:
    assert not set(HELD_OUT) & set(LEARNED_FROM)
