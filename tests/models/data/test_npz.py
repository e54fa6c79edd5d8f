import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens_models.data import npz
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadInput

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)
EMOTION = np.array([0, 1, 2, 3, 6, -1], np.int8)
VOTES = np.arange(60, dtype=np.uint8).reshape(6, 10)


def save_npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    faces = npz.read(save_npz(tmp_path / "x.npz", pixels=PIXELS, emotion=EMOTION, votes=VOTES, row=np.arange(6)))
    np.testing.assert_array_equal(faces.pixels, PIXELS)
    np.testing.assert_array_equal(faces.emotion, EMOTION)
    np.testing.assert_array_equal(faces.votes, VOTES)


def test_absent_labels_are_unknown_labels(tmp_path: Path) -> None:
    faces = npz.read(save_npz(tmp_path / "x.npz", pixels=PIXELS))
    assert faces.emotion.tolist() == [-1] * 6
    assert not faces.votes.any()
    assert len(faces) == 6


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        pytest.param({"faces": PIXELS}, "pixels", id="another name"),
        pytest.param({"pixels": PIXELS.astype(np.float32)}, "float32", id="floats"),
        pytest.param({"pixels": PIXELS[:, :40]}, "48", id="another size"),
        pytest.param({"pixels": PIXELS[0]}, "48", id="one face"),
        pytest.param({"pixels": np.uint8(3)}, "readable", id="a single number"),
        pytest.param({"pixels": PIXELS, "emotion": EMOTION[:5]}, "do not fit", id="too few labels"),
        pytest.param({"pixels": PIXELS, "emotion": np.array(list("abcdef"))}, "readable", id="labels in words"),
        pytest.param({"pixels": PIXELS, "emotion": EMOTION.astype(np.int64) + 256}, "whole", id="a label that wraps"),
        pytest.param({"pixels": PIXELS, "votes": VOTES + 0.5}, "whole numbers", id="half a vote"),
        pytest.param({"pixels": PIXELS, "votes": VOTES + np.int64(300)}, "whole numbers", id="300 votes"),
        pytest.param({"pixels": PIXELS, "votes": VOTES[:, :8]}, "do not fit", id="eight columns of votes"),
        pytest.param({"pixels": np.array([{}], dtype=object)}, "readable", id="pickled objects"),
        pytest.param({"pixels": PIXELS, "emotion": EMOTION + np.int8(10)}, "emotion", id="a label over 6"),
        pytest.param({"pixels": PIXELS, "emotion": EMOTION - np.int8(1)}, "emotion", id="a label under -1"),
    ],
)
def test_arrays_that_are_not_faces_are_bad_input(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    path = save_npz(tmp_path / "x.npz", **arrays)
    with pytest.raises(BadInput, match=words) as refused:
        npz.read(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(b""), lambda path: path.write_text("a letter")])
def test_a_file_that_numpy_did_not_write_is_bad_input(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "x.npz"
    write(path)
    with pytest.raises(BadInput, match="not readable"):
        npz.read(path)


def test_one_bare_array_is_bad_input(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PIXELS)
    with pytest.raises(BadInput, match="not readable"):
        npz.read((tmp_path / "x.npy").rename(tmp_path / "x.npz"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_anywhere_is_bad_input_or_leaves_faces(tmp_path: Path, save: Callable[..., None]) -> None:
    path = tmp_path / "x.npz"
    save(path, pixels=PIXELS, emotion=EMOTION, votes=VOTES)
    whole = path.read_bytes()
    chance = random.Random(0)  # noqa: S311
    ends = [*range(120), *range(len(whole) - 400, len(whole))]
    for place in ends + chance.sample(range(len(whole)), 150):
        content_with_damage = bytearray(whole)
        content_with_damage[place] ^= 1 << chance.randrange(8)
        for content in (bytes(content_with_damage), whole[:place]):
            path.write_bytes(content)
            with contextlib.suppress(BadInput):
                assert isinstance(npz.read(path), Faces)
