"""What numbers a network computes with."""

import keras


def in_float32(network: keras.Model) -> None:
    """Let every layer compute in float32, whatever it was trained in. Its weights stay as they are.

    Networks trained in mixed precision keep that in their files: other formats cannot be converted.
    """
    for layer in network._flatten_layers():  # noqa: SLF001 - Keras has no other way to see those of networks inside
        layer.dtype_policy = "float32"
