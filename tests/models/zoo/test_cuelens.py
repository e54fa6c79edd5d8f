from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("keras", reason="networks need the extra train")

import keras

from cuelens_models.evaluate.candidate import open_candidate
from cuelens_models.zoo.cuelens import CONTROL, RECIPE, Options, build, recipe
from cuelens_models.zoo.teacher import RECIPE as TEACHER

KERAS = Path(__file__).resolve().parents[3] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"
HEADS = {"votes": 9, "original": 7}


def kernels(network: Any) -> list[tuple[int, ...]]:
    return [layer.kernel.shape for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def multiply_adds(network: Any, head: str) -> int:
    """Counted from shapes: each weight of a convolution is used once for each pixel of its output."""
    pixels = {
        layer: layer.output.shape[1] * layer.output.shape[2] for layer in network.layers if hasattr(layer, "strides")
    }
    convolved = sum(int(keras.ops.size(layer.kernel)) * count for layer, count in pixels.items())
    return convolved + int(keras.ops.size(network.get_layer(head).kernel))


@pytest.mark.parametrize(("options", "millions"), [(Options(), 17.44), (CONTROL, 17.54)])
def test_a_network_costs_no_more_than_the_first_one(options: Options, millions: float) -> None:
    network = build(HEADS, options)
    assert multiply_adds(network, "votes") / 1e6 == pytest.approx(millions, abs=0.005)
    assert all(kernel[3] % 8 == 0 for kernel in kernels(network))


def test_the_recipe_is_the_one_that_gained() -> None:
    assert (RECIPE.epochs, RECIPE.batch, RECIPE.views, RECIPE.mirror, RECIPE.rarity) == (340, 256, 48, 0.2, 0.15)
    assert RECIPE.build(HEADS).get_layer("dropout").rate == 0
    assert float(RECIPE.optimizer(1000).learning_rate) == pytest.approx(2.8e-3 / 20)


def test_teachers_are_trained_as_before() -> None:
    before: Mapping[str, Any] = {"epochs": 30, "batch": 128, "mirror": 0.0, "rarity": 0.0}
    assert {name: getattr(TEACHER, name) for name in before} == before
    assert float(TEACHER.optimizer(1000).learning_rate) == pytest.approx(2e-3 / 20)
    assert TEACHER.build(HEADS).get_layer("dropout").rate == pytest.approx(0.2)


def test_the_first_network_is_still_built_and_opened() -> None:
    shipped = keras.models.load_model(KERAS, compile=False)
    assert kernels(shipped) == kernels(recipe(CONTROL).build(HEADS))
    model = open_candidate(KERAS)
    assert len(model.labels) == 9
