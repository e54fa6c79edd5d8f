"""Quantisation-aware fine-tuning (Jacob et al. 2018, arXiv 1712.05877): the network learns to tolerate int8 rounding.

During training, weights and activations are rounded as int8 will round them, with a straight-through gradient. The
targets are the network's own outputs before fine-tuning (self-distillation), so no labels are needed.
"""

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
from keras import quantizers
from numpy.typing import NDArray

from cuelens_convert.rewrite import layer_outputs, rebuild
from cuelens_models.quiet import tensorflow_quiet

_RATE: Final = 1e-4
_BATCH: Final = 64
_FUSED: Final = ("Dropout", "Flatten", "Reshape", "BatchNormalization", "Rescaling", "Normalization", "ZeroPadding2D")
"""Layers whose output the converter fuses with the next operation, or leaves in the scale of their input."""


def fine_tune(
    network: keras.Model,
    images: NDArray[np.float32],
    representative: NDArray[np.float32],
    epochs: int,
    seed: int,
    step: Callable[[], None],
) -> keras.Model:
    """Return a copy of the network, fine-tuned to tolerate int8 rounding.

    Args:
        network: left as it is.
        images: to train on, float (n, height, width, channels).
        representative: images that set the ranges of the activations, float (n, height, width, channels).
        epochs: over `images`.
        seed: of the order of the images.
        step: called after each batch, `step_count` times.
    """
    keras.utils.set_random_seed(seed)
    tuned = keras.models.clone_model(network)
    tuned.set_weights(network.get_weights())
    ranges = _ranges(tuned, representative)
    pairs: list[tuple[Any, Any]] = []

    def call(layer: Any, tensor: Any) -> Any:
        output = _round_weights(layer, tensor, pairs)
        return _RoundActivations(*ranges[layer.name])(output) if layer.name in ranges else output

    simulated = rebuild(tuned, call)
    for layer in simulated.layers:
        # Conversion folds batch norm into the weights before it, so its statistics stay fixed.
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    with tensorflow_quiet():
        targets = keras.ops.softmax(network.predict(images, batch_size=256, verbose=0))
        simulated.compile(
            keras.optimizers.Adam(_RATE), keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False
        )
        simulated.fit(
            images,
            np.asarray(targets),
            batch_size=_BATCH,
            epochs=epochs,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: step())],
        )
    for plain, rounded in pairs:
        plain.set_weights(rounded.get_weights())
    return tuned


def step_count(images: int, epochs: int) -> int:
    """Return the number of batches in all epochs over so many images."""
    return epochs * -(-images // _BATCH)


def _ranges(network: keras.Model, images: NDArray[np.float32]) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest activation of each layer whose output int8 rounds."""
    face, outputs = layer_outputs(network)
    bounds = {
        layer.name: [keras.ops.min(output), keras.ops.max(output)]
        for layer, output in outputs
        if type(layer).__name__ not in _FUSED and not _is_linear_convolution(layer)
    }
    with tensorflow_quiet():
        parts = [keras.Model(face, bounds)(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    return {
        # int8 represents zero exactly, so every range includes it.
        name: (min(0.0, *(float(part[name][0]) for part in parts)), max(0.0, *(float(part[name][1]) for part in parts)))
        for name in bounds
    }


def _is_linear_convolution(layer: Any) -> bool:
    linear = getattr(layer, "activation", None) is keras.activations.linear
    return linear and not isinstance(layer, keras.layers.Activation)


def _round_weights(layer: Any, tensor: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """Apply a layer, with rounded weights if it is a convolution or a dense layer; add both layers to `pairs`."""
    if type(layer) not in (keras.layers.Conv2D, keras.layers.Dense):
        return layer(tensor)

    class Simulated(type(layer)):  # type: ignore[misc]
        @property
        def kernel(self) -> Any:
            return _round_kernel(super().kernel)

    simulated = Simulated.from_config(layer.get_config())
    output = simulated(tensor)
    simulated.set_weights(layer.get_weights())
    pairs.append((layer, simulated))
    return output


def _round_kernel(kernel: Any) -> Any:
    axis = len(kernel.shape) - 1
    widest = keras.ops.max(keras.ops.abs(kernel), axis=tuple(range(axis)))
    widest = keras.ops.stop_gradient(keras.ops.maximum(widest, 1e-8))
    return quantizers.fake_quant_with_min_max_vars(kernel, -widest, widest, narrow_range=True, axis=axis)


class _RoundActivations(keras.layers.Layer):  # type: ignore[misc]
    """Rounds activations to the 256 int8 steps of their range."""

    def __init__(self, minimum: float, maximum: float) -> None:
        super().__init__()
        self._range = minimum, max(maximum, minimum + 1e-6)

    def call(self, tensor: Any) -> Any:
        return quantizers.fake_quant_with_min_max_vars(tensor, *self._range)
