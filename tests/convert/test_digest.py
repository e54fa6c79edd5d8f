from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")

import flatbuffers
import keras
from ai_edge_litert import schema_py_generated as schema

from cuelens_convert.digest import content_digest, same_but_for_rounding
from cuelens_convert.quantise import quantise
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.flatbuffer import signature
from cuelens_models.errors import BadInput

# The converter warns of every full int8 conversion from Keras, though it has its representative images.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")

INT8 = schema.TensorType.INT8
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
    assert same_but_for_rounding(bands_int8, other)


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
    assert not same_but_for_rounding(bands_int8, other)


def written(change: Callable[[Any], None], model: bytes) -> bytes:
    """Return a model with something changed in its flatbuffer."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    change(content)
    builder = flatbuffers.Builder()
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def scaled(by: float) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for tensor in content.subgraphs[0].tensors:
            if tensor.quantization is not None and tensor.quantization.scale is not None:
                tensor.quantization.scale = (np.asarray(tensor.quantization.scale) * by).astype(np.float32)

    return change


def stepped(values: int, steps: int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        stored = [content.buffers[one.buffer] for one in content.subgraphs[0].tensors if one.type == INT8]
        weights = max((buffer for buffer in stored if buffer.data is not None), key=lambda buffer: len(buffer.data))
        numbers = np.array(weights.data, np.uint8).view(np.int8)
        numbers[np.flatnonzero(np.abs(numbers) < 100)[:values]] += steps
        weights.data = numbers.view(np.uint8)

    return change


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (scaled(1 + 1e-6), True),
        (scaled(1 + 1e-4), False),
        (stepped(1, 1), True),
        (stepped(1, 2), False),
        (stepped(100, 1), False),
    ],
    ids=["last bits of scales", "other scales", "a weight by a step", "a weight by two", "many weights by a step"],
)
def test_what_another_processor_rounds_otherwise_is_the_same_content(
    bands_int8: bytes, change: Callable[[Any], None], *, same: bool
) -> None:
    other = written(change, bands_int8)
    assert content_digest(other) != content_digest(bands_int8)
    assert same_but_for_rounding(bands_int8, other) == same_but_for_rounding(other, bands_int8) == same


def test_the_order_of_operations_counts() -> None:
    digests, models = set(), []
    for first, second in (("relu", "linear"), ("linear", "relu")):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Flatten(), keras.layers.Dense(4, first), keras.layers.Dense(8, second)]
        models.append(quantise(static(keras.Sequential([keras.Input((48, 48, 1)), *layers])), "int8", FACES))
        digests.add(content_digest(models[-1]))
    assert len(digests) == 2
    assert not same_but_for_rounding(*models)


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
