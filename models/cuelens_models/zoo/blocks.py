"""What the networks of the zoo are put together from."""

from collections.abc import Mapping
from typing import Any

Tensor = Any


def convolution(x: Tensor, name: str, channels: int, size: int = 3, stride: int = 1, *, relu: bool = True) -> Tensor:
    """Return a convolution with batch norm, which folds into it, and a ReLU.

    Args:
        x: feature maps, (n, height, width, channels).
        name: what the names of the layers begin with.
        channels: how many the output has.
        size: side of the kernel, in pixels.
        stride: of the kernel, in pixels.
        relu: false leaves the ReLU out.
    """
    from keras import layers

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
    """Return the logits of each head, (n, width), by its name.

    Args:
        x: feature maps, (n, height, width, channels).
        heads: the width of each head by its name.
        dropout: the share of features that is dropped in training.
    """
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    # Always in float32: the loss needs that precision.
    return {name: layers.Dense(width, dtype="float32", name=name)(x) for name, width in heads.items()}
