"""What our own network learns from: a residual network of a size that a workstation trains in an hour.

It never runs on the glasses, so nothing in it is chosen for int8 or for a Cortex-A53.
"""

from collections.abc import Mapping
from typing import Final

import keras
from keras import layers

from cuelens_models.zoo.blocks import Tensor, answers, convolution

NAME: Final = "teacher"
_BLOCKS: Final = ((48, 1), (80, 2), (80, 1), (160, 2), (160, 1))
"""Channels and stride of each block: 24 to 6 pixels on a side, 81 M multiply-adds, 1.1 M parameters."""


def build(heads: Mapping[str, int]) -> keras.Model:
    """Return the network: float (n, 48, 48, 1) to the logits of each head, name to (n, width)."""
    face = keras.Input((48, 48, 1), name="face")
    x = convolution(face, "stem", 32, size=5, stride=2)
    for number, (channels, stride) in enumerate(_BLOCKS, start=1):
        x = _block(x, f"block{number}", channels, stride)
    return keras.Model(face, answers(x, heads, dropout=0.4), name=NAME)


def _block(x: Tensor, name: str, channels: int, stride: int) -> Tensor:
    """A basic residual block (He et al. 2015, arXiv 1512.03385)."""
    shortcut = x
    if stride > 1 or x.shape[-1] != channels:
        shortcut = convolution(x, f"{name}_shortcut", channels, size=1, stride=stride, relu=False)
    x = convolution(x, f"{name}_first", channels, stride=stride)
    x = convolution(x, f"{name}_second", channels, relu=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_sum")([x, shortcut]))
