"""Keras to a flatbuffer in one of five schemes, of built-in operations alone: no Flex, nothing custom."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet

Scheme = Literal["int8", "int16x8", "dynamic", "float16", "float32"]
SCHEMES: Final[tuple[Scheme, ...]] = ("int8", "int16x8", "dynamic", "float16", "float32")
"""int8: weights per channel and activations. int16x8: activations of 16 bits. dynamic: int8 weights, float activations.
float16: half-size weights. float32: as trained."""


def quantised(network: keras.Model, scheme: Scheme, representative: NDArray[np.float32]) -> bytes:
    """Convert a network with a static batch of one. Raises BadInput if an operation has no such form.

    representative: float (n, height, width, channels), on which int8 and int16x8 measure ranges.
    """

    def batches() -> Iterator[list[NDArray[np.float32]]]:
        for face in representative:
            yield [face[np.newaxis]]

    with tensorflow_quiet():
        try:
            converter: Any = tf.lite.TFLiteConverter.from_keras_model(network)
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
            # The converter raises many kinds; its first line says which operation it could not take.
            raise BadInput(f"this network has no {scheme} form: {_first_line(error)}") from error
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
