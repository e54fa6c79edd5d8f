from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("skimage", reason="backgrounds need the extra train")

from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.data.faces import EMOTIONS, Faces
from cuelens_models.data.few import EACH, read_few, write_few
from cuelens_models.data.quality import faults
from cuelens_models.errors import BadInput

INPUT = Input(
    height=48,
    width=48,
    channels=1,
    dtype="float32",
    scale=0.0,
    zero_point=0,
    multiply=1.0,
    add=0.0,
    per_image=True,
    crop=CropRule(detector="haar-alt2", scale=1.0, shift_y=0.0),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made_up_faces: Callable[[int, int], Faces]) -> Path:
    folder = tmp_path_factory.mktemp("few")
    write_few(made_up_faces(8 * EACH, 0), folder, 0)
    return folder


def test_there_are_52_pictures_of_each_of_five_expressions(folder: Path) -> None:
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    assert classes == ["angry", "happy", "neutral", "sad", "surprise"]
    for word in classes:
        pictures = sorted((folder / word).iterdir())
        assert len(pictures) == EACH
        assert cv2.imread(str(pictures[0]), cv2.IMREAD_GRAYSCALE).shape == (200, 200)


def test_the_same_seed_draws_the_same_pictures_and_what_is_there_stays(
    folder: Path, tmp_path: Path, made_up_faces: Callable[[int, int], Faces]
) -> None:
    write_few(made_up_faces(8 * EACH, 0), tmp_path, 0)
    first = next(iter(sorted((tmp_path / "happy").iterdir())))
    assert first.read_bytes() == (folder / "happy" / first.name).read_bytes()
    first.write_bytes(b"mine")
    write_few(made_up_faces(8 * EACH, 0), tmp_path, 1)
    assert first.read_bytes() == b"mine"


def test_faces_cut_by_their_known_boxes_are_those_that_were_drawn(
    folder: Path, made_up_faces: Callable[[int, int], Faces]
) -> None:
    originals = made_up_faces(8 * EACH, 0)
    small_set = read_few(folder, INPUT, detected=False, inspected=False)
    assert (len(small_set.faces), small_set.missed, small_set.poor) == (5 * EACH, 0, {})
    for pixels, emotion in list(zip(small_set.faces.pixels, small_set.faces.emotion, strict=True))[::40]:
        away = np.abs(originals.pixels.astype(np.float32) - pixels).mean(axis=(1, 2))
        assert originals.emotion[away.argmin()] == emotion
        assert away.min() < 12


def test_what_the_detector_does_not_find_is_taken_whole(folder: Path) -> None:
    small_set = read_few(folder, INPUT, detected=True, inspected=False)
    # Noise with a bright band is no face to it.
    assert small_set.missed > 4 * EACH
    assert len(small_set.faces) == 5 * EACH


def test_poor_pictures_are_left_out_and_counted(tmp_path: Path, made_up_faces: Callable[[int, int], Faces]) -> None:
    faces = made_up_faces(8 * EACH, 0)
    happy = np.flatnonzero(faces.emotion == EMOTIONS.index("happy"))
    faces.pixels[happy] //= 8
    write_few(faces, tmp_path, 0)
    small_set = read_few(tmp_path, INPUT, detected=False, inspected=True)
    assert small_set.poor["dark"] == EACH
    assert EMOTIONS.index("happy") not in small_set.faces.emotion
    faces.pixels[:] = 0
    write_few(faces, tmp_path / "black", 0)
    with pytest.raises(BadInput, match=r"is left: dark 260, flat 260, blurred 260$"):
        read_few(tmp_path / "black", INPUT, detected=False, inspected=True)


def test_too_few_faces_of_an_expression_are_bad_input(
    tmp_path: Path, made_up_faces: Callable[[int, int], Faces]
) -> None:
    with pytest.raises(BadInput, match=r"2 faces to learn from are neutral: 52 are needed"):
        write_few(made_up_faces(16, 0), tmp_path, 0)


def test_faults_of_a_picture_are_named() -> None:
    well = np.random.default_rng(0).integers(60, 200, (12, 12), dtype=np.uint8)
    well = np.asarray(cv2.resize(well, (48, 48), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert faults(well) == []
    assert faults(well // 4) == ["dark", "flat"]
    assert faults(200 + well // 5) == ["bright", "flat"]
    assert faults(np.asarray(cv2.GaussianBlur(well, (0, 0), 1.5), np.uint8)) == ["blurred"]
    assert faults(np.full((48, 48), 128, np.uint8)) == ["flat", "blurred"]
