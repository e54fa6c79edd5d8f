"""Quantisation-aware fine-tuning (Jacob et al. 2018, arXiv 1712.05877): the network learns to bear int8's rounding.

While it learns, weights and activations are rounded as int8 will round them, with the gradient passed straight through.
Its own answers before are what it learns, so no labels are needed, and it goes on meaning the same.
"""

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
from keras import quantizers
from numpy.typing import NDArray

from cuelens_convert.rewrite import through
from cuelens_models.quiet import tensorflow_quiet

_RATE: Final = 1e-4
_BATCH: Final = 64
_BETWEEN: Final = ("Dropout", "Flatten", "Reshape", "BatchNormalization", "Rescaling", "Normalization", "ZeroPadding2D")
"""Layers whose outputs the converter joins with what follows, or does not quantise anew."""


def fine_tuned(
    network: keras.Model,
    images: NDArray[np.float32],
    representative: NDArray[np.float32],
    epochs: int,
    seed: int,
    step: Callable[[], None],
) -> keras.Model:
    """Return a network of the same layers whose weights have learned to be rounded. The one given is left as it is.

    images: float (n, height, width, channels), to learn from. representative: likewise, for the ranges of activations.
    step: called after each batch, `steps_of` times.
    """
    keras.utils.set_random_seed(seed)
    tuned = keras.models.clone_model(network)
    tuned.set_weights(network.get_weights())
    ranges = _ranges(tuned, representative)
    pairs: list[tuple[Any, Any]] = []

    def call(layer: Any, given: Any) -> Any:
        answer = _rounding(layer, given, pairs)
        return _Rounded(*ranges[layer.name])(answer) if layer.name in ranges else answer

    face = keras.Input(network.inputs[0].shape[1:], name="face")
    simulated = keras.Model(face, through(tuned, face, call))
    for layer in simulated.layers:
        # Batch norm goes into the weights before it: its averages must not move any more.
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    with tensorflow_quiet():
        believed = keras.ops.softmax(network.predict(images, batch_size=256, verbose=0))
        simulated.compile(
            keras.optimizers.Adam(_RATE), keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False
        )
        simulated.fit(
            images,
            np.asarray(believed),
            batch_size=_BATCH,
            epochs=epochs,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: step())],
        )
    for plain, rounded in pairs:
        plain.set_weights(rounded.get_weights())
    return tuned


def steps_of(images: int, epochs: int) -> int:
    """Return how many batches that many images are."""
    return epochs * -(-images // _BATCH)


def _ranges(network: keras.Model, images: NDArray[np.float32]) -> dict[str, tuple[float, float]]:
    """Return the least and the greatest activation of each layer whose output int8 rounds."""
    found: dict[str, Any] = {}

    def note(layer: Any, given: Any) -> Any:
        answer = layer(given)
        if type(layer).__name__ not in _BETWEEN and not _is_linear_convolution(layer):
            found[layer.name] = answer
        return answer

    face = keras.Input(network.inputs[0].shape[1:], name="face")
    through(network, face, note)
    bounds = {name: [keras.ops.min(tensor), keras.ops.max(tensor)] for name, tensor in found.items()}
    with tensorflow_quiet():
        seen = [keras.Model(face, bounds)(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    return {
        # Nought has a code of its own in int8, whatever the range.
        name: (min(0.0, *(float(part[name][0]) for part in seen)), max(0.0, *(float(part[name][1]) for part in seen)))
        for name in bounds
    }


def _is_linear_convolution(layer: Any) -> bool:
    linear = getattr(layer, "activation", None) is keras.activations.linear
    return linear and not isinstance(layer, keras.layers.Activation)


def _rounding(layer: Any, given: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """Apply a layer with its weights rounded, where that is a convolution or a dense layer."""
    if type(layer) not in (keras.layers.Conv2D, keras.layers.Dense):
        return layer(given)

    class Simulated(type(layer)):  # type: ignore[misc]
        @property
        def kernel(self) -> Any:
            return _rounded_weights(super().kernel)

    made = Simulated.from_config(layer.get_config())
    answer = made(given)
    made.set_weights(layer.get_weights())
    pairs.append((layer, made))
    return answer


def _rounded_weights(kernel: Any) -> Any:
    axis = len(kernel.shape) - 1
    widest = keras.ops.max(keras.ops.abs(kernel), axis=tuple(range(axis)))
    widest = keras.ops.stop_gradient(keras.ops.maximum(widest, 1e-8))
    return quantizers.fake_quant_with_min_max_vars(kernel, -widest, widest, narrow_range=True, axis=axis)


class _Rounded(keras.layers.Layer):  # type: ignore[misc]
    """Rounds activations to the 256 steps of a range."""

    def __init__(self, least: float, greatest: float) -> None:
        super().__init__()
        self._range = least, max(greatest, least + 1e-6)

    def call(self, given: Any) -> Any:
        return quantizers.fake_quant_with_min_max_vars(given, *self._range)
