"""Networks that train-model did not write: of Keras 3 and 2, in every kind of file."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")

import keras
from keras import layers

from cuelens_convert.quantise import quantise
from cuelens_convert.rewrite import static
from cuelens_convert.source import Described, open_source
from cuelens_models.bundle import file
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.errors import BadInput

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

SEVEN = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
KERAS_2 = """
import sys
import numpy as np
import tf_keras as keras
from tf_keras import layers

face = layers.Input((48, 48, 1))
x = layers.Rescaling(1 / 255)(face)
x = layers.SeparableConv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
x = layers.BatchNormalization()(x)
x = layers.DepthwiseConv2D(3, activation="relu")(x)
x = layers.GlobalAveragePooling2D()(layers.Dropout(0.3)(x))
network = keras.Model(face, layers.Dense(7, activation="softmax")(x))
network.compile("adam", "categorical_crossentropy")
for place in sys.argv[1:]:
    network.save(place)
faces = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1)).astype("float32")
np.savez("outputs.npz", faces=faces, outputs=network.predict(faces, verbose=0))
from cuelens_convert import keras_2
for name in ("x.keras", "saved", "exported"):
    sys.argv[1:] = [name, name + ".h5"]
    with open(name + ".txt", "w") as sys.stdout:
        try:
            keras_2.main()
        except SystemExit:
            pass
"""


@pytest.fixture(scope="session")
def keras_2_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one network as Keras 2 writes it in three ways, and its outputs for some noise.

    Beside x.keras, saved and exported (which has no layers) stands what `keras_2` wrote of them in the same process.
    """
    pytest.importorskip("tf_keras", reason="reading Keras 2 needs the extra convert")
    folder = tmp_path_factory.mktemp("keras2")
    built().export(folder / "exported", verbose=False)
    subprocess.run(
        [sys.executable, "-c", KERAS_2, "x.h5", "x.keras", "saved"], cwd=folder, check=True, capture_output=True
    )
    return folder


@pytest.fixture
def keras_2_replayed(keras_2_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays what `keras_2` wrote in the process of `keras_2_files`: importing tf_keras again would take seconds."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        network, plain = command[-2:]
        for suffix in (".h5", ".npz"):
            if Path(network + suffix).exists():
                shutil.copy(network + suffix, Path(plain).with_suffix(suffix))
        message = Path(f"{network}.txt").read_text()
        return subprocess.CompletedProcess(command, int(message != ""), message, "")

    monkeypatch.setattr("cuelens_convert.loading.subprocess.run", run)


@pytest.mark.parametrize("name", ["x.h5", "x.keras", "saved"])
def test_a_network_of_keras_2_has_the_same_outputs_here(
    keras_2_files: Path, name: str, request: pytest.FixtureRequest
) -> None:
    if name != "x.h5":  # one format is read in a process of its own, as in a conversion
        request.getfixturevalue("keras_2_replayed")
    source = open_source(keras_2_files / name, Described(labels=SEVEN))
    facts = dict(source.facts)
    assert "through tf_keras" in facts["read as"]
    assert facts["input"] == "48x48 grey, levels 0 to 255"
    assert (facts["output"], facts["judged by"]) == ("softmax, cut off: logits", "fer7")
    with np.load(keras_2_files / "outputs.npz") as arrays:
        logits = source.network.predict(arrays["faces"], verbose=0)
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(probabilities, arrays["outputs"], atol=1e-5)


@pytest.mark.usefixtures("keras_2_replayed")
def test_a_saved_model_without_layers_is_refused_in_a_sentence(keras_2_files: Path) -> None:
    with pytest.raises(BadInput, match="holds no layers, only what they compute: save the network itself"):
        open_source(keras_2_files / "exported", Described(SEVEN, "0..1"))


def built(size: int = 48, channels: int = 1, first: Any = None, answers: int = 7) -> Any:
    face = keras.Input((size, size, channels))
    x = first(face) if first is not None else face
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, strides=2)(x))
    return keras.Model(face, layers.Dense(answers, activation="softmax")(x))


def normalised(mean: float) -> Any:
    return layers.Normalization(mean=mean, variance=1.0)


@pytest.mark.parametrize(
    ("first", "levels"),
    [
        pytest.param(lambda: layers.Rescaling(1 / 255), "levels 0 to 255", id="rescaled by 255"),
        pytest.param(lambda: layers.Rescaling(1 / 127.5, offset=-1), "levels 0 to 255", id="rescaled to -1 and 1"),
        pytest.param(lambda: layers.Rescaling(2.0, offset=-1), "levels 0 to 1", id="rescaled from 0 and 1"),
        pytest.param(lambda: normalised(129.0), "levels 0 to 255", id="normalised from 255"),
        pytest.param(lambda: normalised(0.51), "levels 0 to 1", id="normalised from 1"),
        pytest.param(
            lambda: keras.Sequential([layers.Rescaling(1 / 255)]), "levels 0 to 255", id="in a network inside"
        ),
    ],
)
def test_a_layer_that_scales_pixels_says_how_they_are_fed(
    tmp_path: Path, first: Callable[[], Any], levels: str
) -> None:
    built(first=first()).save(tmp_path / "x.keras")
    facts = dict(open_source(tmp_path / "x.keras", Described(labels=SEVEN)).facts)
    assert facts["input"] == f"48x48 grey, {levels}"


@pytest.mark.parametrize(
    ("pixels", "levels"),
    [
        ("0..255", "levels 0 to 255"),
        ("0..1", "levels 0 to 1"),
        ("symmetric", "levels -1 to 1"),
        ("standardised", "each face standardised"),
    ],
)
def test_what_a_network_does_not_say_is_described(tmp_path: Path, pixels: str, levels: str) -> None:
    built().save(tmp_path / "x.h5")
    with pytest.raises(BadInput, match="give them in order with --labels"):
        open_source(tmp_path / "x.h5")
    with pytest.raises(BadInput, match="say so with --pixels"):
        open_source(tmp_path / "x.h5", Described(labels=SEVEN))
    facts = dict(open_source(tmp_path / "x.h5", Described(SEVEN, pixels)).facts)
    assert facts["input"] == f"48x48 grey, {levels}"


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (Described(SEVEN[:6], "0..1"), "names 6 expressions, but it has 7 outputs"),
        (Described((*SEVEN[:6], "glee"), "0..1"), "'glee' is no expression"),
        (Described((*SEVEN[:6], "anger"), "0..1"), "distinct labels"),
        (Described((*SEVEN[:6], "contempt"), "0..1"), "no protocol judges a network of"),
        (Described(SEVEN, "0..1", "ferplus8"), "are not those of ferplus8"),
    ],
)
def test_a_description_has_to_fit(tmp_path: Path, described: Described, words: str) -> None:
    built().save(tmp_path / "x.keras")
    with pytest.raises(BadInput, match=words):
        open_source(tmp_path / "x.keras", described)


def test_synonyms_are_understood_and_seven_labels_have_two_protocols(tmp_path: Path) -> None:
    built().save(tmp_path / "x.keras")
    words = ("Anger", "disgust", "fear", "joy", "sadness", "surprised", "neutral")
    assert open_source(tmp_path / "x.keras", Described(words, "0..1")).record.labels == list(SEVEN)
    assert open_source(tmp_path / "x.keras", Described(words, "0..1", "ferplus7")).record.protocol == "ferplus7"


def test_a_layer_of_ones_own_is_named(tmp_path: Path) -> None:
    class Squash(layers.Layer):
        def call(self, tensor: Any) -> Any:
            return tensor

    built(first=Squash()).save(tmp_path / "x.keras")
    with pytest.raises(BadInput, match="it needs Squash, which is not Keras's own"):
        open_source(tmp_path / "x.keras", Described(SEVEN, "0..1"))


def test_a_lambda_is_not_run(tmp_path: Path) -> None:
    built(first=layers.Lambda(lambda levels: levels / 255, output_shape=(48, 48, 1))).save(tmp_path / "x.keras")
    with pytest.raises(BadInput, match="has a Lambda layer"):
        open_source(tmp_path / "x.keras", Described(SEVEN, "0..1"))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_network_trained_in_mixed_precision_computes_in_float32_here(tmp_path: Path, policy: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        built().save(tmp_path / "x.keras")
    finally:
        keras.config.set_dtype_policy(before)
    source = open_source(tmp_path / "x.keras", Described(SEVEN, "0..1"))
    faces = np.random.default_rng(0).uniform(0, 1, (100, 48, 48, 1)).astype(np.float32)
    assert source.network(faces).dtype == "float32"
    assert quantise(static(source.network), "int8", faces)[4:8] == b"TFL3"


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3), (112, 3)])
def test_other_sizes_and_colours_become_bundles_that_run(
    convert_model: Callable[..., Any], synthetic_npz: Path, tmp_path: Path, size: int, channels: int
) -> None:
    face = keras.Input((size, size, channels))
    # The brightness of each band: bands of one eighth, whatever the size.
    bands = layers.Flatten()(layers.AveragePooling2D((size // 8, size))(face))
    picks = layers.Dense(8, activation="softmax")
    network = keras.Model(face, picks(bands))
    kernel = 20 / channels * np.repeat(np.eye(8), channels, axis=0)
    picks.set_weights([kernel.astype(np.float32), np.zeros(8, np.float32)])
    network.save(tmp_path / "x.h5")
    words = ("--labels", ",".join(LABELS), "--pixels", "0..1")
    ended = convert_model(tmp_path / "x.h5", "--data", synthetic_npz, "-o", tmp_path / "x.tflite", *words)
    assert (ended.status, ended.err) == (0, "")
    assert f"{size}x{size} grey" in ended.out
    contract = file.load(tmp_path / "x.tflite").contract
    assert (contract.input.height, contract.input.channels) == (size, channels)
    assert contract.metrics.accuracy == 1
    assert contract.provenance.recipe == "not stated"
