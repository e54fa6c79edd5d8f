"""A network brought into the form that the glasses run best: logits out, and nothing that int8 kernels do not take."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import keras
import numpy as np

from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet

_PROBES: Final = 8
_EXACT: Final = 1e-4
"""By how much the adapted network may differ in its logits, as a share of the largest one."""

Call = Callable[[Any, Any], Any]
"""Applies a layer to a tensor."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A network with one input of fixed size and one output, of any batch.

    output: what its output is, in words. probabilities: whether it could not be made logits. notes: what was changed.
    """

    network: keras.Model
    output: str
    probabilities: bool
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return height, width and channels of its input."""
        height, width, channels = self.network.inputs[0].shape[1:]
        return height, width, channels

    @property
    def outputs(self) -> int:
        """Return how many numbers it gives."""
        return int(self.network.outputs[0].shape[1])


def adapted(network: keras.Model, name: str) -> Adapted:
    """Return the network in the form that is converted. Raises BadInput for one that has no such form."""
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise BadInput(f"it has {len(network.inputs)} inputs and {len(network.outputs)} outputs, not one of each")
    shape, answer = network.inputs[0].shape[1:], network.outputs[0].shape[1:]
    if len(shape) != 3 or None in shape:
        raise BadInput(f"it takes {shape}, not a picture of a fixed size")
    if len(answer) != 1:
        raise BadInput(f"it gives {answer}, not one number for each expression")
    last = _last(network)
    ends = _activation(last)
    if ends in ("sigmoid", "hard_sigmoid"):
        raise BadInput("it ends in a sigmoid, which believes in each expression apart: end it in a softmax")
    # Fixed names: automatic ones depend on what was built before, and stand in the file.
    face = keras.Input(shape, name="face")
    rewriter = _Rewriter(last if ends == "softmax" else None)
    try:
        with tensorflow_quiet():
            made = keras.Model(face, _single(through(network, face, rewriter)), name=name)
    except ValueError as error:
        # Two layers of one name, in networks inside the network: apart they may have it.
        raise BadInput(f"it cannot be rebuilt layer by layer: {str(error).splitlines()[0]}") from error
    _check_same(network, made, softmax=ends == "softmax")
    if ends == "softmax":
        return Adapted(made, "softmax, cut off: logits", probabilities=False, notes=rewriter.notes())
    probabilities = _look_like_probabilities(made)
    output = "probabilities, kept: no softmax was found" if probabilities else "logits"
    return Adapted(made, output, probabilities, rewriter.notes())


class _Rewriter:
    """Applies each layer in the form that int8 kernels take best, and counts what was not in it."""

    def __init__(self, softmax: Any) -> None:
        """softmax: the layer whose softmax is to be cut off, None if there is none."""
        self._softmax = softmax
        self._gates = self._norms = 0

    def __call__(self, layer: Any, given: Any) -> Any:
        if layer is self._softmax:
            return given if _is_activation(layer) else _linear(layer, given)
        if _activation(layer) == "hard_silu":
            self._gates += 1
            return _gate(given if _is_activation(layer) else _linear(layer, given))
        if isinstance(layer, keras.layers.BatchNormalization) and len(given.shape) == 4 and not _takes_in_norm(given):
            self._norms += 1
            return _depthwise(layer, given)
        return layer(given)

    def notes(self) -> tuple[str, ...]:
        """Return what was written otherwise than it was."""
        gates = f"{self._gates} x hard-swish written as a product, which int8 kernels take"
        norms = f"{self._norms} x batch norm behind an activation written as a depthwise convolution, which int8 holds"
        return (gates,) * bool(self._gates) + (norms,) * bool(self._norms)


def through(network: keras.Model, tensor: Any, call: Call) -> Any:
    """Apply a network anew, layer by layer, those of networks inside it too."""
    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            tensor = _step(layer, tensor, call)
        return tensor

    def call_function(layer: Any, *given: Any, **options: Any) -> Any:
        # Layers of several inputs, and with options of a call, are applied as they stand.
        if len(given) == 1 and not isinstance(given[0], list | tuple) and not options.get("mask"):
            return _step(layer, given[0], call)
        return layer(*given, **options)

    # What clone_model does, without the Input that it would put before a network inside another.
    given = keras.tree.map_structure(lambda _: tensor, network.input)
    return _single(network._run_through_graph(given, lambda layer: partial(call_function, layer)))  # noqa: SLF001


def static(network: keras.Model) -> keras.Model:
    """Return it with a batch of one: a dynamic batch leaves shape arithmetic in the graph."""
    face = keras.Input(batch_shape=(1, *network.inputs[0].shape[1:]), name="face")
    return keras.Model(face, _single(network(face)), name=network.name)


def _single(answer: Any) -> Any:
    """Return the tensor of an answer that names its only output."""
    if isinstance(answer, dict):
        (answer,) = answer.values()
    return answer[0] if isinstance(answer, list | tuple) else answer


def _step(layer: Any, tensor: Any, call: Call) -> Any:
    if isinstance(layer, keras.layers.InputLayer):
        return tensor
    return _single(through(layer, tensor, call)) if isinstance(layer, keras.Model) else call(layer, tensor)


def _last(network: keras.Model) -> Any:
    """Return the layer whose output is the network's own, None if that is no layer."""
    layer = network.outputs[0]._keras_history.operation  # noqa: SLF001 - Keras has no other way to ask
    return _last(layer) if isinstance(layer, keras.Model) else layer


def _activation(layer: Any) -> str | None:
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", None)


def _is_activation(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Softmax | keras.layers.Activation)


def _linear(layer: Any, given: Any) -> Any:
    """Apply the layer without its activation."""
    plain = type(layer).from_config({**layer.get_config(), "activation": "linear"})
    answer = plain(given)
    plain.set_weights(layer.get_weights())
    return answer


def _takes_in_norm(given: Any) -> bool:
    """Return whether the converter folds a batch norm into the layer that gives this tensor."""
    layer = given._keras_history.operation  # noqa: SLF001
    weighs = isinstance(layer, keras.layers.Dense | keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    return (weighs or isinstance(layer, keras.layers.SeparableConv2D)) and _activation(layer) == "linear"


def _depthwise(norm: Any, given: Any) -> Any:
    """Apply a batch norm as a factor and an offset for each channel: one rounding instead of two."""
    weights = norm.get_weights()
    *_, mean, variance = weights
    factor = (weights[0] if norm.scale else 1) / np.sqrt(variance + norm.epsilon)
    offset = (weights[int(norm.scale)] if norm.center else 0) - mean * factor
    made = keras.layers.DepthwiseConv2D(1, name=norm.name)
    answer = made(given)
    made.set_weights([factor.reshape(1, 1, -1, 1), offset])
    return answer


def _gate(x: Any) -> Any:
    """Hard-swish, x * relu6(x + 3) / 6, in an order that the converter does not take for its own operation."""
    return keras.ops.multiply(keras.ops.multiply(x, 1 / 6), keras.ops.relu6(keras.ops.add(x, 3.0)))


def _probe(network: keras.Model) -> Any:
    """Return answers to pictures of noise, of the levels that networks are fed with."""
    shape = (_PROBES, *network.inputs[0].shape[1:])
    levels = np.random.default_rng(0).uniform(0, 1, shape) * np.logspace(0, 2.4, _PROBES).reshape(-1, 1, 1, 1)
    with tensorflow_quiet():
        given = keras.tree.map_structure(lambda _: levels.astype(np.float32), network.input)
        return np.asarray(_single(network(given, training=False)), np.float64)


def _look_like_probabilities(network: keras.Model) -> bool:
    answers = _probe(network)
    return bool((answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=1e-3))


def _check_same(before: keras.Model, after: keras.Model, *, softmax: bool) -> None:
    expected, given = _probe(before), _probe(after)
    if softmax:
        shifted = np.exp(given - given.max(axis=1, keepdims=True))
        given = shifted / shifted.sum(axis=1, keepdims=True)
    near = _EXACT * max(1.0, float(np.nan_to_num(np.abs(expected)).max()))
    if not np.allclose(expected, given, rtol=_EXACT, atol=near, equal_nan=True):
        raise BadInput("it cannot be rebuilt layer by layer: a layer of it is shared or fed in a way not known here")
