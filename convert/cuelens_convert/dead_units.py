"""Units that always say the same, made the constant that they are.

A batch norm behind a unit that never fires divides by a deviation of nearly nothing. That factor ends up in the next
layer's weights, or in a product of its own, where it is tens of times the others: int8 has no room for both. Here such
a unit's factor is set to nought, and what it always says becomes its offset.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_convert.rewrite import through
from cuelens_models.quiet import tensorflow_quiet

_SILENT: Final = 1e-3
"""A unit is dead if it varies by less than this share of what the units of its layer do (root mean square)."""
_BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Folded:
    """The network without them. units: how many, by layer. change: the largest, in its outputs on the images."""

    network: keras.Model
    units: dict[str, int]
    change: float


def fold(network: keras.Model, images: NDArray[np.float32]) -> Folded | None:
    """Return the network with the dead units of its batch norms folded; None if it has none.

    images: float (n, height, width, channels), representative ones.
    """
    norms: list[tuple[Any, Any]] = []

    def note(layer: Any, given: Any) -> Any:
        answer = layer(given)
        if isinstance(layer, keras.layers.BatchNormalization):
            norms.append((layer, answer))
        return answer

    face = keras.Input(network.inputs[0].shape[1:], name="face")
    through(network, face, note)
    dead: dict[str, tuple[NDArray[np.bool_], NDArray[np.float32]]] = {}
    for layer, answer in norms:
        # One after the other: all maps of all layers at once would fill the memory.
        with tensorflow_quiet():
            values = keras.Model(face, answer).predict(images, batch_size=_BATCH, verbose=0)
        values = values.reshape(-1, values.shape[-1])
        varies = values.std(axis=0)
        units = varies < _SILENT * np.sqrt((varies**2).mean())
        if units.any():
            dead[layer.name] = units, values.mean(axis=0)
    if not dead:
        return None

    def call(layer: Any, given: Any) -> Any:
        return _constant(layer, given, *dead[layer.name]) if layer.name in dead else layer(given)

    face = keras.Input(network.inputs[0].shape[1:], name="face")
    made = keras.Model(face, through(network, face, call), name=network.name)
    with tensorflow_quiet():
        before, after = (one.predict(images, batch_size=_BATCH, verbose=0) for one in (network, made))
    counts = {name: int(units.sum()) for name, (units, _) in dead.items()}
    return Folded(made, counts, float(np.abs(before - after).max()))


def _constant(layer: Any, given: Any, units: NDArray[np.bool_], says: NDArray[np.float32]) -> Any:
    """Apply a batch norm with these units saying one thing only."""
    made = keras.layers.BatchNormalization.from_config({**layer.get_config(), "scale": True, "center": True})
    answer = made(given)
    had = layer.get_weights()
    *_, mean, variance = had
    gamma = had[0] if layer.scale else np.ones_like(mean)
    beta = had[int(layer.scale)] if layer.center else np.zeros_like(mean)
    made.set_weights([np.where(units, 0, gamma), np.where(units, says, beta), mean, variance])
    return answer
