"""A network's inference as one traced function, which the converter takes and which runs batches of any size.

The converter's `from_keras_model` exports a SavedModel, reads it back and traces both ways: half of its time, for the
same model. Keras's `predict` traces once more for the last batch, which is smaller than the others.
"""

from typing import Any

import keras
import tensorflow as tf


def inference(network: keras.Model) -> Any:
    """Return a concrete function of TensorFlow, which takes the network's input and returns its output.

    network: with one input, whose batch size is the function's, and one output. Later changes of its weights count.
    """
    (face,) = network.inputs
    signature = [tf.TensorSpec(face.shape, tf.float32, name=face.name)]
    # Layers of Keras have no control flow of Python, which autograph would look for.
    traced = tf.function(lambda faces: network(faces, training=False), input_signature=signature, autograph=False)
    return traced.get_concrete_function()
