from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

import keras

from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import softmax
from cuelens_models.data.augment import posed
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.errors import BadInput
from cuelens_models.train import teacher_targets
from cuelens_models.train.batches import changed
from cuelens_models.train.fit import built, fed
from cuelens_models.train.targets import HEADS, targets
from cuelens_models.train.teachers import trained

SEED = 3


@pytest.fixture(scope="module")
def faces() -> Faces:
    """Three faces: with votes and a label, with votes alone, and with neither."""
    votes = np.zeros((3, len(VOTES)), np.uint8)
    votes[0, VOTES.index("happy")] = votes[1, VOTES.index("sad")] = 10
    pixels = np.random.default_rng(1).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    return Faces(pixels, np.array([3, -1, -1], np.int8), votes)


@pytest.fixture(scope="module")
def teachers() -> list[keras.Model]:
    keras.utils.set_random_seed(0)
    return [built("cuelens", HEADS), built("cuelens", HEADS)]


def given(
    teachers: list[keras.Model], faces: Faces, folder: Path, views: int = 2
) -> tuple[teacher_targets.Answers, list[int]]:
    told: list[int] = []
    masters = [trained(teacher, HEADS, "float32") for teacher in teachers]
    return teacher_targets.give(masters, faces, HEADS, views, SEED, folder, told.append), told


def test_a_target_is_the_teachers_mean_and_what_people_said(
    teachers: list[keras.Model], faces: Faces, tmp_path: Path
) -> None:
    answers, told = given(teachers, faces, tmp_path / "lessons")
    assert told == [1, 2]
    chosen = np.array([2, 0])
    for view in (1, 2):
        found = answers(view, chosen)
        inputs = model_inputs(changed(faces, chosen, view, SEED, posed), fed())
        for head in HEADS:
            of_teachers = np.mean(
                [softmax(np.float64(teacher.predict_on_batch(inputs)[head.name])) for teacher in teachers], axis=0
            )
            # The first chosen has neither votes nor a label: only the teachers speak.
            np.testing.assert_allclose(found[head.name][0], of_teachers[0], atol=2e-3)
            expected = 0.7 * of_teachers[1] + 0.3 * targets(faces, head)[0]
            np.testing.assert_allclose(found[head.name][1], expected, atol=2e-3)
            np.testing.assert_allclose(found[head.name].sum(axis=1), 1, atol=5e-3)


def test_views_differ_and_so_do_the_answers(teachers: list[keras.Model], faces: Faces, tmp_path: Path) -> None:
    answers, _ = given(teachers, faces, tmp_path / "lessons")
    everyone = np.arange(3)
    assert np.abs(answers(1, everyone)["votes"] - answers(2, everyone)["votes"]).max() > 1e-4


def test_what_was_asked_before_is_not_asked_again(teachers: list[keras.Model], faces: Faces, tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    given(teachers, faces, folder, views=1)
    before = (folder / "view-01.npy").stat().st_mtime_ns
    _, told = given(teachers, faces, folder, views=2)
    assert told == [1, 2]
    assert (folder / "view-01.npy").stat().st_mtime_ns == before
    assert sorted(file.name for file in folder.iterdir()) == ["view-01.npy", "view-02.npy"]


@pytest.mark.parametrize("content", [b"", b"a letter", b"\x93NUMPY\x01\x00"])
def test_a_damaged_answer_is_named(teachers: list[keras.Model], faces: Faces, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "lessons"
    given(teachers, faces, folder, views=1)
    (folder / "view-01.npy").write_bytes(content)
    with pytest.raises(BadInput, match=r"view-01\.npy is damaged"):
        given(teachers, faces, folder, views=1)


def test_answers_about_other_faces_are_refused(teachers: list[keras.Model], faces: Faces, tmp_path: Path) -> None:
    given(teachers, faces, tmp_path / "lessons", views=1)
    with pytest.raises(BadInput, match="other faces"):
        given(teachers, faces.take(np.arange(2)), tmp_path / "lessons", views=1)
