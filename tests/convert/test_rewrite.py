from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")
pytest.importorskip("tensorflow", reason="conversion needs the extra convert")

import keras
from keras import layers

from cuelens_convert.graph import operations
from cuelens_convert.quantise import quantise
from cuelens_convert.rewrite import rewrite, static
from cuelens_models.bundle.scores import softmax
from cuelens_models.errors import BadInput

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")

FACES = np.random.default_rng(0).uniform(0, 1, (20, 48, 48, 1)).astype(np.float32)


def trunk(face: Any) -> Any:
    return layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, strides=2, activation="relu")(face))


def ending_in(*last: Any) -> Any:
    face = keras.Input((48, 48, 1))
    x = trunk(face)
    for layer in last:
        x = layer(x)
    return keras.Model(face, x)


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(lambda: [layers.Dense(7, activation="softmax")], id="in the dense layer"),
        pytest.param(lambda: [layers.Dense(7), layers.Activation("softmax")], id="as an activation"),
        pytest.param(lambda: [layers.Dense(7), layers.Softmax()], id="as a layer"),
        pytest.param(lambda: [keras.Sequential([layers.Dense(7), layers.Softmax()])], id="in a network inside"),
    ],
)
def test_a_softmax_is_cut_off(last: Callable[[], list[Any]]) -> None:
    network = ending_in(*last())
    rewritten = rewrite(network, "name")
    assert (rewritten.output, rewritten.probabilities, rewritten.outputs) == ("softmax, cut off: logits", False, 7)
    logits = rewritten.network.predict(FACES, verbose=0).astype(np.float64)
    np.testing.assert_allclose(softmax(logits), network.predict(FACES, verbose=0), atol=1e-5)
    assert logits.min() < 0


def test_logits_stay_as_they_are() -> None:
    network = ending_in(layers.Dense(7))
    rewritten = rewrite(network, "name")
    assert (rewritten.output, rewritten.notes) == ("logits", ())
    np.testing.assert_array_equal(rewritten.network.predict(FACES, verbose=0), network.predict(FACES, verbose=0))


def test_probabilities_without_a_softmax_are_known_by_their_sums() -> None:
    face = keras.Input((48, 48, 1))
    believed = layers.Dense(7, activation="sigmoid")(trunk(face))
    rewritten = rewrite(keras.Model(face, believed / keras.ops.sum(believed, axis=1, keepdims=True)), "name")
    assert (rewritten.probabilities, rewritten.output) == (True, "probabilities, kept: no softmax was found")


def test_a_sigmoid_is_refused() -> None:
    with pytest.raises(BadInput, match="end it in a softmax"):
        rewrite(ending_in(layers.Dense(7, activation="sigmoid")), "name")


@pytest.mark.parametrize("inside", [False, True])
def test_hard_swish_becomes_what_int8_kernels_take(inside: bool) -> None:
    face = keras.Input((48, 48, 1))
    x = layers.Conv2D(8, 3, strides=2, activation=None if inside else "hard_silu")(face)
    x = layers.Activation("hard_swish")(x) if inside else x
    network = keras.Model(face, layers.Dense(7)(layers.GlobalAveragePooling2D()(x)))
    rewritten = rewrite(network, "name")
    assert rewritten.notes == ("1 x hard-swish written as a product, which int8 kernels take",)
    np.testing.assert_allclose(
        rewritten.network.predict(FACES, verbose=0), network.predict(FACES, verbose=0), rtol=1e-4, atol=1e-5
    )
    before, after = (operations(quantise(static(one), "int8", FACES)) for one in (network, rewritten.network))
    assert [each.kind for each in before if not each.delegated] == ["HARD_SWISH"]
    assert all(each.delegated for each in after)


def test_batch_norm_behind_an_activation_becomes_one_operation_that_says_the_same() -> None:
    keras.utils.set_random_seed(0)
    face = keras.Input((48, 48, 1))
    x = layers.Conv2D(8, 3, strides=2, activation="elu", padding="same")(face)
    behind = layers.BatchNormalization(name="behind")
    x = layers.Conv2D(8, 3, strides=2, padding="same")(behind(x))
    x = layers.ReLU()(layers.BatchNormalization(name="folded")(x))
    network = keras.Model(face, layers.Dense(7)(layers.GlobalAveragePooling2D()(x)))
    random = np.random.default_rng(0)
    behind.set_weights(
        [random.uniform(0.5, 2, 8), random.normal(size=8), random.normal(size=8), random.uniform(0.1, 2, 8)]
    )
    rewritten = rewrite(network, "name")
    assert rewritten.notes == (
        "1 x batch norm behind an activation written as a depthwise convolution, which int8 holds",
    )
    np.testing.assert_allclose(
        rewritten.network.predict(FACES, verbose=0), network.predict(FACES, verbose=0), rtol=1e-4, atol=1e-5
    )
    written = operations(quantise(static(rewritten.network), "int8", FACES))
    assert [each.kind for each in written if each.layer == "behind"] == ["DEPTHWISE_CONV_2D"]
    assert not {"MUL", "ADD"} & {each.kind for each in written}


def test_networks_of_branches_gates_and_inner_networks_are_rebuilt_alike() -> None:
    face = keras.Input((48, 48, 1))
    x = layers.Conv2D(8, 3, strides=2)(face)
    x = layers.BatchNormalization()(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = layers.Add()([layers.Multiply()([x, gate]), layers.Activation("swish")(x)])
    inner_face = keras.Input(x.shape[1:])
    inner = keras.Model(inner_face, layers.GlobalAveragePooling2D()(layers.ELU()(inner_face)))
    network = keras.Model(face, layers.Dense(7, activation="softmax")(layers.Dropout(0.5)(inner(x))))
    rewritten = rewrite(network, "name")
    logits = rewritten.network.predict(FACES, verbose=0).astype(np.float64)
    np.testing.assert_allclose(softmax(logits), network.predict(FACES, verbose=0), atol=1e-5)
    assert rewritten.network.name == "name"


def test_layers_of_one_name_in_networks_inside_get_names_of_their_own() -> None:
    face = keras.Input((48, 48, 1))
    one, other = (keras.Sequential([layers.Conv2D(4, 3, name="same")]) for _ in range(2))
    network = keras.Model(face, layers.Dense(7)(trunk(other(one(face)))))
    rewritten = rewrite(network, "name")
    np.testing.assert_allclose(
        rewritten.network.predict(FACES, verbose=0), network.predict(FACES, verbose=0), rtol=1e-4, atol=1e-5
    )
    assert {"same", "same_2"} < {layer.name for layer in rewritten.network.layers}


def test_a_dynamic_shape_and_an_answer_of_maps_are_refused() -> None:
    anything = keras.Input((None, None, 1))
    with pytest.raises(BadInput, match="fixed size"):
        rewrite(keras.Model(anything, layers.Dense(7)(trunk(anything))), "name")
    face = keras.Input((48, 48, 1))
    with pytest.raises(BadInput, match="not one number for each"):
        rewrite(keras.Model(face, layers.Conv2D(7, 3)(face)), "name")
