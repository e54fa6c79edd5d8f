from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")

from cuelens_convert.representative import MIN_IMAGES, check, choose, from_photographs
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput

Make = Callable[[int, int], Faces]


def classes(images: np.ndarray) -> list[int]:
    """Return the brightest band of each image, which says whose expression it stands for."""
    return images.reshape(len(images), 8, -1).mean(axis=2).argmax(axis=1).tolist()


def test_representative_images_are_model_input_of_training_faces(made_up_faces: Make, record: TrainingRecord) -> None:
    faces, float_input = made_up_faces(160, 0), record.float_input(48, 48, 1)
    images = choose(faces, "ferplus8", 120, seed=0).inputs(float_input)
    assert (images.shape, images.dtype) == ((120, 48, 48, 1), np.float32)
    training = {image.tobytes() for image in model_inputs(faces.pixels, float_input)}
    contents = [image.tobytes() for image in images]
    assert set(contents) <= training
    assert len(set(contents)) == 120


@pytest.mark.parametrize("count", [100, 103, 120])
def test_the_classes_are_balanced(made_up_faces: Make, record: TrainingRecord, count: int) -> None:
    representative = choose(made_up_faces(200, 0), "ferplus8", count, seed=0)
    counts = np.bincount(classes(representative.faces), minlength=8)
    assert list(representative.by_label.values()) == counts.tolist()
    assert counts.sum() == count
    assert counts.max() - counts.min() <= 1


def test_a_rare_class_gives_all_it_has_and_the_others_the_rest(made_up_faces: Make, record: TrainingRecord) -> None:
    faces = made_up_faces(320, 0)
    rare = np.concatenate([np.flatnonzero(np.arange(320) % 8 != 5), [5, 13, 21]])
    representative = choose(faces.take(rare), "ferplus8", 150, seed=0)
    assert np.bincount(classes(representative.faces), minlength=8).tolist() == [21, 21, 21, 21, 21, 3, 21, 21]


def test_the_seed_chooses(made_up_faces: Make, record: TrainingRecord) -> None:
    faces = made_up_faces(300, 0)
    first, same, other = (choose(faces, "ferplus8", 120, seed).faces for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert {image.tobytes() for image in first} != {image.tobytes() for image in other}


def test_three_channels_are_three(made_up_faces: Make, record: TrainingRecord) -> None:
    assert choose(made_up_faces(120, 0), "ferplus8", 100, 0).inputs(record.float_input(48, 48, 3)).shape == (
        100,
        48,
        48,
        3,
    )


@pytest.mark.parametrize(
    ("indices", "error"),
    [
        pytest.param(slice(0, MIN_IMAGES - 1), "there are 99 representative images", id="too few"),
        pytest.param(slice(3, 1200, 8), "show one expression", id="one class only"),
        pytest.param(slice(0, 0), "no image counts", id="none"),
        pytest.param(slice(0, MIN_IMAGES), None, id="just enough"),
    ],
)
def test_too_few_images_or_classes_are_refused(made_up_faces: Make, indices: slice, error: str | None) -> None:
    faces = made_up_faces(1200, 0).take(np.arange(1200)[indices])
    if error is None:
        assert len(choose(faces, "ferplus8", 500, 0).faces) == MIN_IMAGES
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
    made_up_faces: Make, record: TrainingRecord, tmp_path: Path
) -> None:
    for number, face in enumerate(made_up_faces(MIN_IMAGES + 10, 0).pixels):
        cv2.imwrite(str(tmp_path / f"{number}.png"), face)
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"wall{number}.png"), np.full((300, 300), 128, np.uint8))
    photographs = from_photographs(tmp_path, record.float_input(48, 48, 1), 500, 0)
    assert len(photographs.faces) == MIN_IMAGES + 10
    assert "113 pictures, 3 without a face" in photographs.origin
    representative = from_photographs(tmp_path, record.float_input(48, 48, 1), MIN_IMAGES, 0)
    assert len(representative.faces) == MIN_IMAGES


@pytest.mark.data
def test_a_face_in_a_photograph_is_cut_out(clips_dir: Path, record: TrainingRecord, tmp_path: Path) -> None:
    pictures = sorted(clips_dir.glob("*.jpg"))
    assert pictures
    picture = cv2.imread(str(pictures[0]))
    small = cv2.resize(
        picture, None, fx=240 / picture.shape[0], fy=240 / picture.shape[0], interpolation=cv2.INTER_AREA
    )
    for number in range(MIN_IMAGES):
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), small)
    photographs = from_photographs(tmp_path, record.float_input(48, 48, 1), MIN_IMAGES, 0)
    assert photographs.faces.shape == (MIN_IMAGES, 48, 48)
    assert "0 without a face" in photographs.origin


@pytest.mark.parametrize(("files", "error"), [({}, "holds no pictures"), ({"wall.png": 128}, "no face was found")])
def test_a_folder_without_faces_is_refused(
    record: TrainingRecord, tmp_path: Path, files: dict[str, int], error: str
) -> None:
    for name, level in files.items():
        cv2.imwrite(str(tmp_path / name), np.full((300, 300), level, np.uint8))
    with pytest.raises(BadInput, match=error):
        from_photographs(tmp_path, record.float_input(48, 48, 1), 100, 0)
