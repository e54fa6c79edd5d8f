from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("keras", reason="training needs the extra train")

import keras

from cuelens_models.errors import BadInput
from cuelens_models.zoo import teacher
from cuelens_models.zoo.pretrained import Pretrained, read

FACES = np.random.default_rng(1).standard_normal((8, 48, 48, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def pretrained(
    tmp_path_factory: pytest.TempPathFactory,
    face_weights: dict[str, NDArray[np.float32]],
    write_manifest: Callable[..., Path],
) -> Pretrained:
    return read(write_manifest(tmp_path_factory.mktemp("weights") / "weights.json", face_weights))


def test_each_convolution_does_what_it_did_where_it_was_trained(pretrained: Pretrained) -> None:
    network = teacher.build({"votes": 9})
    teacher.begin(network, pretrained, FACES)
    names = [layer.name.removesuffix("_conv") for layer in network.layers if layer.name.endswith("_conv")]
    assert len(names) == 27
    taps = [network.get_layer(f"{name}_{kind}").output for name in names for kind in ("conv", "norm")]
    outputs = keras.Model(network.input, taps)(FACES)
    for name, convolved, normed in zip(names, outputs[::2], outputs[1::2], strict=True):
        there = name if name == "conv32_down" else "/conv".join(name.rsplit("_conv", 1))
        kernel, bias, scale, shift = (
            pretrained.arrays[f"{there}/{part}"]
            for part in ("conv/filters", "conv/bias", "scale/weights", "scale/biases")
        )
        if name == "conv32_down":
            # Grey is fed to each of the three colours, less bright than their deviation there.
            kernel = kernel.sum(axis=2, keepdims=True) * 60 / 256
        (ours,) = network.get_layer(f"{name}_conv").get_weights()
        larger = ours.std() / kernel.std()
        np.testing.assert_allclose(ours, kernel * larger, atol=1e-5)
        assert ours.std() == pytest.approx(np.sqrt(2 / np.prod(ours.shape[:3])), rel=1e-3)
        np.testing.assert_allclose(normed, (np.asarray(convolved) / larger + bias) * scale + shift, atol=1e-3)


def test_batch_norm_begins_with_the_means_and_deviations_of_the_faces(pretrained: Pretrained) -> None:
    network = teacher.build({"votes": 9})
    teacher.begin(network, pretrained, FACES)
    last = keras.Model(network.input, network.get_layer("conv256_2_out").output)
    np.testing.assert_allclose(last(FACES, training=True), last(FACES, training=False), atol=0.02)


@pytest.mark.parametrize("name", ["conv32_down/conv/filters", "conv128_1/conv2/scale/biases"])
@pytest.mark.parametrize("shape", [None, (3,)])
def test_weights_that_do_not_fit_are_bad_input(pretrained: Pretrained, name: str, shape: tuple[int] | None) -> None:
    arrays = dict(pretrained.arrays)
    if shape is None:
        del arrays[name]
    else:
        arrays[name] = np.zeros(shape, np.float32)
    with pytest.raises(BadInput, match=f"no weights that fit {name.rsplit('/', 2)[0]} of a teacher"):
        teacher.begin(teacher.build({"votes": 9}), Pretrained(Path("w.json"), arrays, ""), FACES)
