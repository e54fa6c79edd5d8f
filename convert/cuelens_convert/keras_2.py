"""Rewriting of a Keras 2 network into a file for Keras 3: `python -m cuelens_convert.keras_2 MODEL PLAIN.h5`.

It needs a process of its own, because Keras 2 and 3 conflict in one. It also writes PLAIN.npz, with the network's
outputs for pictures of noise: the reader checks that the network still gives them in Keras 3. The file has one level:
networks inside the network are written layer by layer, because Keras 3 misreads them. Exit status 3: tf_keras is not
installed; 1: the network cannot be read, and standard output says why (TensorFlow logs to standard error).
"""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

_PROBES: Final = 4
_REJECTED: Final = {
    "SeparableConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "DepthwiseConv2D": ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "Conv2DTranspose": ("groups",),
    "BatchNormalization": ("renorm", "virtual_batch_size", "fused"),
}
"""Arguments that Keras 2 writes for a layer and Keras 3 rejects. None of them affects what a trained layer computes."""
_ONLY_TRAINING: Final = ("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise")
"""Layers that pass on what they get in a trained network; so do all that begin with Random."""
_ARITHMETIC: Final[dict[str, Callable[[float], tuple[float, float]]]] = {
    "math.truediv": lambda number: (1 / number, 0.0),
    "math.divide": lambda number: (1 / number, 0.0),
    "math.multiply": lambda number: (number, 0.0),
    "math.subtract": lambda number: (1.0, -number),
    "math.add": lambda number: (1.0, number),
    "__operators__.add": lambda number: (1.0, number),
}
"""Factor and offset of the functions by which `preprocess_input` and people scale pixels, by a number."""
_EITHER_ORDER: Final = ("math.multiply", "math.add", "__operators__.add")


def main() -> None:
    """Read the network with Keras 2, and write it for Keras 3."""
    try:
        import h5py
        import tf_keras
    except ImportError:
        sys.exit(3)
    try:
        network = tf_keras.models.load_model(sys.argv[1], compile=False)
        if not getattr(network, "layers", None) or not getattr(network, "inputs", None):
            raise ValueError("it holds no layers, only what they compute: save the network itself, as .keras")
        plain = Path(sys.argv[2])
        sides = network.inputs[0].shape[1:]
        inputs = np.random.default_rng(0).uniform(0, 1, (_PROBES, *sides)).astype(np.float32)
        if len(network.inputs) != 1 or len(network.outputs) != 1:
            raise ValueError(f"it has {len(network.inputs)} inputs and {len(network.outputs)} outputs, not one of each")
        if None in sides:
            raise ValueError(f"its input has the shape {sides}, not a picture of a fixed size: save it with one")
        _Flattening().network(network).save(plain, save_format="h5", include_optimizer=False)
        np.savez(plain.with_suffix(".npz"), inputs=inputs, outputs=network.predict(inputs, verbose=0))
    except Exception as error:
        # Keras 2 raises errors of many types: the calling process gets the message.
        print(str(error).strip() or type(error).__name__)
        sys.exit(1)
    with h5py.File(plain, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        _clean(config)
        file.attrs["model_config"] = json.dumps(config)


class _Flattening:
    """Writes a network of Keras 2 anew, without networks inside it. A layer applied twice stays one layer."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}
        self._names: set[str] = set()

    def network(self, network: Any) -> Any:
        """Return a functional network with the layers and the weights of `network`."""
        import tf_keras

        face = tf_keras.Input(network.inputs[0].shape[1:], name="face")
        self._names.add("face")
        flat = tf_keras.Model(face, self._through(network, face), name=network.name)
        for original, copy in self._copies.values():
            copy.set_weights(original.get_weights())
        return flat

    def _through(self, network: Any, tensor: Any) -> Any:
        """Apply a network to a tensor layer by layer."""
        import tf_keras

        if isinstance(network, tf_keras.Sequential):
            for layer in network.layers:
                tensor = self._apply(layer, (tensor,), {})
            return tensor
        # What Functional._run_internal_graph does: nodes from the input on, each with its own copies of the tensors.
        uses = network._tensor_usage_count  # noqa: SLF001 - Keras has no public way to ask
        tensors = {str(id(network.inputs[0])): [tensor] * uses[str(id(network.inputs[0]))]}
        nodes = network._nodes_by_depth  # noqa: SLF001
        for depth in sorted(nodes, reverse=True):
            for node in nodes[depth]:
                if node.is_input or any(name not in tensors for name in node.flat_input_ids):
                    continue
                arguments, options = node.map_arguments(tensors)
                output = self._apply(node.layer, arguments, options)
                for name, value in zip(node.flat_output_ids, _tensors(output), strict=True):
                    tensors[name] = [value] * uses[name]
        return tensors[str(id(network.outputs[0]))].pop()

    def _apply(self, layer: Any, arguments: Any, options: Any) -> Any:
        import tf_keras

        kind = type(layer).__name__
        if kind in _ONLY_TRAINING or kind.startswith("Random") or isinstance(layer, tf_keras.layers.InputLayer):
            return arguments[0]
        if isinstance(layer, tf_keras.Model):
            return self._through(layer, arguments[0])
        if kind == "TFOpLambda":
            return self._scale(layer.get_config()["function"], [*arguments, *options.values()])
        if id(layer) not in self._copies:
            config = layer.get_config() | {"name": self._name(layer.name)}
            self._copies[id(layer)] = layer, type(layer).from_config(config)
        options = {name: value for name, value in options.items() if name not in ("training", "mask")}
        return self._copies[id(layer)][1](*arguments, **options)

    def _scale(self, function: str, values: list[Any]) -> Any:
        """Apply a function that scales a tensor by a number as a layer of Keras. values: of its arguments."""
        import tf_keras

        tensor, number = ([value for value in values if value is not None] + [None])[:2]
        if function in _EITHER_ORDER and _number(tensor) is not None:
            tensor, number = number, tensor
        scalar = _number(number)
        if function not in _ARITHMETIC or scalar is None:
            raise ValueError(f"it computes tf.{function} between its layers: replace it by a layer of Keras")
        factor, offset = _ARITHMETIC[function](scalar)
        return tf_keras.layers.Rescaling(factor, offset, name=self._name("rescaling"))(tensor)

    def _name(self, name: str) -> str:
        """Return a name that no layer has yet."""
        free = next(each for each in _variants(name) if each not in self._names)
        self._names.add(free)
        return free


def _number(value: Any) -> float | None:
    """Return a number, which Keras 2 may have made a tensor without sides; None for anything else."""
    if hasattr(value, "numpy") and value.ndim == 0:
        return float(value.numpy())
    return float(value) if isinstance(value, int | float) else None


def _variants(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _tensors(output: Any) -> list[Any]:
    return list(output) if isinstance(output, list | tuple) else [output]


def _clean(part: Any) -> None:
    """Remove from every layer of a network's configuration the arguments that Keras 3 rejects."""
    if isinstance(part, list):
        for inner in part:
            _clean(inner)
    elif isinstance(part, dict):
        for name in _REJECTED.get(part.get("class_name", ""), ()):
            part["config"].pop(name, None)
        for inner in part.values():
            _clean(inner)


if __name__ == "__main__":
    main()
