"""What the networks of the zoo are put together from."""

from collections.abc import Mapping
from typing import Any

from keras import layers

Tensor = Any


def convolution(x: Tensor, name: str, channels: int, size: int = 3, stride: int = 1, *, relu: bool = True) -> Tensor:
    """Return a convolution with batch norm and, unless told otherwise, a ReLU. The norm folds into the convolution."""
    x = layers.Conv2D(
        channels,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def answers(x: Tensor, heads: Mapping[str, int], dropout: float) -> dict[str, Tensor]:
    """Return the logits of each head: name to (n, width), from feature maps."""
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # In float32 whatever the rest is computed in: a loss wants its digits.
    return {name: layers.Dense(width, dtype="float32", name=name)(x) for name, width in heads.items()}
