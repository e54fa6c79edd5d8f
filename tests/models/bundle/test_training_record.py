import contextlib
import random
import zipfile
from pathlib import Path

import msgspec
import pytest

from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import CropRule
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.errors import BadInput

RECORD = TrainingRecord(
    recipe="cuelens",
    labels=["neutral", "happy"],
    protocol="ferplus8",
    multiply=1 / 255,
    add=0.0,
    per_image=False,
    crop=CropRule(detector="haar-alt2", scale=1.02, shift_y=0.0),
    data="faces",
    epochs=2,
    seed=0,
)


@pytest.fixture
def keras_file(tmp_path: Path) -> Path:
    """A minimal stand-in for a `.keras` file: a zip with a config."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    return path


def test_what_was_written_is_read(keras_file: Path) -> None:
    training_record.write(keras_file, RECORD)
    assert training_record.read(keras_file) == RECORD
    with zipfile.ZipFile(keras_file) as archive:
        assert archive.namelist() == ["config.json", "cuelens.json"]


def test_a_file_that_says_nothing_is_no_error(keras_file: Path) -> None:
    assert training_record.read(keras_file) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_the_float_network_takes_unquantised_values(channels: int) -> None:
    spec = RECORD.float_input(48, 40, channels)
    assert (spec.height, spec.width, spec.channels) == (48, 40, channels)
    assert (spec.dtype, spec.scale, spec.zero_point) == ("float32", 0.0, 0)
    assert (spec.multiply, spec.add, spec.per_image, spec.crop) == (1 / 255, 0.0, False, RECORD.crop)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "no .keras file", id="empty"),
        pytest.param(b"a letter to the editor", "no .keras file", id="foreign"),
        pytest.param(b"PK\3\4", "no .keras file", id="cut short"),
        pytest.param(None, "No such file", id="missing"),
    ],
)
def test_a_file_that_is_no_keras_file_is_bad_input(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=words):
        training_record.read(path)


def test_a_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="directory"):
        training_record.read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"recipe": "\xff"}',
        b"[" * 100_000,
        msgspec.json.encode({**msgspec.to_builtins(RECORD), "colour": 1}),
    ],
)
def test_a_record_that_train_model_did_not_write_is_bad_input(keras_file: Path, content: bytes) -> None:
    with zipfile.ZipFile(keras_file, "a") as archive:
        archive.writestr(training_record.ENTRY, content)
    with pytest.raises(BadInput, match=r"cuelens\.json"):
        training_record.read(keras_file)


def test_a_record_that_unpacks_to_too_much_is_bad_input(keras_file: Path) -> None:
    with zipfile.ZipFile(keras_file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(training_record.ENTRY, b" " * 65_000_000)
    with pytest.raises(BadInput, match="too large"):
        training_record.read(keras_file)


def test_damage_anywhere_is_bad_input_or_changes_nothing(keras_file: Path) -> None:
    training_record.write(keras_file, RECORD)
    whole = keras_file.read_bytes()
    chance = random.Random(0)  # noqa: S311
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 1 << chance.randrange(8)
        keras_file.write_bytes(content)
        with contextlib.suppress(BadInput):
            # A damaged name hides the entry, and the file says nothing of itself.
            assert training_record.read(keras_file) in (RECORD, None)
