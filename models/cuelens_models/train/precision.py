"""The precision that a network computes in."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Make the layers of this block compute in "float32" or "bfloat16", but for those that name their own precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(network: keras.Model) -> None:
    """Make every layer compute in float32, whatever it was trained in. Its weights stay as they are.

    Networks trained in mixed precision keep that in their files: other formats cannot be converted.
    """
    for layer in network._flatten_layers():  # noqa: SLF001 - Keras has no other way to see those of networks inside
        layer.dtype_policy = "float32"
