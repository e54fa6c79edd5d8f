from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")

from cuelens_convert.representative import LEAST, choose
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput
from cuelens_models.record import TrainingRecord

Make = Callable[[int, int], Faces]


def classes(images: np.ndarray) -> list[int]:
    """Return the brightest band of each image, which says whose expression it stands for."""
    return images.reshape(len(images), 8, -1).mean(axis=2).argmax(axis=1).tolist()


def test_representative_images_are_model_input_of_training_faces(made_up_faces: Make, said: TrainingRecord) -> None:
    faces, wanted = made_up_faces(160, 0), said.float_input(48, 48, 1)
    chosen = choose(faces, "ferplus8", wanted, 120, seed=0)
    assert (chosen.shape, chosen.dtype) == ((120, 48, 48, 1), np.float32)
    known = {image.tobytes() for image in model_inputs(faces.pixels, wanted)}
    given = [image.tobytes() for image in chosen]
    assert set(given) <= known
    assert len(set(given)) == 120


@pytest.mark.parametrize("count", [100, 103, 120])
def test_the_classes_are_balanced(made_up_faces: Make, said: TrainingRecord, count: int) -> None:
    chosen = choose(made_up_faces(200, 0), "ferplus8", said.float_input(48, 48, 1), count, seed=0)
    found = np.bincount(classes(chosen), minlength=8)
    assert found.sum() == count
    assert found.max() - found.min() <= 1


def test_a_rare_class_gives_all_it_has_and_the_others_the_rest(made_up_faces: Make, said: TrainingRecord) -> None:
    faces = made_up_faces(320, 0)
    rare = np.concatenate([np.flatnonzero(np.arange(320) % 8 != 5), [5, 13, 21]])
    chosen = choose(faces.take(rare), "ferplus8", said.float_input(48, 48, 1), 150, seed=0)
    assert np.bincount(classes(chosen), minlength=8).tolist() == [21, 21, 21, 21, 21, 3, 21, 21]


def test_the_seed_chooses(made_up_faces: Make, said: TrainingRecord) -> None:
    faces, wanted = made_up_faces(300, 0), said.float_input(48, 48, 1)
    first, same, other = (choose(faces, "ferplus8", wanted, 120, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert {image.tobytes() for image in first} != {image.tobytes() for image in other}


def test_three_channels_are_three(made_up_faces: Make, said: TrainingRecord) -> None:
    assert choose(made_up_faces(120, 0), "ferplus8", said.float_input(48, 48, 3), 100, 0).shape == (100, 48, 48, 3)


@pytest.mark.parametrize(
    ("kept", "error"),
    [
        pytest.param(slice(0, LEAST - 1), "99 representative images of 8 classes", id="too few"),
        pytest.param(slice(3, 1200, 8), "of 1 classes", id="one class only"),
        pytest.param(slice(0, 0), "no image counts", id="none"),
        pytest.param(slice(0, LEAST), None, id="just enough"),
    ],
)
def test_too_few_images_or_classes_are_refused(
    made_up_faces: Make, said: TrainingRecord, kept: slice, error: str | None
) -> None:
    faces = made_up_faces(1200, 0).take(np.arange(1200)[kept])
    wanted = said.float_input(48, 48, 1)
    if error is None:
        assert len(choose(faces, "ferplus8", wanted, 500, 0)) == LEAST
    else:
        with pytest.raises(BadInput, match=error):
            choose(faces, "ferplus8", wanted, 500, 0)
