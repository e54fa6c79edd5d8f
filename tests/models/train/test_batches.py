from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.augment import damage, pose
from cuelens_models.data.faces import Faces
from cuelens_models.train.batches import Views, augmented, batches_of, followed_by, human_targets, views_of
from cuelens_models.train.targets import HEADS, ORIGINAL, VOTES, Targets, rarities, targets, weighted
from cuelens_models.zoo.cuelens import CONTROL, INPUT, RECIPE, recipe

BATCH = 128


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


def test_the_faces_after_those_that_teachers_know_have_their_votes(faces: Faces) -> None:
    people, count = human_targets(faces, HEADS), 100

    def taught(view: int, indices: np.ndarray) -> dict[str, Targets]:
        return {head.name: np.full((len(np.arange(count)[indices]), len(head.labels)), view) for head in HEADS}

    joined = followed_by(taught, count, people)(3, np.array([0, 99, 100, 200]))
    for head in HEADS:
        assert (joined[head.name][:2] == 3).all()
        np.testing.assert_array_equal(joined[head.name][2:], people(3, np.array([100, 200]))[head.name])


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


def untouched(face: Grey, random: np.random.Generator) -> Grey:
    return face


def marked(face: Grey, random: np.random.Generator) -> Grey:
    """A face whose first pixels say which numbers were drawn for it."""
    copy = face.copy()
    copy[0, :4] = random.integers(0, 256, 4)
    return copy


def test_each_face_and_its_mirror_image_stand_in_one_batch(faces: Faces) -> None:
    views = Views(faces, INPUT, 0, human_targets(faces, HEADS), twice=untouched)
    once = Views(faces, INPUT, 0, human_targets(faces, HEADS))
    for index in range(len(views)):
        inputs, wanted = views[index]
        assert inputs.shape == (2 * BATCH, 48, 48, 1)
        np.testing.assert_array_equal(inputs[:BATCH], once[index][0])
        np.testing.assert_array_equal(inputs[BATCH:], inputs[:BATCH, :, ::-1])
        for name, rows in once[index][1].items():
            np.testing.assert_array_equal(wanted[name], np.concatenate([rows, rows]))


def test_a_face_and_its_image_are_changed_by_chance_of_their_own(faces: Faces) -> None:
    def marks(epoch: int, distinct: int | None = 1) -> dict[bytes, np.ndarray]:
        views = Views(faces, INPUT, 0, human_targets(faces, HEADS), distinct, untouched, twice=marked)
        views.epoch = epoch
        inputs = np.concatenate([views[index][0] for index in range(len(views))])
        return {each.tobytes(): each for each in inputs[:, 0, :4, 0]}

    first, again, later = marks(1), marks(1), marks(2)
    # Each of 512 pictures has other marks, and other ones in the next epoch, which shows the same view.
    assert len(first) == 4 * BATCH
    assert first.keys() == again.keys()
    assert not first.keys() & later.keys()


def test_pairs_come_again_mirrored_every_second_time(faces: Faces) -> None:
    asked: list[list[int]] = []

    def answers(view: int, indices: np.ndarray) -> dict[str, Targets]:
        asked.append(indices.tolist())
        return {}

    views = Views(faces, INPUT, 0, answers, distinct=1, twice=untouched)
    shown = []
    for epoch in (1, 2):
        views.epoch = epoch
        inputs, _ = views[0]
        shown.append(dict(zip(asked[-1], zip(inputs[:BATCH], inputs[BATCH:], strict=True), strict=True)))
    common = set(shown[0]) & set(shown[1])
    assert common
    for face in common:
        np.testing.assert_array_equal(shown[1][face][0], shown[0][face][1])
        np.testing.assert_array_equal(shown[1][face][1], shown[0][face][0])


def test_a_share_of_a_batch_holds_faces_with_their_own_images(faces: Faces) -> None:
    views = Views(faces, INPUT, 0, human_targets(faces, HEADS), twice=untouched)
    whole, _ = views[0]
    parts = [views.share(0, part, 2)[0] for part in range(2)]
    for part in parts:
        np.testing.assert_array_equal(part[BATCH // 2 :], part[: BATCH // 2, :, ::-1])
    np.testing.assert_array_equal(np.concatenate([part[: BATCH // 2] for part in parts]), whole[:BATCH])


def test_our_recipe_shows_one_pose_of_a_face_to_two_small_cameras(faces: Faces) -> None:
    asked: list[int] = []

    def answers(view: int, indices: np.ndarray) -> dict[str, Targets]:
        asked[:] = indices.tolist()
        return {VOTES.name: np.ones((len(indices), 9), np.float32)}

    views = batches_of(RECIPE, faces, HEADS, 3, answers, 2)
    views.epoch = 2
    inputs, _ = views[0]
    assert inputs.shape == (2 * RECIPE.batch, 48, 48, 1)
    alike = np.zeros(3, int)
    for place, face in enumerate(asked):
        posed = pose(faces.pixels[face], np.random.default_rng((3, 2, face)))
        pair = [posed, np.ascontiguousarray(posed[:, ::-1])]
        seen = [damage(each, np.random.default_rng((3, 2, face, half))) for half, each in enumerate(pair, start=1)]
        np.testing.assert_array_equal(inputs[[place, place + RECIPE.batch]], model_inputs(np.stack(seen), INPUT))
        whole = [(one == other).all() for one, other in zip(seen, pair, strict=True)]
        alike += [whole[0], whole[1], all(whole)]
    # Half of the pictures have no damage at all, and a fourth of the pairs.
    np.testing.assert_allclose(alike / RECIPE.batch, [0.5, 0.5, 0.25], atol=0.1)


def test_rare_labels_count_more_in_the_first_head_alone(faces: Faces) -> None:
    people = human_targets(faces, HEADS)
    _, plain = batches_of(replace(RECIPE, rarity=0.0), faces, HEADS, 0, people)[0]
    _, wanted = batches_of(RECIPE, faces, HEADS, 0, people)[0]
    weights = rarities(targets(faces, VOTES), RECIPE.rarity)
    assert weights.max() > 1.1 * weights.min()
    np.testing.assert_array_equal(wanted[VOTES.name], weighted(plain[VOTES.name], weights))
    np.testing.assert_array_equal(wanted[ORIGINAL.name], plain[ORIGINAL.name])
    alone = (ORIGINAL,)
    _, original = batches_of(RECIPE, faces, alone, 0, human_targets(faces, alone))[0]
    by_label = rarities(targets(faces, ORIGINAL), RECIPE.rarity)
    np.testing.assert_array_equal(original[ORIGINAL.name], weighted(plain[ORIGINAL.name], by_label))


def test_without_mirror_and_rarity_a_training_is_shown_what_it_was_before(faces: Faces) -> None:
    control, people = recipe(CONTROL), human_targets(faces, HEADS)
    now, before = batches_of(control, faces, HEADS, 0, people, 16), Views(faces, INPUT, 0, people, 16)
    assert len(now) == len(before)
    for (inputs, wanted), (expected, rows) in zip(now, before, strict=True):
        np.testing.assert_array_equal(inputs, expected)
        for head in HEADS:
            np.testing.assert_array_equal(wanted[head.name], rows[head.name])


@pytest.mark.parametrize(("epochs", "views"), [(340, 48), (1000, 48), (170, 24), (100, 15), (2, 1), (1, 1)])
def test_a_shorter_training_asks_teachers_about_fewer_views(epochs: int, views: int) -> None:
    assert views_of(RECIPE, epochs) == views
