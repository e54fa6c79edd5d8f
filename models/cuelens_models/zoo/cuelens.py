"""Our own network: plain convolutions for int8 on a Cortex-A53.

Strided convolutions instead of pooling and a global average at the end keep every layer inside XNNPACK's int8
kernels; batch norm stands before each ReLU, so it folds into the convolution. The first layer halves the picture at
once: wide maps at a low resolution should cost an A53 less than narrow ones at a high one, as they do on x86 (no board
has measured it yet). Normalisation stays outside.
"""

from collections.abc import Mapping
from typing import Final

import keras

from cuelens_models.zoo.blocks import answers, convolution

NAME: Final = "cuelens"
_LAYERS: Final = ((5, 24, 2), (3, 24, 1), (3, 48, 2), (3, 48, 1), (3, 104, 2), (3, 104, 1), (3, 192, 2), (3, 192, 1))
"""Kernel side, channels and stride of each convolution: 24 to 3 pixels on a side, 17.5 M multiply-adds."""


def build(heads: Mapping[str, int]) -> keras.Model:
    """Return the network: float (n, 48, 48, 1) to the logits of each head, name to (n, width)."""
    face = x = keras.Input((48, 48, 1), name="face")
    for number, (size, channels, stride) in enumerate(_LAYERS, start=1):
        x = convolution(x, f"layer{number}", channels, size, stride)
    return keras.Model(face, answers(x, heads, dropout=0.1), name=NAME)
