import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="costs are counted with LiteRT's reader of the format")

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from cuelens_models.bundle.file import Bundle
from cuelens_models.evaluate import cost
from cuelens_models.evaluate.cost import Cost

OPERATORS = schema.BuiltinOperator


def model(*operators: tuple[int, list[tuple[int, ...] | None], tuple[int, ...]]) -> bytes:
    """Return a model of operators: what each does, its inputs' shapes (None: absent), its output's shape."""
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
    content = schema.ModelT()
    content.version, content.operatorCodes, content.buffers = 3, [], [schema.BufferT()]
    content.subgraphs = [graph]

    def tensor(shape: tuple[int, ...] | None) -> int:
        if shape is None:
            return -1
        made = schema.TensorT()
        made.shape = np.array(shape, np.int32)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    for kind, inputs, output in operators:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        content.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(content.operatorCodes) - 1
        operator.inputs, operator.outputs = [tensor(shape) for shape in inputs], [tensor(output)]
        graph.operators.append(operator)
    builder = flatbuffers.Builder()
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("operator", "parameters", "multiply_adds"),
    [
        pytest.param(
            (OPERATORS.CONV_2D, [(1, 8, 8, 3), (4, 5, 5, 3), (4,)], (1, 4, 4, 4)),
            4 * 5 * 5 * 3 + 4,
            4 * 4 * 4 * 5 * 5 * 3,
            id="convolution",
        ),
        pytest.param(
            (OPERATORS.CONV_2D, [(1, 8, 8, 3), (4, 1, 1, 3), None], (1, 8, 8, 4)),
            12,
            8 * 8 * 12,
            id="convolution without a bias",
        ),
        pytest.param(
            (OPERATORS.DEPTHWISE_CONV_2D, [(1, 8, 8, 6), (1, 3, 3, 6), (6,)], (1, 8, 8, 6)),
            9 * 6 + 6,
            8 * 8 * 6 * 9,
            id="depthwise",
        ),
        pytest.param((OPERATORS.FULLY_CONNECTED, [(1, 10), (7, 10), (7,)], (1, 7)), 77, 70, id="fully connected"),
        pytest.param(
            (OPERATORS.TRANSPOSE_CONV, [(4,), (5, 3, 3, 2), (1, 4, 4, 2), (5,)], (1, 8, 8, 5)),
            5 * 9 * 2 + 5,
            4 * 4 * 2 * 9 * 5,
            id="transposed",
        ),
        pytest.param((OPERATORS.MEAN, [(1, 3, 3, 8), (2,)], (1, 8)), 0, 0, id="anything else"),
    ],
)
def test_each_layer_is_counted_by_hand(operator: Any, parameters: int, multiply_adds: int) -> None:
    assert cost.tflite_cost(model(operator), 99) == Cost(parameters, multiply_adds, 99)
    assert cost.tflite_cost(model(operator, operator), 99) == Cost(2 * parameters, 2 * multiply_adds, 99)


def test_the_shipped_network_costs_what_its_layers_do(shipped: Bundle) -> None:
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(shipped.model, 0))
    graph = content.subgraphs[0]
    kernels = [tuple(t.shape.tolist()) for t in graph.tensors if t.shape is not None and len(t.shape) in {2, 4}]
    counted = cost.tflite_cost(shipped.model, len(shipped.model))
    weights = sum(int(np.prod(kernel)) for kernel in kernels if kernel[0] > 1)
    biases = sum(kernel[0] for kernel in kernels if kernel[0] > 1)
    assert counted.parameters == weights + biases
    assert counted.multiply_adds
    assert counted.multiply_adds > 10 * counted.parameters
    assert counted.bytes == len(shipped.model)


def test_without_the_reader_of_the_format_only_the_bytes_are_known(
    shipped: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.schema_py_generated", None)
    monkeypatch.delattr("ai_edge_litert.schema_py_generated", raising=False)
    assert cost.tflite_cost(shipped.model, 5) == Cost(None, None, 5)
