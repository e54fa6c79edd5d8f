"""What our own network learns from: the ResNet by which dlib tells people apart, on faces enlarged to 96 pixels.

It never runs on the glasses, so nothing in it is chosen for int8 or for a Cortex-A53. It is trained as our own network
is, and can begin from the weights of the original, as the npm package face-api ships them (MIT; the weights are Davis
King's, CC0). Its blocks are named as they are there.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.errors import BadInput
from cuelens_models.zoo import cuelens
from cuelens_models.zoo.blocks import Tensor, answers, convolution
from cuelens_models.zoo.pretrained import Pretrained

if TYPE_CHECKING:
    import keras

NAME: Final = "teacher"
_STEM: Final = "conv32_down"
_BLOCKS: Final = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2"),
)
"""Residual blocks: 24 to 3 pixels on a side. The last block of the original, for telling people apart, is left out."""
_PARTS: Final = ("conv1", "conv2")
_GREY_DEVIATION: Final = 60 / 256
"""From standardised grey to what the original was fed, levels over 256: a face deviates by some 60 of them."""


def build(heads: Mapping[str, int]) -> "keras.Model":
    """Return the network: float (n, 48, 48, 1) to the logits of each head, name to (n, width)."""
    import keras
    from keras import layers

    face = keras.Input((48, 48, 1), name="face")
    x = layers.UpSampling2D(2, interpolation="bilinear", name="enlarged")(face)
    x = convolution(x, _STEM, 32, size=7, stride=2)
    x = layers.MaxPooling2D(3, 2, padding="same", name="pool")(x)
    for name in _BLOCKS:
        x = _block(x, name, int(name.removeprefix("conv").partition("_")[0]), 2 if name.endswith("_down") else 1)
    return keras.Model(face, answers(x, heads, dropout=0.2), name=NAME)


def begin(network: "keras.Model", pretrained: Pretrained, inputs: NDArray[np.float32]) -> None:
    """Give a fresh teacher the weights of the network that tells people apart. Raises BadInput if they do not fit.

    There a convolution is followed by a scale and a shift, here by batch norm. Batch norm is set to the means and
    deviations of the inputs, and to the scale and shift that make it compute the same on them.

    Args:
        network: a fresh teacher; its weights are replaced.
        pretrained: weights under the names of face-api.
        inputs: standardised faces, float (n, 48, 48, 1).
    """
    import keras

    convolutions = {_STEM: _STEM} | {f"{block}_{part}": f"{block}/{part}" for block in _BLOCKS for part in _PARTS}
    for ours, theirs in convolutions.items():
        try:
            kernel, bias = (pretrained.arrays[f"{theirs}/conv/{name}"] for name in ("filters", "bias"))
            scale, shift = (pretrained.arrays[f"{theirs}/scale/{name}"] for name in ("weights", "biases"))
            if ours == _STEM:
                kernel = kernel.sum(axis=2, keepdims=True) * _GREY_DEVIATION
            # The learning rate is meant for kernels as large as fresh ones; theirs are a tenth of that and less.
            larger = np.sqrt(2 / np.prod(kernel.shape[:3])) / kernel.std()
            kernel, bias, scale = kernel * larger, bias * larger, scale / larger
            norm = network.get_layer(f"{ours}_norm")
            network.get_layer(f"{ours}_conv").set_weights([kernel])
            unit = np.sqrt(1 + norm.epsilon)
            norm.set_weights([scale * unit, shift + scale * bias, np.zeros_like(scale), np.ones_like(scale)])
        except (KeyError, ValueError) as error:
            raise BadInput(f"{pretrained.path} holds no weights that fit {theirs} of a teacher") from error
    maps = keras.Model(network.input, [network.get_layer(f"{ours}_conv").output for ours in convolutions])
    for ours, outputs in zip(convolutions, maps.predict(inputs, batch_size=128, verbose=0), strict=True):
        norm = network.get_layer(f"{ours}_norm")
        activations = np.asarray(outputs, np.float32)
        mean, variance = activations.mean((0, 1, 2)), activations.var((0, 1, 2))
        scale, shift = norm.get_weights()[:2]
        scale = scale / np.sqrt(1 + norm.epsilon)
        norm.set_weights([scale * np.sqrt(variance + norm.epsilon), shift + scale * mean, mean, variance])


def _block(x: Tensor, name: str, channels: int, stride: int) -> Tensor:
    """A basic residual block (He et al. 2015, arXiv 1512.03385), its shortcut pooled and widened with zeros."""
    from keras import layers, ops

    first, second = _PARTS
    shortcut = x
    if stride > 1:
        shortcut = layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")(x)
        shortcut = ops.pad(shortcut, ((0, 0), (0, 0), (0, 0), (0, channels - x.shape[-1])))
    x = convolution(x, f"{name}_{first}", channels, stride=stride)
    x = convolution(x, f"{name}_{second}", channels, relu=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_sum")([x, shortcut]))


RECIPE: Final = replace(cuelens.recipe(cuelens.CONTROL), name=NAME, build=build, epochs=30, begin=begin)
PRETRAINED_EPOCHS: Final = 16
"""Epochs of a teacher that begins from trained weights."""
