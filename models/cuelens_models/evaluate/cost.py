"""What a model costs, counted on the file that is written and not on the network it came from."""

from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """parameters: weights and biases. multiply_adds: for one face. None: not counted. bytes: of the file."""

    parameters: int | None
    multiply_adds: int | None
    bytes: int


def written(model: bytes, file_bytes: int) -> Cost:
    """Return the cost of a TFLite model: of its convolutions and fully connected layers, where nearly all of it is.

    What falls on the border of a padded convolution is counted too. Without LiteRT's reader of the format only the
    bytes are known.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError:
        return Cost(None, None, file_bytes)
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    # Where the weights, the bias and the positions that the kernel is laid on stand in each operator.
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
        held = operator.inputs[1:2] if count is _transposed else operator.inputs[1:3]
        bias = operator.inputs[3:4] if count is _transposed else ()
        # A tensor that two operators share is kept once.
        weights |= {int(index): prod(_shape(graph, index)) for index in (*held, *bias) if index >= 0}
    return Cost(sum(weights.values()), multiply_adds, file_bytes)


_Shape = tuple[int, ...]


def _convolution(inputs: list[_Shape], output: _Shape) -> int:
    """Kernel (out channels, height, width, in channels of a group), laid on every element of the output."""
    return prod(output) * prod(inputs[1][1:])


def _depthwise(inputs: list[_Shape], output: _Shape) -> int:
    """Kernel (1, height, width, out channels)."""
    return prod(output) * prod(inputs[1][1:3])


def _fully_connected(inputs: list[_Shape], output: _Shape) -> int:
    """Weights (outputs, inputs)."""
    return prod(output) * inputs[1][-1]


def _transposed(inputs: list[_Shape], output: _Shape) -> int:
    """Output shape, kernel (out channels, height, width, in channels), and the input that it is spread from."""
    del output
    return prod(inputs[2]) * prod(inputs[1][:3])


def _shape(graph: Any, index: int) -> _Shape:
    """Return a tensor's shape; that of an absent one, numbered -1, is empty."""
    shape = graph.tensors[index].shape if index >= 0 else None
    return () if shape is None else tuple(int(side) for side in shape)
