"""Rewriting of a network into the form that converts best: logits as output, and operations that int8 kernels have."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Final

import keras
import numpy as np

from cuelens_models.bundle import scores
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet

_PROBES: Final = 8
_TOLERANCE: Final = 1e-4
"""Largest difference allowed between the outputs before and after rewriting, as a share of the largest output."""

Call = Callable[[Any, Any], Any]
"""Applies a layer to a tensor."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A rewritten network, with one input of fixed size, one output, and any batch size.

    output: its kind, in words. probabilities: whether it outputs those, because no softmax was found to remove. notes:
    what was changed.
    """

    network: keras.Model
    output: str
    probabilities: bool
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return height, width and channels of the input."""
        height, width, channels = self.network.inputs[0].shape[1:]
        return height, width, channels

    @property
    def outputs(self) -> int:
        """Return the number of classes: the width of the only output."""
        return int(self.network.outputs[0].shape[1])


def rewrite(network: keras.Model, name: str) -> Rewrite:
    """Rewrite a network layer by layer, and name it `name`. Raises BadInput if it cannot be rewritten."""
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise BadInput(f"it has {len(network.inputs)} inputs and {len(network.outputs)} outputs, not one of each")
    input_shape, output_shape = network.inputs[0].shape[1:], network.outputs[0].shape[1:]
    if len(input_shape) != 3 or None in input_shape:
        raise BadInput(f"its input has the shape {input_shape}, not a picture of a fixed size")
    if len(output_shape) != 1:
        raise BadInput(f"its output has the shape {output_shape}, not one number for each expression")
    last = _last_layer(network)
    activation = _activation(last)
    if activation in ("sigmoid", "hard_sigmoid"):
        raise BadInput("it ends in a sigmoid, which rates each expression on its own: end it in a softmax")
    rewriter = _Rewriter(last if activation == "softmax" else None)
    try:
        with tensorflow_quiet():
            result = rebuild(network, rewriter, name)
    except Exception as error:
        # Layers raise errors of many types when they are applied otherwise than they were.
        raise BadInput(f"it cannot be rebuilt layer by layer: {str(error).splitlines()[0]}") from error
    outputs = _probe(result)
    _check_same(_probe(network), outputs, softmax=activation == "softmax")
    if activation == "softmax":
        return Rewrite(result, "softmax, cut off: logits", probabilities=False, notes=rewriter.notes())
    probabilities = _are_probabilities(outputs)
    output = "probabilities, kept: no softmax was found" if probabilities else "logits"
    return Rewrite(result, output, probabilities, rewriter.notes())


class _Rewriter:
    """Applies each layer in the form that int8 kernels run best, and counts the layers that it changed."""

    def __init__(self, softmax: Any) -> None:
        """softmax: the layer whose softmax is removed, None for none."""
        self._softmax = softmax
        self._swishes = self._norms = 0

    def __call__(self, layer: Any, tensor: Any) -> Any:
        if layer is self._softmax:
            return _without_activation(layer, tensor)
        if _activation(layer) == "hard_silu":
            self._swishes += 1
            return _hard_swish(_without_activation(layer, tensor))
        if isinstance(layer, keras.layers.BatchNormalization) and len(tensor.shape) == 4 and not _absorbs_norm(tensor):
            self._norms += 1
            return _depthwise(layer, tensor)
        return layer(tensor)

    def notes(self) -> tuple[str, ...]:
        """Return how the network was changed, one sentence for each kind of rewritten layer."""
        swishes = f"{self._swishes} x hard-swish written as a product, which int8 kernels take"
        norms = f"{self._norms} x batch norm behind an activation written as a depthwise convolution, which int8 holds"
        return (swishes,) * bool(self._swishes) + (norms,) * bool(self._norms)


def rebuild(network: keras.Model, call: Call, name: str | None = None) -> keras.Model:
    """Build a network anew layer by layer, those of networks inside it too.

    Args:
        network: with one input and one output.
        call: applies each layer that has one input and no call options; others are applied as they are.
        name: of the result, None for the network's own.
    """
    # Fixed names, because automatic ones depend on what was built before, and are written to the file.
    face = keras.Input(network.inputs[0].shape[1:], name="face")
    output = _single(_through(network, face, call))
    _name_apart(output)
    return keras.Model(face, output, name=name or network.name)


def layer_outputs(network: keras.Model) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return an input tensor, and each layer of a network with its output for that input."""
    outputs: list[tuple[Any, Any]] = []

    def call(layer: Any, tensor: Any) -> Any:
        outputs.append((layer, layer(tensor)))
        return outputs[-1][1]

    return rebuild(network, call).inputs[0], outputs


def _name_apart(output: Any) -> None:
    """Rename layers and operations that bear the name of another one before this output.

    In one network no name may occur twice. It may in networks inside a network, in layers that are replaced, and in
    the automatic names of operations.
    """
    operations: dict[int, Any] = {}
    calls = set()
    tensors = [output]
    while tensors:
        operation, node, _ = tensors.pop()._keras_history  # noqa: SLF001 - Keras has no public way to ask
        if (id(operation), node) not in calls:
            calls.add((id(operation), node))
            operations[id(operation)] = operation
            tensors += operation._inbound_nodes[node].input_tensors  # noqa: SLF001
    names: set[str] = set()
    for operation in operations.values():
        variants = (f"{operation.name}_{number}" for number in count(2))
        if operation.name in names:
            operation.name = next(name for name in variants if name not in names)
        names.add(operation.name)


def _through(network: keras.Model, tensor: Any, call: Call) -> Any:
    """Apply a network to a tensor layer by layer."""
    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            tensor = _step(layer, tensor, call)
        return tensor

    def call_function(layer: Any, *tensors: Any, **options: Any) -> Any:
        if len(tensors) == 1 and not isinstance(tensors[0], list | tuple) and not options.get("mask"):
            return _step(layer, tensors[0], call)
        return layer(*tensors, **options)

    # This is what clone_model does, without the Input layer that it puts before a network inside another.
    return _single(network._run_through_graph(_fed(network, tensor), lambda layer: partial(call_function, layer)))  # noqa: SLF001


def _fed(network: keras.Model, tensor: Any) -> Any:
    """Return a tensor in the structure that a network takes: itself, or in a dictionary or a list."""
    if isinstance(network, keras.Sequential):  # once loaded from a file it has `inputs`, and no `input`
        return tensor
    return keras.tree.map_structure(lambda _: tensor, network.input)


def static(network: keras.Model) -> keras.Model:
    """Return the network with a batch size of one: a dynamic one would add shape arithmetic to the graph."""
    face = keras.Input(batch_shape=(1, *network.inputs[0].shape[1:]), name="face")
    return keras.Model(face, _single(network(face)), name=network.name)


def _single(output: Any) -> Any:
    """Return the only tensor of an output, which Keras may wrap in a dictionary or a list."""
    if isinstance(output, dict):
        (output,) = output.values()
    return output[0] if isinstance(output, list | tuple) else output


def _step(layer: Any, tensor: Any, call: Call) -> Any:
    if isinstance(layer, keras.layers.InputLayer):
        return tensor
    return _single(_through(layer, tensor, call)) if isinstance(layer, keras.Model) else call(layer, tensor)


def _last_layer(network: keras.Model) -> Any:
    """Return the layer or operation whose output is the network's, in a network inside it too."""
    layer = network.outputs[0]._keras_history.operation  # noqa: SLF001 - Keras has no public way to ask
    return _last_layer(layer) if isinstance(layer, keras.Model) else layer


def _activation(layer: Any) -> str | None:
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _without_activation(layer: Any, tensor: Any) -> Any:
    """Apply the layer without its activation."""
    if isinstance(layer, keras.layers.Softmax | keras.layers.Activation):
        return tensor
    linear = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    output = linear(tensor)
    linear.set_weights(layer.get_weights())
    return output


def _absorbs_norm(tensor: Any) -> bool:
    """Return whether the converter folds a batch norm into the layer that this tensor comes from."""
    layer = tensor._keras_history.operation  # noqa: SLF001
    weighted = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
    return isinstance(layer, weighted) and _activation(layer) == "linear"


def _depthwise(norm: Any, tensor: Any) -> Any:
    """Apply a batch norm as a 1x1 depthwise convolution: int8 rounds once instead of twice."""
    weights = norm.get_weights()
    *_, mean, variance = weights
    factor = (weights[0] if norm.scale else 1) / np.sqrt(variance + norm.epsilon)
    offset = (weights[int(norm.scale)] if norm.center else 0) - mean * factor
    convolution = keras.layers.DepthwiseConv2D(1, name=norm.name)
    output = convolution(tensor)
    convolution.set_weights([factor.reshape(1, 1, -1, 1), offset])
    return output


def _hard_swish(x: Any) -> Any:
    """Return x * relu6(x + 3) / 6, in an order that the converter does not fuse into HARD_SWISH: XNNPACK lacks it."""
    return keras.ops.multiply(keras.ops.multiply(x, 1 / 6), keras.ops.relu6(keras.ops.add(x, 3.0)))


def _probe(network: keras.Model) -> Any:
    """Return the outputs for pictures of noise, whose brightest levels range from 1 to 251."""
    shape = (_PROBES, *network.inputs[0].shape[1:])
    levels = np.random.default_rng(0).uniform(0, 1, shape) * np.logspace(0, 2.4, _PROBES).reshape(-1, 1, 1, 1)
    with tensorflow_quiet():
        inputs = _fed(network, levels.astype(np.float32))
        return np.asarray(_single(network(inputs, training=False)), np.float64)


def _are_probabilities(outputs: Any) -> bool:
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def _check_same(expected: Any, actual: Any, *, softmax: bool) -> None:
    """Raise BadInput if the outputs differ. expected: of the network. actual: of the rewritten one."""
    if softmax:
        actual = scores.softmax(actual)
    tolerance = _TOLERANCE * max(1.0, float(np.nan_to_num(np.abs(expected)).max()))
    if not np.allclose(expected, actual, rtol=_TOLERANCE, atol=tolerance, equal_nan=True):
        raise BadInput("it cannot be rebuilt layer by layer: a layer is shared or connected in an unsupported way")
