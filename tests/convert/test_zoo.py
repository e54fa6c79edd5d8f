import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")

import keras

from cuelens_models.bundle import file, training_record
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import load
from cuelens_models.data.protocols import PROTOCOLS, label
from cuelens_models.train.published import fed_to
from cuelens_models.zoo.published import RECIPES
from cuelens_models.zoo.recipe import HEAD, Recipe

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # The converter warns of every full int8 conversion from Keras, though it has its representative images.
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]


@pytest.fixture(scope="module")
def few_faces(tmp_path_factory: pytest.TempPathFactory, synthetic_npz: Path) -> Path:
    """A folder with train.npz (240 faces) and publictest.npz (40), since published networks are large."""
    folder = tmp_path_factory.mktemp("few")
    shutil.copy(synthetic_npz / "train.npz", folder)
    with np.load(synthetic_npz / "publictest.npz") as arrays:
        np.savez(folder / "publictest.npz", **{name: array[:40] for name, array in arrays.items()})
    return folder


def learn_head(network: Any, faces: Faces, recipe: Recipe) -> None:
    """Set the last layer by least squares: the converter refuses a network that knows nothing."""
    labelled = label(faces, recipe.protocol)
    inputs = model_inputs(faces.pixels[labelled.indices[:100]], fed_to(recipe))
    features = keras.Model(network.inputs, network.get_layer(HEAD).input).predict(inputs, verbose=0)
    kernel, *_ = np.linalg.lstsq(features, np.eye(len(labelled.labels))[labelled.truth[:100]] - 0.5, rcond=1e-6)
    network.get_layer(HEAD).set_weights([kernel.astype(np.float32), np.full(kernel.shape[1], 0.5, np.float32)])


@pytest.mark.parametrize(
    "name", ["vgg-blocks-5", "elu-6", "ferplus-bn", "five-class-transfer", "four-class", "four-class-attention"]
)
def test_a_published_network_becomes_a_bundle_that_runs(
    name: str, record: TrainingRecord, convert_model: Callable[..., Any], few_faces: Path, tmp_path: Path
) -> None:
    recipe = RECIPES[name]
    labels = list(PROTOCOLS[recipe.protocol])
    keras.utils.set_random_seed(0)
    whole = recipe.build(len(labels))
    learn_head(whole, load(few_faces).training, recipe)
    keras.Model(whole.inputs, whole.get_layer(HEAD).output, name=name.replace("-", "_")).save(tmp_path / "x.keras")
    float_input = fed_to(recipe)
    training_record.write(
        tmp_path / "x.keras",
        msgspec.structs.replace(
            record,
            recipe=name,
            labels=labels,
            protocol=recipe.protocol,
            multiply=float_input.multiply,
            per_image=float_input.per_image,
        ),
    )
    # Behind fresh weights the head holds on to whatever tells bands apart, and int8 may take that away.
    free = ("--max-drop", 100, "--max-class-drop", 100, "--images", 100)
    ended = convert_model(tmp_path / "x.keras", "--data", few_faces, "-o", tmp_path / "x.tflite", *free)
    assert (ended.status, ended.err) == (0, "")
    bundle = file.load(tmp_path / "x.tflite")
    assert bundle.contract.labels == labels
    assert bundle.contract.input.dtype == "int8"
    Interpreter(bundle).check_golden()
