import numpy as np
import pytest

pytest.importorskip("keras", reason="networks need the extra train")

import keras

from cuelens_models.bundle.grids import GRIDS
from cuelens_models.zoo.candidates import COLUMNS, ROWS, build


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build()


def test_it_has_a_logit_and_a_place_for_each_cell_of_each_grid(network: keras.Model) -> None:
    assert network.input_shape == (None, ROWS, COLUMNS, 1) == (None, 128, 160, 1)
    shapes = [(None, ROWS // grid.stride, COLUMNS // grid.stride, told) for grid in GRIDS for told in (1, 4)]
    assert [output.shape for output in network.outputs] == shapes
    assert shapes == [(None, 16, 20, 1), (None, 16, 20, 4), (None, 8, 10, 1), (None, 8, 10, 4)]


def test_it_is_as_small_as_it_says(network: keras.Model) -> None:
    assert network.count_params() == pytest.approx(23_000, abs=500)
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    depthwise = [layer for layer in network.layers if isinstance(layer, keras.layers.DepthwiseConv2D)]
    # Each weight of a convolution is used once for each pixel of its output.
    count = sum(
        int(keras.ops.size(layer.kernel)) * layer.output.shape[1] * layer.output.shape[2] for layer in convolutions
    )
    count += sum(9 * layer.output.shape[1] * layer.output.shape[2] * layer.output.shape[3] for layer in depthwise)
    assert len(depthwise) == 8
    assert count / 1e6 == pytest.approx(6, abs=0.5)


def test_before_training_a_face_is_rare_everywhere(network: keras.Model) -> None:
    picture = np.random.default_rng(0).uniform(-2, 2, (1, ROWS, COLUMNS, 1)).astype(np.float32)
    for logits in network(picture, training=False)[::2]:
        assert float(np.mean(logits)) == pytest.approx(-4, abs=0.5)
        assert float(np.max(logits)) < -2


def test_what_one_cell_tells_depends_on_the_picture_around_it_alone(network: keras.Model) -> None:
    grey = np.random.default_rng(0).uniform(-2, 2, (1, ROWS, COLUMNS, 1)).astype(np.float32)
    other = grey.copy()
    other[:, :16, :16] *= -1
    for before, after in zip(network(grey, training=False), network(other, training=False), strict=True):
        changed = np.abs(np.asarray(before) - np.asarray(after)).max(axis=(0, 3))
        assert changed[0, 0] > 0
        assert changed[-1, -1] == 0
