"""Networks that int8 hurts, and what is done about it: dead units, fine-tuning, and naming the layer to blame."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")

import keras
from keras import layers

from cuelens_convert import layer_errors
from cuelens_convert.dead_units import Folding, fold_dead_units
from cuelens_convert.fine_tune import fine_tune, step_count
from cuelens_convert.graph import latency, operations
from cuelens_convert.quantise import quantise
from cuelens_convert.rewrite import static
from cuelens_models.errors import BadInput

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")

FACES = np.kron(np.random.default_rng(0).uniform(0, 1, (128, 6, 6, 1)), np.ones((1, 8, 8, 1))).astype(np.float32)
"""Patches of 8 pixels: what is averaged over them still differs from picture to picture."""


def with_dead_units(dead: int, after: str = "elu") -> Any:
    """Return a network of which some units before the batch norm always say the same."""
    keras.utils.set_random_seed(0)
    face = keras.Input((48, 48, 1), name="face")
    flat = layers.Flatten()(layers.AveragePooling2D(8)(face))
    hidden = layers.Dense(24, activation=after, name="hidden")
    norm = layers.BatchNormalization(name="norm")
    answer = norm(hidden(flat))
    network = keras.Model(face, layers.Dense(7, name="answer")(answer))
    kernel, bias = hidden.get_weights()
    kernel[:, :dead], bias[:dead] = 0, -20
    hidden.set_weights([kernel, bias])
    outputs = keras.Model(face, hidden.output).predict(FACES, verbose=0)
    gamma, beta, _, _ = norm.get_weights()
    norm.set_weights([gamma, beta, outputs.mean(axis=0), outputs.var(axis=0)])
    return network


def test_dead_units_are_folded_and_the_network_says_the_same(dying: tuple[Any, Folding]) -> None:
    network, folding = dying
    assert folding.units == {"norm": 5}
    before, after = (one.predict(FACES, verbose=0) for one in (network, folding.network))
    assert folding.change == pytest.approx(np.abs(before - after).max(), abs=1e-6)
    assert folding.change < 1e-3
    gamma = folding.network.get_layer("norm").get_weights()[0]
    assert (gamma == 0).tolist() == [True] * 5 + [False] * 19
    assert fold_dead_units(with_dead_units(0), FACES) is None


@pytest.fixture(scope="module")
def dying() -> tuple[Any, Folding]:
    """A network with five dead units, and the same with them folded."""
    network = with_dead_units(5)
    folding = fold_dead_units(network, FACES)
    assert folding is not None
    return network, folding


@pytest.fixture(scope="module")
def alive_int8() -> bytes:
    """The int8 model of a network without dead units."""
    return quantise(static(with_dead_units(0)), "int8", FACES)


@pytest.fixture(scope="module")
def with_relu() -> tuple[Any, bytes]:
    """A network that every scheme can hold, and its float32 model."""
    network = static(with_dead_units(0, after="relu"))
    return network, quantise(network, "float32", FACES)


def signal_to_noise(network: Any) -> float:
    before, after = (quantise(static(network), scheme, FACES) for scheme in ("float32", "int8"))
    return layer_errors.measure(before, after, FACES)[-1].snr_db


def test_without_dead_units_int8_is_nearer_to_the_network(dying: tuple[Any, Folding]) -> None:
    network, folding = dying
    assert signal_to_noise(folding.network) > signal_to_noise(network) + 3


def test_the_layer_that_int8_cannot_hold_is_the_one_to_blame() -> None:
    keras.utils.set_random_seed(0)
    face = keras.Input((48, 48, 1), name="face")
    x = layers.Flatten()(layers.AveragePooling2D(8)(face))
    x = layers.Dense(16, activation="relu", name="good")(x)
    spoiled = layers.Dense(16, name="spoiled")
    x = spoiled(x)
    network = keras.Model(face, layers.Dense(7, name="answer")(x))
    kernel, bias = spoiled.get_weights()
    bias[0] = 1e4  # one unit far outside of what the others say: their range is lost in one step of the scale
    spoiled.set_weights([kernel, bias])
    answer = network.get_layer("answer")
    kernel, bias = answer.get_weights()
    kernel[0] = 0
    answer.set_weights([kernel, bias])
    before, after = (quantise(static(network), scheme, FACES) for scheme in ("float32", "int8"))
    errors = {error.name: error for error in layer_errors.measure(before, after, FACES)}
    assert errors["good"].snr_db > 30
    assert errors["output"].snr_db < layer_errors.NOISY_DB


def test_wide_weights_are_seen_in_the_float_model() -> None:
    keras.utils.set_random_seed(0)
    face = keras.Input((48, 48, 1), name="face")
    wide = layers.Dense(7, name="wide")
    x = layers.Dense(8, activation="relu", name="narrow")(layers.Flatten()(face))
    network = keras.Model(face, layers.Dense(7, name="last")(wide(x)))
    kernel, bias = wide.get_weights()
    kernel[3] *= 100
    wide.set_weights([kernel, bias])
    spread = layer_errors.weight_spreads(quantise(static(network), "float32", FACES))
    assert spread["wide"] > layer_errors.WIDE > spread["narrow"]


def test_fine_tuning_brings_the_rounded_network_nearer_to_what_it_said() -> None:
    keras.utils.set_random_seed(1)
    face = keras.Input((48, 48, 1), name="face")
    x = layers.Conv2D(8, 5, strides=4, name="conv")(face)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(x)
    network = keras.Model(face, layers.Dense(7, name="answer")(layers.Dense(12, activation="elu")(x)))
    weights = [value.copy() for value in network.get_weights()]
    steps = []
    tuned = fine_tune(network, FACES, FACES[:64], 2, 0, lambda: steps.append(1))
    assert len(steps) == step_count(len(FACES), 2) == 4
    for before, now in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, now)
    assert any((before != now).any() for before, now in zip(weights, tuned.get_weights(), strict=True))
    # A few small steps leave its outputs nearly as they were.
    before, after = (one.predict(FACES, verbose=0) for one in (network, tuned))
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.99


def test_every_operation_has_a_layer_a_share_and_a_delegate(alive_int8: bytes) -> None:
    steps = operations(alive_int8)
    assert steps[0].kind == "AVERAGE_POOL_2D"
    assert next(each.layer for each in steps if each.kind == "FULLY_CONNECTED") == "hidden"
    assert sum(each.share for each in steps) == pytest.approx(1)
    assert {"DEQUANTIZE", "ELU", "QUANTIZE"} <= {each.kind for each in steps}
    assert {each.dtype for each in steps} == {"int8", "float32"}


def test_latency_is_of_the_threads_that_were_asked_for(alive_int8: bytes) -> None:
    for threads in (1, 2):
        took = latency(alive_int8, threads)
        assert took.threads == threads
        assert 0 < took.p50_us <= took.p95_us


@pytest.mark.parametrize("scheme", ["int8", "int16x8", "dynamic", "float16", "float32"])
def test_every_scheme_says_what_the_network_says(scheme: Any, with_relu: tuple[Any, bytes]) -> None:
    network, before = with_relu
    assert layer_errors.measure(before, quantise(network, scheme, FACES), FACES)[-1].snr_db > 20


def test_a_scheme_that_has_no_such_operation_says_which() -> None:
    with pytest.raises(BadInput, match=r"no int16x8 form: .*ELU"):
        quantise(static(with_dead_units(0)), "int16x8", FACES)
