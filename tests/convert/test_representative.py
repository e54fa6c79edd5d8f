import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")

from cuelens_convert.representative import LEAST, check, choose, from_photographs
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput

Make = Callable[[int, int], Faces]


def classes(images: np.ndarray) -> list[int]:
    """Return the brightest band of each image, which says whose expression it stands for."""
    return images.reshape(len(images), 8, -1).mean(axis=2).argmax(axis=1).tolist()


def test_representative_images_are_model_input_of_training_faces(made_up_faces: Make, said: TrainingRecord) -> None:
    faces, wanted = made_up_faces(160, 0), said.float_input(48, 48, 1)
    chosen = choose(faces, "ferplus8", 120, seed=0).inputs(wanted)
    assert (chosen.shape, chosen.dtype) == ((120, 48, 48, 1), np.float32)
    known = {image.tobytes() for image in model_inputs(faces.pixels, wanted)}
    given = [image.tobytes() for image in chosen]
    assert set(given) <= known
    assert len(set(given)) == 120


@pytest.mark.parametrize("count", [100, 103, 120])
def test_the_classes_are_balanced(made_up_faces: Make, said: TrainingRecord, count: int) -> None:
    chosen = choose(made_up_faces(200, 0), "ferplus8", count, seed=0)
    found = np.bincount(classes(chosen.faces), minlength=8)
    assert list(chosen.by_label.values()) == found.tolist()
    assert found.sum() == count
    assert found.max() - found.min() <= 1


def test_a_rare_class_gives_all_it_has_and_the_others_the_rest(made_up_faces: Make, said: TrainingRecord) -> None:
    faces = made_up_faces(320, 0)
    rare = np.concatenate([np.flatnonzero(np.arange(320) % 8 != 5), [5, 13, 21]])
    chosen = choose(faces.take(rare), "ferplus8", 150, seed=0)
    assert np.bincount(classes(chosen.faces), minlength=8).tolist() == [21, 21, 21, 21, 21, 3, 21, 21]


def test_the_seed_chooses(made_up_faces: Make, said: TrainingRecord) -> None:
    faces = made_up_faces(300, 0)
    first, same, other = (choose(faces, "ferplus8", 120, seed).faces for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert {image.tobytes() for image in first} != {image.tobytes() for image in other}


def test_three_channels_are_three(made_up_faces: Make, said: TrainingRecord) -> None:
    assert choose(made_up_faces(120, 0), "ferplus8", 100, 0).inputs(said.float_input(48, 48, 3)).shape == (
        100,
        48,
        48,
        3,
    )


@pytest.mark.parametrize(
    ("kept", "error"),
    [
        pytest.param(slice(0, LEAST - 1), "there are 99 representative images", id="too few"),
        pytest.param(slice(3, 1200, 8), "show one expression", id="one class only"),
        pytest.param(slice(0, 0), "no image counts", id="none"),
        pytest.param(slice(0, LEAST), None, id="just enough"),
    ],
)
def test_too_few_images_or_classes_are_refused(made_up_faces: Make, kept: slice, error: str | None) -> None:
    faces = made_up_faces(1200, 0).take(np.arange(1200)[kept])
    if error is None:
        assert len(choose(faces, "ferplus8", 500, 0).faces) == LEAST
    else:
        with pytest.raises(BadInput, match=error):
            choose(faces, "ferplus8", 500, 0)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        pytest.param(lambda pixels, random: np.full_like(pixels, 90), "of one grey", id="constant"),
        pytest.param(lambda pixels, random: random.integers(0, 256, pixels.shape, np.uint8), "are noise", id="noise"),
        pytest.param(lambda pixels, random: pixels // 255, "end at 0 of 255", id="scaled before"),
        pytest.param(lambda pixels, random: pixels // 8, "end at 24 of 255", id="very dark"),
    ],
)
def test_what_can_be_no_faces_is_refused(made_up_faces: Make, spoil: Callable[..., np.ndarray], error: str) -> None:
    pixels = made_up_faces(160, 0).pixels
    check(pixels)
    with pytest.raises(BadInput, match=error):
        check(spoil(pixels, np.random.default_rng(0)))


def test_photographs_are_searched_for_faces_and_small_pictures_taken_whole(
    made_up_faces: Make, said: TrainingRecord, tmp_path: Path
) -> None:
    for number, face in enumerate(made_up_faces(LEAST + 10, 0).pixels):
        cv2.imwrite(str(tmp_path / f"{number}.png"), face)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"wall{number}.png"), np.full((300, 300), 128, np.uint8))
    found = from_photographs(tmp_path, said.float_input(48, 48, 1), 500, 0)
    assert len(found.faces) == LEAST + 10
    assert "113 pictures, 3 without a face" in found.said
    chosen = from_photographs(tmp_path, said.float_input(48, 48, 1), LEAST, 0)
    assert len(chosen.faces) == LEAST


@pytest.mark.data
def test_a_face_in_a_photograph_is_cut_out(clips_dir: Path, said: TrainingRecord, tmp_path: Path) -> None:
    photographs = sorted(clips_dir.glob("*.jpg"))
    assert photographs
    for number in range(LEAST):
        shutil.copy(photographs[0], tmp_path / f"{number}.jpg")
    found = from_photographs(tmp_path, said.float_input(48, 48, 1), LEAST, 0)
    assert found.faces.shape == (LEAST, 48, 48)
    assert "0 without a face" in found.said


@pytest.mark.parametrize(("files", "error"), [({}, "holds no pictures"), ({"wall.png": 128}, "no face was found")])
def test_a_folder_without_faces_is_refused(
    said: TrainingRecord, tmp_path: Path, files: dict[str, int], error: str
) -> None:
    for name, level in files.items():
        cv2.imwrite(str(tmp_path / name), np.full((300, 300), level, np.uint8))
    with pytest.raises(BadInput, match=error):
        from_photographs(tmp_path, said.float_input(48, 48, 1), 100, 0)
