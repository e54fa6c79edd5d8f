from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")

import keras

from cuelens_convert.digest import content_digest
from cuelens_convert.quantise import quantise
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.flatbuffer import signature
from cuelens_models.errors import BadInput

# The converter warns of every full int8 conversion from Keras, though it has its representative images.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")

FACES = np.random.default_rng(0).random((100, 48, 48, 1), dtype=np.float32)


def static(network: Any, name: str = "face") -> Any:
    """Return the network with a static batch of one, as the converter makes it."""
    face = keras.Input(batch_shape=(1, 48, 48, 1), name=name)
    return keras.Model(face, network(face))


@pytest.fixture(scope="module")
def bands_int8(bands: Callable[..., Any]) -> bytes:
    return quantise(static(bands()), "int8", FACES)


def test_the_shipped_model_has_the_digest_that_its_contract_says(shipped: Bundle) -> None:
    assert content_digest(shipped.model) == shipped.contract.content_digest


def test_names_do_not_count(bands: Callable[..., Any], bands_int8: bytes) -> None:
    other = quantise(static(bands(named="_of_another_name"), "picture"), "int8", FACES)
    assert bands_int8 != other
    assert content_digest(bands_int8) == content_digest(other)


@pytest.mark.parametrize("changed", ["weights", "ranges"])
def test_weights_and_scales_count(bands: Callable[..., Any], bands_int8: bytes, changed: str) -> None:
    if changed == "weights":
        network = bands()
        weights, bias = network.layers[-1].get_weights()
        weights[100, 3] += 0.01
        network.layers[-1].set_weights([weights, bias])
        other = quantise(static(network), "int8", FACES)
    else:
        other = quantise(static(bands()), "int8", FACES * 0.5)
    assert content_digest(bands_int8) != content_digest(other)


def test_the_order_of_operations_counts() -> None:
    digests = set()
    for first, second in (("relu", "linear"), ("linear", "relu")):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Flatten(), keras.layers.Dense(4, first), keras.layers.Dense(8, second)]
        digests.add(
            content_digest(quantise(static(keras.Sequential([keras.Input((48, 48, 1)), *layers])), "int8", FACES))
        )
    assert len(digests) == 2


def test_everything_in_a_converted_model_is_int8(bands_int8: bytes) -> None:
    (model_input,), (model_output,) = signature(bands_int8)
    assert (model_input.dtype, model_input.shape) == ("int8", (1, 48, 48, 1))
    assert (model_output.dtype, model_output.shape) == ("int8", (1, 8))


def test_an_operation_without_an_int8_form_is_bad_input() -> None:
    face = keras.Input((48, 48, 1))
    wave = keras.ops.erfinv(keras.layers.Flatten()(face))
    network = keras.Model(face, keras.layers.Dense(8)(wave))
    with pytest.raises(BadInput, match="no int8 form"):
        quantise(static(network), "int8", FACES)
