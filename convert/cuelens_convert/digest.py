"""Digest of a model's computation: operations, weights and scales, not the names that TensorFlow versions change."""

import hashlib
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema


def content_digest(model: bytes) -> str:
    """Return the SHA-256 of a TFLite model's content, which ignores names, metadata and the order of buffers."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    digest = hashlib.sha256()
    numbers: dict[int, int] = {}

    def tensor(index: int) -> str:
        """Return a tensor's number in order of first use; add its content to the digest on that first use."""
        if index < 0 or index in numbers:
            return str(numbers.get(index, -1))
        numbers[index] = len(numbers)
        entry = graph.tensors[index]
        scale = entry.quantization
        data = content.buffers[entry.buffer].data
        digest.update(repr((_list(entry.shape), entry.type)).encode())
        if scale is not None:
            digest.update(repr((_list(scale.scale), _list(scale.zeroPoint), scale.quantizedDimension)).encode())
        digest.update(b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes())
        return str(numbers[index])

    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        options = sorted(vars(operator.builtinOptions).items()) if operator.builtinOptions else []
        tensors = [tensor(index) for index in (*operator.inputs, *operator.outputs)]
        digest.update(repr((max(code.builtinCode, code.deprecatedBuiltinCode), options, tensors)).encode())
    digest.update(
        repr(([tensor(index) for index in graph.inputs], [tensor(index) for index in graph.outputs])).encode()
    )
    return digest.hexdigest()


def _list(values: Any) -> list[float]:
    return [] if values is None else np.asarray(values).tolist()
