"""Folding of dead units, whose output is the same for every image, into constants.

The batch norm after a dead unit divides by a standard deviation near zero. The resulting factor ends up in the next
layer's weights, or in a multiplication of its own, tens of times larger than the others, and widens the int8 range that
all of them share. Folding sets that factor to zero and adds the unit's constant output to the offset.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_convert.rewrite import layer_outputs, rebuild
from cuelens_models.quiet import tensorflow_quiet

_DEAD: Final = 1e-3
"""A unit is dead if its standard deviation is below this share of its layer's (root mean square over the units)."""
_BATCH: Final = 128


@dataclass(frozen=True, slots=True)
class Folding:
    """The network with dead units folded. units: their number, by layer. change: of any output, the largest."""

    network: keras.Model
    units: dict[str, int]
    change: float


def fold_dead_units(network: keras.Model, images: NDArray[np.float32]) -> Folding | None:
    """Return the network with the dead units before its batch norms folded; None if it has none.

    images: representative ones, float (n, height, width, channels).
    """
    face, outputs = layer_outputs(network)
    dead: dict[str, tuple[NDArray[np.bool_], NDArray[np.float32]]] = {}
    for layer, output in outputs:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        # Layer by layer, since the outputs of all layers together would fill the memory.
        with tensorflow_quiet():
            values = keras.Model(face, output).predict(images, batch_size=_BATCH, verbose=0)
        values = values.reshape(-1, values.shape[-1])
        deviation = values.std(axis=0)
        units = deviation < _DEAD * np.sqrt((deviation**2).mean())
        if units.any():
            dead[layer.name] = units, values.mean(axis=0)
    if not dead:
        return None

    def call(layer: Any, tensor: Any) -> Any:
        return _fold_units(layer, tensor, *dead[layer.name]) if layer.name in dead else layer(tensor)

    result = rebuild(network, call)
    with tensorflow_quiet():
        before, after = (model.predict(images, batch_size=_BATCH, verbose=0) for model in (network, result))
    counts = {name: int(units.sum()) for name, (units, _) in dead.items()}
    return Folding(result, counts, float(np.abs(before - after).max()))


def _fold_units(layer: Any, tensor: Any, units: NDArray[np.bool_], means: NDArray[np.float32]) -> Any:
    """Apply a batch norm with a factor of zero for `units`, and their mean output as the offset."""
    folded = keras.layers.BatchNormalization.from_config({**layer.get_config(), "scale": True, "center": True})
    output = folded(tensor)
    weights = layer.get_weights()
    *_, mean, variance = weights
    gamma = weights[0] if layer.scale else np.ones_like(mean)
    beta = weights[int(layer.scale)] if layer.center else np.zeros_like(mean)
    folded.set_weights([np.where(units, 0, gamma), np.where(units, means, beta), mean, variance])
    return output
