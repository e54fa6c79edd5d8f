from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

from cuelens_models.data.faces import Faces
from cuelens_models.train.batches import Views, augmented, human_targets
from cuelens_models.train.targets import HEADS, Targets
from cuelens_models.zoo.cuelens import INPUT, RECIPE

BATCH = RECIPE.batch


@pytest.fixture(scope="module")
def faces(made_up_faces: Callable[[int, int], Faces]) -> Faces:
    return made_up_faces(2 * BATCH + 5, 0)


def test_an_epoch_shows_whole_batches_of_different_faces(faces: Faces) -> None:
    shown: list[int] = []

    def answers(view: int, indices: np.ndarray) -> dict[str, Targets]:
        shown.extend(indices.tolist())
        return {}

    views = Views(faces, INPUT, 0, answers)
    assert len(views) == 2
    for index in range(len(views)):
        inputs, _ = views[index]
        assert inputs.shape == (BATCH, 48, 48, 1)
    assert len(set(shown)) == 2 * BATCH


def test_epochs_differ_and_follow_from_the_seed(faces: Faces) -> None:
    people = human_targets(faces, HEADS)
    first, same, other = (Views(faces, INPUT, seed, people) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[0][0], same[0][0])
    assert (first[0][0] != other[0][0]).any()
    same.epoch = 2
    assert (first[0][0] != same[0][0]).any()


def test_a_face_looks_the_same_in_a_view_wherever_it_stands(faces: Faces) -> None:
    together = augmented(faces, np.array([4, 7, 9]), 5, 0)
    alone = augmented(faces, np.array([7]), 5, 0)
    np.testing.assert_array_equal(together[1], alone[0])


def test_views_come_again_mirrored_every_second_time(faces: Faces) -> None:
    views_asked: list[int] = []
    shown: dict[int, dict[int, np.ndarray]] = {}

    def answers(view: int, indices: np.ndarray) -> dict[str, Targets]:
        views_asked.append(view)
        last[:] = indices.tolist()
        return {}

    last: list[int] = []
    views = Views(faces, INPUT, 0, answers, distinct=2)
    for epoch in range(1, 6):
        views.epoch = epoch
        inputs, _ = views[0]
        shown[epoch] = dict(zip(last, inputs, strict=True))
    assert views_asked == [1, 2, 1, 2, 1]
    common = set(shown[1]) & set(shown[3]) & set(shown[5])
    assert common
    for face in common:
        np.testing.assert_array_equal(shown[3][face], shown[1][face][:, ::-1])
        np.testing.assert_array_equal(shown[5][face], shown[1][face])


def test_every_input_is_standardised(faces: Faces) -> None:
    inputs, _ = Views(faces, INPUT, 0, human_targets(faces, HEADS))[0]
    np.testing.assert_allclose(inputs.mean(axis=(1, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(inputs.std(axis=(1, 2, 3)), 1, atol=1e-3)
