import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens_models.bundle.interpreter import find_runtime
from cuelens_models.command import install
from cuelens_models.data.faces import Faces
from cuelens_models.quiet import native_quiet

Command = Callable[..., subprocess.CompletedProcess[str]]
CANDIDATES = "cuelens_models.commands.candidates"

# The converter warns of every full int8 conversion from Keras, though it has its representative images.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")


@pytest.fixture
def needed() -> None:
    for package in ("keras", "tensorflow", "skimage"):
        pytest.importorskip(package, reason="training needs the extra train")


@pytest.fixture
def data(tmp_path: Path, drawn_faces: Callable[..., Faces]) -> Path:
    faces = drawn_faces(*np.linspace(0.8, 1.1, 40))
    np.savez(tmp_path / "faces.npz", pixels=faces.pixels, emotion=faces.emotion)
    return tmp_path / "faces.npz"


@pytest.fixture
def walls(tmp_path: Path) -> Path:
    (tmp_path / "walls").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "walls" / "wall.png"), picture)
    return tmp_path / "walls"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("faces.npz",),
        ("faces.npz", "--heads", "x", "--photographs", "y"),
        ("faces.npz", "--heads", "x", "--photographs", "y", "--out", "z", "--steps", "0"),
        ("faces.npz", "--heads", "x", "--photographs", "y", "--out", "z", "--pool", "0"),
        ("faces.npz", "--heads", "x", "--photographs", "y", "--out", "z", "--pool", "many"),
    ],
)
def test_wrong_usage_ends_with_2(run_here: Command, arguments: tuple[str, ...]) -> None:
    ended = run_here(CANDIDATES, *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("usage: python -m cuelens_models.commands.candidates")


def test_the_help_says_what_is_needed_and_how_long_it_trains(run_here: Command) -> None:
    ended = run_here(CANDIDATES, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("--heads FILE.npz", "--photographs FOLDER", "--out FILE.tflite", "(12000)", "(48000)", "exit status"):
        assert word in ended.stdout


@pytest.mark.usefixtures("needed")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("data", "absent does not exist"),
        ("--heads", "absent cannot be read"),
        ("--photographs", "absent holds no pictures"),
        ("--out", "faces.npz would overwrite"),
    ],
)
def test_what_cannot_be_used_ends_with_3_and_one_line(
    run_here: Command, data: Path, cutouts: Path, walls: Path, wrong: str, words: str
) -> None:
    absent = data.with_name("absent")
    given = {"data": data, "--heads": cutouts, "--photographs": walls, "--out": data.with_name("out.tflite")}
    given[wrong] = data if wrong == "--out" else absent
    options = [word for name, path in given.items() if name != "data" for word in (name, path)]
    ended = run_here(CANDIDATES, given["data"], *options)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("candidates: ")
    assert words in line
    assert not data.with_name("out.tflite").exists()


@pytest.mark.usefixtures("needed")
def test_faces_that_the_detector_does_not_find_end_with_3(
    run_here: Command, synthetic_npz: Path, cutouts: Path, walls: Path, tmp_path: Path
) -> None:
    options = ("--heads", cutouts, "--photographs", walls, "--out", tmp_path / "out.tflite")
    ended = run_here(CANDIDATES, synthetic_npz, *options)
    assert ended.returncode == 3
    assert ended.stderr.startswith("candidates: the detector finds a face in none of ")


def test_a_missing_extra_ends_with_3_and_names_it(command: Command, tmp_path: Path) -> None:
    options = ("--heads", "x", "--photographs", "y", "--out", tmp_path / "out.tflite")
    ended = command(CANDIDATES, "faces.npz", *options, before="import sys; sys.modules['keras'] = None")
    assert ended.returncode == 3
    assert ended.stderr == f"candidates: keras is not installed: run `{install('train')}`\n"


@pytest.mark.usefixtures("needed")
def test_another_backend_than_tensorflow_ends_with_3(
    run_here: Command, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    options = ("--heads", "x", "--photographs", "y", "--out", data.with_name("out.tflite"))
    ended = run_here(CANDIDATES, data, *options)
    assert ended.returncode == 3
    expected = "candidates: this trains with Keras on TensorFlow, not on jax: unset KERAS_BACKEND\n"
    assert ended.stderr == expected


@pytest.mark.usefixtures("needed", "eager")
def test_a_short_training_writes_a_network_that_the_runtime_loads(
    run_here: Command, data: Path, cutouts: Path, walls: Path
) -> None:
    out = data.with_name("made") / "candidates.tflite"
    few = ("--steps", 2, "--pool", 4)
    ended = run_here(CANDIDATES, data, "--heads", cutouts, "--photographs", walls, "--out", out, *few)
    assert (ended.returncode, ended.stderr) == (0, "")
    first, last = ended.stdout.splitlines()
    assert first.startswith("step 0 of 2: loss ")
    assert last == f"wrote {out}, {out.stat().st_size} bytes"
    assert 40_000 < out.stat().st_size < 80_000
    _, interpreter_type = find_runtime()
    with native_quiet():
        interpreter = interpreter_type(model_path=str(out))
        interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    assert (taken["shape"].tolist(), taken["dtype"], taken["quantization"]) == ([1, 128, 160, 1], np.int8, (1 / 64, 0))
    assert [output["shape"].tolist()[1:] for output in interpreter.get_output_details()] == [
        *([16, 20, 1], [16, 20, 4]),
        *([8, 10, 1], [8, 10, 4]),
    ]
