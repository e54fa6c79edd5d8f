import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cuelens_models.errors import BadInput
from cuelens_models.zoo.pretrained import read

ARRAYS = {
    "kernel": np.linspace(-0.3, 0.7, 2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4),
    "bias": np.float32([1.5, -2.25]),
}


@pytest.fixture
def manifest(tmp_path: Path, write_manifest: Callable[..., Path]) -> Path:
    return write_manifest(tmp_path / "weights.json", ARRAYS)


def test_floats_come_back_whole_and_bytes_within_half_a_step(manifest: Path) -> None:
    arrays = read(manifest).arrays
    assert set(arrays) == {"kernel", "bias"}
    np.testing.assert_array_equal(arrays["bias"], ARRAYS["bias"])
    assert arrays["kernel"].shape == (2, 2, 3, 4)
    np.testing.assert_allclose(arrays["kernel"], ARRAYS["kernel"], atol=0.5 / 255 + 1e-6)


def test_an_array_may_go_on_in_the_next_file(manifest: Path) -> None:
    before = read(manifest)
    content = manifest.with_suffix(".bin").read_bytes()
    for name, part in (("one", content[:7]), ("two", content[7:])):
        (manifest.parent / name).write_bytes(part)
    groups = json.loads(manifest.read_text())
    groups[0]["paths"] = ["one", "two"]
    manifest.write_text(json.dumps(groups))
    after = read(manifest)
    for name, values in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[name], values)


def test_other_weights_have_another_checksum(manifest: Path) -> None:
    before = read(manifest).sha256
    assert read(manifest).sha256 == before
    content = bytearray(manifest.with_suffix(".bin").read_bytes())
    content[0] ^= 1
    manifest.with_suffix(".bin").write_bytes(content)
    assert read(manifest).sha256 != before


@pytest.mark.parametrize("lost", ["weights.json", "weights.bin"])
def test_a_file_that_is_not_there_is_named(manifest: Path, lost: str) -> None:
    (manifest.parent / lost).unlink()
    with pytest.raises(BadInput, match=rf"{lost} cannot be read: No such file"):
        read(manifest)


def _set(key: str, value: Any) -> Callable[[Any], None]:
    def change(groups: Any) -> None:
        groups[0]["weights"][0][key] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda groups: groups[0].pop("paths"),
        lambda groups: groups[0]["weights"].pop(),
        lambda groups: groups.append(3),
        _set("name", []),
        _set("shape", [2, 2, 3, 5]),
        _set("shape", "wide"),
        _set("dtype", "int32"),
        _set("quantization", {"dtype": "uint16", "scale": 1.0, "min": 0.0}),
        _set("quantization", {"dtype": "uint8"}),
    ],
)
def test_a_manifest_that_does_not_fit_is_bad_input(manifest: Path, change: Callable[[Any], None]) -> None:
    groups = json.loads(manifest.read_text())
    change(groups)
    manifest.write_text(json.dumps(groups))
    with pytest.raises(BadInput, match=r"weights\.json is no weights manifest"):
        read(manifest)


@pytest.mark.parametrize("content", [b"", b"{", b"3", b"\xff\xfe", b'{"a": 1}', b"[[]]"])
def test_another_file_is_bad_input(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.json is no weights manifest"):
        read(tmp_path / "x.json")
