import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")

import keras

from cuelens_convert.quantise import SCHEMES
from cuelens_convert.source import PIXELS
from cuelens_models.bundle import training_record
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.bundle.file import SHIPPED

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # The converter warns of every full int8 conversion from Keras, though it has its representative images.
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

Command = Callable[..., Any]
Save = Callable[..., Path]


@pytest.fixture
def model(bands: Callable[..., Any], saved: Save) -> Path:
    return saved(bands())


def refused_with_3(ended: Any, words: str) -> None:
    assert ended.status == 3, ended
    (line,) = ended.err.splitlines()
    assert line.startswith("convert-model: ")
    assert words in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required, but missing: MODEL (or --inspect BUNDLE), --data DATA, -o OUT"),
        (("m.keras",), "required, but missing: --data DATA, -o OUT"),
        (("m.keras", "--data", "x"), "required, but missing: -o OUT"),
        (("m.keras", "-o", "x.tflite"), "required, but missing: --data DATA"),
        (("m.tflite", "--temperature", "1"), "required, but missing: -o OUT"),
        (("m.keras", "--data", "x", "-o", "y", "--max-drop", "little"), "--max-drop"),
        (("m.keras", "--data", "x", "-o", "y", "--max-drop", "nan"), "--max-drop"),
        (("m.keras", "--data", "x", "-o", "y", "--seed", "5000000000"), "is no seed"),
        (("m.keras", "--data", "x", "-o", "y", "--seed", "-1"), "is no seed"),
        (("m.keras", "--data", "x", "-o", "y", "--classes", "enojo"), "write NAME=LABEL"),
        (("m.keras", "--data", "x", "-o", "y", "--classes", "enojo=glee"), "'glee' is no expression"),
    ],
)
def test_wrong_usage_ends_with_2(convert_model: Command, arguments: tuple[str, ...], words: str) -> None:
    ended = convert_model(*arguments)
    assert ended.status == 2
    assert words in ended.err


def test_every_scheme_and_way_of_feeding_pixels_can_be_asked_for(convert_model: Command) -> None:
    text = convert_model("--help").out
    assert f"{{{','.join(SCHEMES)}}}" in text
    assert f"{{{','.join(PIXELS)}}}" in text


def headless(folder: Path, content: bytes) -> Path:
    (folder / "model.keras").write_bytes(content)
    return folder / "model.keras"


def empty_folder(folder: Path) -> Path:
    (folder / "model").mkdir()
    return folder / "model"


def build(*shapes: tuple[int | None, ...], answers: int = 8) -> Any:
    """Return a network with these inputs, joined, and one output."""
    faces = [keras.Input(shape) for shape in shapes]
    flat = [keras.layers.GlobalAveragePooling2D()(face) if len(face.shape) == 4 else face for face in faces]
    flat = [keras.layers.Flatten()(face) if len(face.shape) > 2 else face for face in flat]
    return keras.Model(faces, keras.layers.Dense(answers)(flat[0] if len(flat) == 1 else keras.layers.Add()(flat)))


def two_outputs() -> Any:
    face = keras.Input((48, 48, 1))
    flat = keras.layers.Flatten()(face)
    return keras.Model(face, [keras.layers.Dense(8)(flat), keras.layers.Dense(8)(flat)])


def without_int8_form() -> Any:
    """Return a network that knows the bands, through an operation that int8 has not."""
    face = keras.Input((48, 48, 1))
    bands = keras.layers.Flatten()(keras.layers.AveragePooling2D((6, 48))(face))
    return keras.Model(face, keras.ops.erfinv(bands))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda folder, save: folder / "absent.keras", "does not exist", id="missing"),
        pytest.param(lambda folder, save: headless(folder, b""), "is empty, cut short", id="empty"),
        pytest.param(lambda folder, save: headless(folder, b"a letter"), "is empty, cut short", id="foreign"),
        pytest.param(lambda folder, save: headless(folder, SHIPPED.read_bytes()), "cannot be loaded", id="a bundle"),
        pytest.param(lambda folder, save: SHIPPED, "no network of Keras", id="a bundle by its name"),
        pytest.param(lambda folder, save: empty_folder(folder), "no SavedModel", id="a folder"),
        pytest.param(lambda folder, save: save(build((48, 48, 1), (48, 48, 1))), "2 inputs", id="two inputs"),
        pytest.param(lambda folder, save: save(two_outputs()), "2 outputs", id="two outputs"),
        pytest.param(lambda folder, save: save(build((128, 128, 1))), "32 to 112", id="too large"),
        pytest.param(lambda folder, save: save(build((48, 64, 1))), "not a square picture", id="not square"),
        pytest.param(lambda folder, save: save(build((48, 48, 1), answers=7)), "8 labels", id="seven answers"),
        pytest.param(
            lambda folder, save: save(build((48, 48, 3), answers=1000)), "another task", id="a thousand classes"
        ),
        pytest.param(lambda folder, save: save(build((48, 48, 1))), "is it trained", id="an untrained network"),
        pytest.param(lambda folder, save: save(without_int8_form()), "no int8 form", id="an unknown operation"),
        pytest.param(lambda folder, save: save(build((48, 48, 2))), "not a square picture", id="two channels"),
        pytest.param(lambda folder, save: save(build((None, None, 1))), "not a picture", id="any size"),
        pytest.param(lambda folder, save: save(build((48, 48))), "not a picture", id="no channels"),
        pytest.param(lambda folder, save: save(build((2304,))), "not a picture", id="a flat face"),
        pytest.param(lambda folder, save: save(build((24, 24, 1))), "32 to 112", id="too small"),
        pytest.param(
            lambda folder, save: save(build((48, 48, 1)), protocol="ferplus9"), "'ferplus9'", id="an unknown protocol"
        ),
        pytest.param(
            lambda folder, save: save(build((48, 48, 1), answers=4), labels=list(LABELS[:4])),
            "labels",
            id="four labels",
        ),
        pytest.param(
            lambda folder, save: save(build((48, 48, 1)), labels=[*LABELS[:7], "joy"]), "synonym", id="a synonym"
        ),
        pytest.param(
            lambda folder, save: save(build((48, 48, 1)), colour="red"), "not what train-model writes", id="a field"
        ),
    ],
)
def test_a_model_that_cannot_be_converted_ends_with_3_and_leaves_the_output_alone(
    convert_model: Command,
    saved: Save,
    synthetic_npz: Path,
    tmp_path: Path,
    make: Callable[[Path, Save], Path],
    words: str,
) -> None:
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "out.tflite"
    output.write_bytes(b"what was there before")
    ended = convert_model(make(tmp_path, saved), "--data", synthetic_npz, "-o", output)
    refused_with_3(ended, words)
    assert [path.name for path in output.parent.iterdir()] == ["out.tflite"]
    assert output.read_bytes() == b"what was there before"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ("give them in order with --labels", "say so with --pixels (0..255, 0..1, symmetric, standardised)")),
        (("--pixels", "0..1"), ("give them in order with --labels",)),
        (("--labels", ",".join(LABELS)), ("say so with --pixels",)),
        (("--labels", ",".join(LABELS[:7]), "--pixels", "0..1"), ("names 7 expressions, but it has 8 outputs",)),
    ],
)
def test_a_network_is_asked_about_before_the_data_are_read(
    convert_model: Command, bands: Callable[..., Any], tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    bands().save(tmp_path / "bare.keras")
    data, output = tmp_path / "x.npz", tmp_path / "out.tflite"
    data.write_bytes(b"no faces")
    ended = convert_model(tmp_path / "bare.keras", "--data", data, "-o", output, *options)
    for each in words:
        refused_with_3(ended, each)
    assert not output.exists()


def test_a_file_that_is_no_network_is_refused_before_the_data_are_read(convert_model: Command, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"no faces")
    (tmp_path / "x.h5").write_bytes(b"no network")
    os.mkfifo(tmp_path / "pipe.h5")
    for name, words in (("x.h5", "it is no .h5 file"), ("pipe.h5", "a device or a pipe"), ("absent.h5", "not exist")):
        ended = convert_model(tmp_path / name, "--data", tmp_path / "x.npz", "-o", tmp_path / "out.tflite")
        refused_with_3(ended, words)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_model_cut_short_is_refused(
    convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path, share: float
) -> None:
    whole = model.read_bytes()
    model.write_bytes(whole[: int(share * len(whole))])
    refused_with_3(convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "out.tflite"), "no .keras file")


@pytest.mark.parametrize(
    ("entry", "content"),
    [
        ("config.json", b"{}"),
        ("config.json", b"not json"),
        ("config.json", json.dumps({"class_name": "Functional", "config": {}, "module": "keras"}).encode()),
        ("config.json", None),
        ("model.weights.h5", b""),
        ("model.weights.h5", b"not hdf5"),
        ("model.weights.h5", None),
    ],
)
def test_a_model_whose_parts_are_damaged_is_refused(
    convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path, entry: str, content: bytes | None
) -> None:
    with zipfile.ZipFile(model) as archive:
        entries: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    assert entry in entries
    entries[entry] = content
    with zipfile.ZipFile(model, "w") as archive:
        for name, data in entries.items():
            if data is not None:
                archive.writestr(name, data)
    assert training_record.read(model) is not None
    ended = convert_model(model, "--data", synthetic_npz, "-o", tmp_path / "out.tflite")
    refused_with_3(ended, "cannot be loaded: ")
    assert not ended.err.rstrip().endswith("cannot be loaded:")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("absent.npz", None, "does not exist"), ("x.npz", b"", "empty"), ("x.npz", b"PK\3\4cut", "not readable")],
)
def test_data_that_cannot_be_used_ends_with_3(
    convert_model: Command, model: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused_with_3(convert_model(model, "--data", tmp_path / name, "-o", tmp_path / "out.tflite"), words)
    assert not (tmp_path / "out.tflite").exists()


def test_too_few_faces_end_with_3(convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path) -> None:
    with np.load(synthetic_npz / "train.npz") as arrays:
        np.savez(tmp_path / "few.npz", **{name: array[:100] for name, array in arrays.items()})
    ended = convert_model(model, "--data", tmp_path / "few.npz", "-o", tmp_path / "out.tflite")
    refused_with_3(ended, "representative images")
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("place", ["absent/out.tflite", "file/out.tflite", "folder", "/proc/out.tflite"])
def test_an_unwritable_output_ends_with_3(
    convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    refused_with_3(convert_model(model, "--data", synthetic_npz, "-o", tmp_path / place), "cannot be written")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--min-agreement", "101"), "100.00% of 120 images, 101 % are required"),
        (("--expect", SHIPPED), "has another content, of the digest"),
    ],
)
def test_what_the_gate_refuses_ends_with_4_and_is_not_written(
    convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path, options: tuple[object, ...], words: str
) -> None:
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "out.tflite"
    for existing in (False, True):
        if existing:
            output.write_bytes(b"what was there before")
        ended = convert_model(model, "--data", synthetic_npz, "-o", output, *options)
        assert ended.status == 4
        (line,) = ended.err.splitlines()
        assert words in line
        assert line.endswith("nothing was written")
        assert [path.name for path in output.parent.iterdir()] == ["out.tflite"] * existing
    assert output.read_bytes() == b"what was there before"


def test_a_bundle_replaces_what_was_there(
    convert_model: Command, model: Path, synthetic_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "out.tflite"
    output.write_bytes(b"what was there before")
    ended = convert_model(model, "--data", synthetic_npz, "-o", output)
    assert (ended.status, ended.err) == (0, "")
    assert output.read_bytes()[4:8] == b"TFL3"
    assert [path.name for path in output.parent.iterdir()] == ["out.tflite"]
    assert ended.out.splitlines()[-1].startswith(f"{output}: ")
