"""Our own network: plain 3x3 convolutions for int8 on a Cortex-A53.

Strided convolutions instead of pooling and a global average at the end keep every layer inside XNNPACK's int8
kernels; batch norm stands before each ReLU, so it folds into the convolution. Normalisation stays outside.
"""

from typing import Final

import keras
from keras import layers, regularizers

NAME: Final = "cuelens"
PROTOCOL: Final = "ferplus8"
_STAGES: Final = ((16, 1), (24, 2), (24, 1), (48, 2), (48, 1), (96, 2), (96, 1), (128, 2))
"""Channels and stride of each convolution: 48 to 3 pixels on a side, 15 M multiply-adds, 0.27 M parameters."""


def build(labels: int) -> keras.Model:
    """Return the network: float (n, 48, 48, 1) in 0..1 to (n, labels) logits."""
    face = x = keras.Input((48, 48, 1), name="face")
    for number, (channels, stride) in enumerate(_STAGES, start=1):
        x = layers.Conv2D(
            channels,
            3,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            kernel_regularizer=regularizers.L2(1e-4),
            name=f"conv{number}",
        )(x)
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    return keras.Model(face, layers.Dense(labels, name="logits")(x), name=NAME)
