"""The cost of a model, counted in the converted file, not in the network that it was made from."""

from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """parameters: weights and biases. multiply_adds: for one face. bytes: size of the file. None means not counted."""

    parameters: int | None
    multiply_adds: int | None
    bytes: int


def tflite_cost(model: bytes, file_bytes: int) -> Cost:
    """Return the cost of a TFLite model: of its convolutions and fully connected layers, which are nearly all of it.

    Multiply-adds with the zeros of a padded border are counted too. Without LiteRT's reader of the format only the
    bytes are known.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        return Cost(None, None, file_bytes)
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    # Each kind of operator with the function that counts its multiply-adds.
    kinds = {
        schema.BuiltinOperator.CONV_2D: _convolution,
        schema.BuiltinOperator.DEPTHWISE_CONV_2D: _depthwise,
        schema.BuiltinOperator.FULLY_CONNECTED: _fully_connected,
        schema.BuiltinOperator.TRANSPOSE_CONV: _transposed,
    }
    weights: dict[int, int] = {}
    multiply_adds = 0
    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        count = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if count is None:
            continue
        shapes = [_shape(graph, index) for index in operator.inputs]
        multiply_adds += count(shapes, _shape(graph, operator.outputs[0]))
        # Kernel and bias. In a transposed convolution the input stands between them.
        parameters = [*operator.inputs[1:4:2]] if count is _transposed else [*operator.inputs[1:3]]
        # By index, so that a tensor that two operators share is counted once.
        weights |= {int(index): prod(_shape(graph, index)) for index in parameters if index >= 0}
    return Cost(sum(weights.values()), multiply_adds, file_bytes)


_Shape = tuple[int, ...]


def _convolution(inputs: list[_Shape], output: _Shape) -> int:
    """Kernel (out channels, height, width, in channels of a group), applied once for every element of the output."""
    return prod(output) * prod(inputs[1][1:])


def _depthwise(inputs: list[_Shape], output: _Shape) -> int:
    """Kernel (1, height, width, out channels), applied once for every element of the output."""
    return prod(output) * prod(inputs[1][1:3])


def _fully_connected(inputs: list[_Shape], output: _Shape) -> int:
    """Weights (outputs, inputs), used once for every row of the output."""
    return prod(output) * inputs[1][-1]


def _transposed(inputs: list[_Shape], output: _Shape) -> int:
    """Output shape, kernel (out channels, height, width, in channels), input: a kernel for each of its elements."""
    del output
    return prod(inputs[2]) * prod(inputs[1][:3])


def _shape(graph: Any, index: int) -> _Shape:
    """Return a tensor's shape; empty for index -1, an absent tensor."""
    shape = graph.tensors[index].shape if index >= 0 else None
    return () if shape is None else tuple(int(side) for side in shape)
