"""A network that standardises each face itself: it must answer every picture, or be refused with the remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")
pytest.importorskip("rich", reason="conversion needs the extra convert")

import keras
from keras import layers, ops

from cuelens_convert.hard_faces import hard_faces
from cuelens_models.bundle import file
from cuelens_models.bundle.interpreter import Interpreter

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning"),
]


def mean_and_deviation(face: Any) -> Any:
    mean = ops.mean(face, axis=(1, 2, 3), keepdims=True)
    return (face - mean) / (ops.std(face, axis=(1, 2, 3), keepdims=True) + 1e-6)


def knows_bands(first: Callable[[Any], Any]) -> Any:
    """Return a network that knows the made-up faces behind a first step."""
    face = keras.Input((48, 48, 1), name="face")
    answer = layers.Dense(8, name="answer")
    network = keras.Model(face, answer(layers.Flatten()(layers.AveragePooling2D((6, 48))(first(face)))))
    answer.set_weights([5 * np.eye(8, dtype=np.float32), np.zeros(8, np.float32)])
    return network


def test_hard_faces_hold_every_contrast_and_both_ends() -> None:
    faces = np.random.default_rng(0).integers(60, 200, (20, 48, 48), dtype=np.uint8)
    hard = hard_faces(faces)
    deviations = hard.std(axis=(1, 2))
    assert hard.dtype == np.uint8
    assert (deviations == 0).any()
    assert deviations.max() > 100
    for low, high in ((0.01, 0.5), (0.5, 1), (1, 2), (2, 5), (5, 15), (15, 50)):
        assert ((deviations > low) & (deviations <= high)).any()
    assert {0, 255} <= set(hard[deviations == 0].ravel().tolist())


def behind_weights(face: Any) -> Any:
    """Standardise behind a convolution, where only the runtime shows what comes of it."""
    convolution = layers.Conv2D(1, 1)
    face = convolution(face)
    convolution.set_weights([np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32)])
    return mean_and_deviation(face)


def by_arithmetic(face: Any) -> Any:
    """Standardise without any operation that measures contrast in one step."""
    centred = face / 255 - ops.mean(face / 255, axis=(1, 2, 3), keepdims=True)
    return centred / ops.maximum(ops.sqrt(ops.mean(ops.square(centred), axis=(1, 2, 3), keepdims=True)), 1 / 255)


def divided_by_a_constant(face: Any) -> Any:
    return ops.divide(face, 127.5) / np.float32(2)


def divided_by_255(face: Any) -> Any:
    return layers.Rescaling(1 / 255)(face)


def layer_norm(face: Any) -> Any:
    return layers.LayerNormalization(axis=(1, 2, 3), name="norm")(divided_by_255(face))


@pytest.mark.parametrize(
    ("first", "scheme", "status", "words"),
    [
        pytest.param(mean_and_deviation, "int8", 3, "itself (std, a Std)", id="less the mean, by the deviation"),
        pytest.param(layer_norm, "int8", 3, "itself (norm, a LayerNormalization)", id="a layer norm"),
        pytest.param(by_arithmetic, "int8", 3, ", a TrueDivide)", id="by arithmetic"),
        pytest.param(
            lambda x: layers.RMSNormalization(axis=(1, 2, 3), name="rms")(x / 255),
            "int16x8",
            3,
            "itself (rms, a RMSNormalization)",
            id="by the root mean square",
        ),
        pytest.param(behind_weights, "int8", 4, "cannot answer a picture", id="behind weights"),
        pytest.param(
            lambda x: x / ops.std(x, axis=(1, 2, 3), keepdims=True),
            "float32",
            4,
            "with what is no number",
            id="no number",
        ),
        pytest.param(mean_and_deviation, "float32", 0, "", id="in float"),
        pytest.param(layer_norm, "float16", 0, "", id="a layer norm in float"),
        pytest.param(divided_by_255, "int8", 0, "", id="no standardisation"),
        pytest.param(divided_by_a_constant, "int8", 0, "", id="division by a constant"),
    ],
)
def test_a_network_that_standardises_answers_every_picture_or_is_refused_with_the_remedy(
    convert_model: Callable[..., Any],
    saved: Callable[..., Path],
    synthetic_npz: Path,
    tmp_path: Path,
    first: Callable[[Any], Any],
    scheme: str,
    status: int,
    words: str,
) -> None:
    keras.backend.clear_session(free_memory=False)
    path, output = saved(knows_bands(first), multiply=1.0), tmp_path / "x.tflite"
    ended = convert_model(path, "--data", synthetic_npz, "-o", output, "--scheme", scheme)
    assert ended.status == status, ended
    if status:
        (line,) = ended.err.splitlines()
        assert words in line
        assert "take these layers out and convert with --pixels standardised" in line
        assert not output.exists()
        return
    interpreter = Interpreter(file.load(output))
    with np.load(synthetic_npz / "publictest.npz") as arrays:
        for face in hard_faces(arrays["pixels"]):
            assert np.isfinite(interpreter.outputs(face)).all()
