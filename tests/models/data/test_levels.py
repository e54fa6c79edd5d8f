from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cuelens_models.data import image_folder, images, npz
from cuelens_models.data.fer2013 import ferplus_folder
from cuelens_models.errors import BadInput

FACE = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
FACE[0, 0], FACE[0, 1] = 0, 255


@pytest.mark.parametrize(
    ("name", "picture", "words"),
    [
        pytest.param("x.png", FACE.astype(np.uint16) * 16, "have 12 bits of 16 .*multiply them by 16", id="12 bits"),
        pytest.param("x.png", FACE.astype(np.uint16), "have 8 bits of 16 .*multiply them by 256", id="8 bits of 16"),
        pytest.param("x.tiff", FACE.astype(np.uint16) * 4, "have 10 bits of 16", id="10 bits"),
        pytest.param("x.tiff", np.float32(FACE / 255), "are divided by 255 already", id="divided"),
        pytest.param("x.tiff", np.float32(FACE / 127.5 - 1), "are scaled to -1 to 1", id="from -1 to 1"),
    ],
)
def test_a_picture_that_does_not_use_its_depth_is_refused(
    tmp_path: Path, name: str, picture: np.ndarray, words: str
) -> None:
    cv2.imwrite(str(tmp_path / name), picture)
    with pytest.raises(BadInput, match=rf"{name}: its grey levels {words}"):
        images.picture(tmp_path / name)


@pytest.mark.parametrize("bright", [20, 100, 255])
def test_pictures_of_16_bits_that_use_them_and_of_8_are_read(tmp_path: Path, bright: int) -> None:
    picture = np.full((48, 48), bright, np.uint8)
    cv2.imwrite(str(tmp_path / "8.png"), picture)
    cv2.imwrite(str(tmp_path / "16.png"), picture.astype(np.uint16) * 257)
    np.testing.assert_array_equal(images.picture(tmp_path / "8.png"), picture)
    np.testing.assert_array_equal(images.picture(tmp_path / "16.png"), picture)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        pytest.param(FACE / 255, "divided by 255 already", id="divided"),
        pytest.param(np.float32(FACE / 127.5 - 1), "scaled to -1 to 1", id="from -1 to 1"),
        pytest.param((FACE - FACE.mean()) / FACE.std(), "go below 0", id="standardised"),
        pytest.param(FACE.astype(np.uint16) * 16, r"have 12 bits \(up to 4080\): divide them by 16", id="12 bits"),
        pytest.param(FACE.astype(np.int32) * 257, "have 16 bits", id="16 bits"),
        pytest.param(FACE + 0.5, "no whole numbers", id="half a level"),
        pytest.param(np.where(FACE > 9, np.nan, FACE), "not all numbers", id="no numbers"),
        pytest.param(FACE > 99, "are bool", id="true and false"),
        pytest.param(FACE // 255, "is over 1: they were divided by 255", id="divided and cut"),
        pytest.param(FACE // 16, "is over 15: they were divided, or cut from 12 bits", id="12 bits, cut to 8"),
    ],
)
def test_arrays_that_are_no_grey_levels_are_refused(tmp_path: Path, pixels: Any, words: str) -> None:
    np.savez(tmp_path / "x.npz", pixels=pixels[np.newaxis])
    with pytest.raises(BadInput, match=words) as refused:
        npz.read(tmp_path / "x.npz")
    assert str(tmp_path / "x.npz") in str(refused.value)


def test_folders_of_nearly_black_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    cv2.imwrite(str(tmp_path / "happy" / "x.png"), FACE // 255)
    (tmp_path / "label.csv").write_text('happy/x.png,"(0, 0, 48, 48)",9,0,0,0,0,0,0,0,0,1\n')
    for read in (image_folder.read, ferplus_folder.read):
        with pytest.raises(BadInput, match="is over 1: they were divided by 255"):
            read(tmp_path)
