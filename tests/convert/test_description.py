"""Networks that are described by options: wrongly, in doubt, and in the words of foreign data."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")
pytest.importorskip("matplotlib", reason="the page needs the extra convert")
pytest.importorskip("jinja2", reason="the page needs the extra convert")

import keras
from keras import layers

from cuelens_models.bundle import file
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.data.faces import EMOTIONS, Faces

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

Command = Callable[..., Any]
EXCHANGED = "neutral,happy,sad,surprise,angry,disgust,fear,contempt"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A network that knows the bands if levels are 0 to 1: else all bands look alike to it, dark or bright."""
    face = keras.Input((48, 48, 1), name="face")
    units = layers.Dense(8, activation="relu6", name="units")
    network = keras.Model(face, units(layers.Flatten()(layers.AveragePooling2D((6, 48))(face))))
    units.set_weights([10 * np.eye(8, dtype=np.float32), np.full(8, -4.5, np.float32)])
    network.save(tmp_path / "bare.keras")
    return tmp_path / "bare.keras"


@pytest.mark.parametrize(
    ("labels", "pixels", "words"),
    [
        (EXCHANGED, "0..1", "with sad and surprise exchanged: 100.0 instead of 75.0 % of 120 held-out faces"),
        (",".join(LABELS), "symmetric", "fed 0..1 instead of symmetric: 100.0 instead of 12.5 % of 120 held-out"),
        (EXCHANGED, "0..255", "fed 0..1 instead of 0..255 and with sad and surprise exchanged: 100.0 instead of 12.5"),
    ],
)
def test_a_description_that_is_wrong_is_refused_with_the_right_one(
    convert_model: Command, bare: Path, synthetic_npz: Path, tmp_path: Path, labels: str, pixels: str, words: str
) -> None:
    output = tmp_path / "x.tflite"
    ended = convert_model(bare, "--data", synthetic_npz, "-o", output, "--labels", labels, "--pixels", pixels)
    assert ended.status == 4
    (line,) = ended.err.splitlines()
    assert line.startswith(f"convert-model: model bare.keras is refused: {words}")
    assert ("--labels " + ",".join(LABELS) in line) == (labels == EXCHANGED)
    assert ("--pixels 0..1 " in line) == (pixels != "0..1")
    assert line.endswith("or give --as-described to convert it all the same: nothing was written")
    assert f"  fed {pixels}: " in ended.out
    assert not output.exists()


def test_whoever_is_sure_of_a_description_gets_a_bundle_and_the_page_says_what_speaks_against_it(
    convert_model: Command, bare: Path, synthetic_npz: Path, tmp_path: Path
) -> None:
    options = ("--labels", EXCHANGED, "--pixels", "0..1", "--as-described", "--report", tmp_path / "page")
    ended = convert_model(bare, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", *options)
    assert (ended.status, ended.err) == (0, "")
    words = "with sad and surprise exchanged: 100.0 instead of 75.0 % of 120 held-out faces are named rightly"
    assert f"  against it: {words}" in ended.out.splitlines()
    assert file.load(tmp_path / "x.tflite").contract.labels == EXCHANGED.split(",")
    page = (tmp_path / "page" / "index.html").read_text()
    assert words in page
    assert "75.0 % named rightly, with sad and surprise exchanged 100.0 %" in page
    assert "--as-described" in page


def test_foreign_names_of_classes_are_those_of_the_data(
    convert_model: Command, bare: Path, made_up_faces: Callable[[int, int], Faces], tmp_path: Path
) -> None:
    foreign = {"angry": "enojo", "disgust": "asco", "fear": "miedo", "surprise": "sorpresa"}
    faces = made_up_faces(280, 1)
    for number, (face, emotion) in enumerate(zip(faces.pixels, faces.emotion, strict=True)):
        if emotion >= 0:
            word = foreign.get(EMOTIONS[emotion], EMOTIONS[emotion])
            (tmp_path / "faces" / word).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "faces" / word / f"{number}.png"), face)
    network = keras.models.load_model(bare)
    keras.Model(network.inputs, layers.Identity()(network.output[:, :7])).save(tmp_path / "seven.keras")
    options = ("--data", tmp_path / "faces", "--labels", ",".join(LABELS[:7]), "--pixels", "0..1")
    ended = convert_model(tmp_path / "seven.keras", "-o", tmp_path / "x.tflite", *options)
    assert ended.status == 3
    assert "--classes" in ended.err
    classes = ",".join(f"{name}={label}" for label, name in foreign.items())
    ended = convert_model(tmp_path / "seven.keras", "-o", tmp_path / "x.tflite", *options, "--classes", classes)
    assert (ended.status, ended.err) == (0, "")
    assert file.load(tmp_path / "x.tflite").contract.metrics.accuracy == 1


def test_several_networks_get_the_same_options(
    convert_model: Command, monkeypatch: pytest.MonkeyPatch, synthetic_npz: Path, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def run(words: list[object], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append([str(word) for word in words])
        return subprocess.CompletedProcess([], 3, "", "convert-model: not run\n")

    monkeypatch.setattr("cuelens_convert.batch.subprocess.run", run)
    options = ("--data", synthetic_npz, "-o", tmp_path / "bundles", "--classes", "enojo=anger,feliz=happy")
    assert convert_model("a.keras", "b.keras", *options, "--as-described").status == 3
    for words in commands:
        assert words[words.index("--classes") + 1] == "enojo=angry,feliz=happy"
        assert "--as-described" in words
    assert convert_model("a.keras", "b.keras", *options[:4]).status == 3
    assert len(commands) == 4
    assert not {"--as-described", "--classes"} & {*commands[2], *commands[3]}
