"""Keras to an int8 flatbuffer: per-channel weights, int8 activations, int8 in and out, no Flex or custom op."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet


def int8(network: keras.Model, representative: NDArray[np.float32]) -> bytes:
    """Convert a network with a static batch of one. Raises BadInput if an operation has no int8 form."""

    def batches() -> Iterator[list[NDArray[np.float32]]]:
        for face in representative:
            yield [face[np.newaxis]]

    with tensorflow_quiet():
        try:
            converter = tf.lite.TFLiteConverter.from_keras_model(network)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = batches
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.int8
            converter.inference_output_type = tf.int8
            model: bytes = converter.convert()
        except Exception as error:
            # The converter raises many kinds; its first line says which operation it could not take.
            raise BadInput(f"this network has no int8 form: {str(error).strip().splitlines()[0]}") from error
    return model
