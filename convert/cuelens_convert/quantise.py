"""Conversion of a Keras network to a TFLite model in one of five schemes, with built-in operations only."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cuelens_convert.inference import inference
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet

Scheme = Literal["int8", "int16x8", "dynamic", "float16", "float32"]
SCHEMES: Final[tuple[Scheme, ...]] = ("int8", "int16x8", "dynamic", "float16", "float32")
"""int8: weights (per channel) and activations. int16x8: int8 weights, 16-bit activations. dynamic: int8 weights, float
activations. float16: half-precision weights. float32: not quantised."""


def check_loops(network: keras.Model) -> None:
    """Raise BadInput if a network has a recurrent layer with a loop: TensorFlow dies while it measures ranges there.

    network: without networks inside it.
    """
    for operation in network.operations:
        layer = operation.forward_layer if isinstance(operation, keras.layers.Bidirectional) else operation
        if isinstance(layer, keras.layers.RNN) and not layer.unroll:
            raise BadInput(
                f"its recurrent layer {operation.name} has no int8 form: convert with --scheme float16 or dynamic, or"
                " build it with unroll=True"
            )


def quantise(network: keras.Model, scheme: Scheme, representative: NDArray[np.float32]) -> bytes:
    """Convert a network to a TFLite model. Raises BadInput if the scheme lacks one of its operations.

    Args:
        network: with a static batch of one.
        scheme: of SCHEMES.
        representative: images that set the ranges of int8 and int16x8, float (n, height, width, channels).
    """

    def batches() -> Iterator[list[NDArray[np.float32]]]:
        for face in representative:
            yield [face[np.newaxis]]

    with tensorflow_quiet():
        try:
            converter: Any = tf.lite.TFLiteConverter.from_concrete_functions([inference(network)])
            if scheme != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if scheme == "float16":
                converter.target_spec.supported_types = [tf.float16]
            if scheme in ("int8", "int16x8"):
                wide = scheme == "int16x8"
                converter.representative_dataset = batches
                converter.target_spec.supported_ops = [
                    tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
                    if wide
                    else tf.lite.OpsSet.TFLITE_BUILTINS_INT8
                ]
                converter.inference_input_type = converter.inference_output_type = tf.int16 if wide else tf.int8
            model: bytes = converter.convert()
        except Exception as error:
            # The converter raises errors of many types. The first line names the operation that it cannot convert.
            raise BadInput(f"this network has no {scheme} form: {_first_line(error)}") from error
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
