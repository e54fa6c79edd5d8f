"""A digest of what a model computes: operations, weights and scales, without the names that vary between versions."""

import hashlib
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema


def content_digest(model: bytes) -> str:
    """Return the SHA-256 of a TFLite model's content. Names, metadata and the order of buffers do not count."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    digest = hashlib.sha256()
    seen: dict[int, int] = {}

    def tensor(index: int) -> str:
        """Return a tensor's number in order of first use; describe it in full the first time."""
        if index < 0 or index in seen:
            return str(seen.get(index, -1))
        seen[index] = len(seen)
        facts = graph.tensors[index]
        scale = facts.quantization
        data = content.buffers[facts.buffer].data
        digest.update(repr((_list(facts.shape), facts.type)).encode())
        if scale is not None:
            digest.update(repr((_list(scale.scale), _list(scale.zeroPoint), scale.quantizedDimension)).encode())
        digest.update(b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes())
        return str(seen[index])

    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        options = sorted(vars(operator.builtinOptions).items()) if operator.builtinOptions else []
        names = [tensor(index) for index in (*operator.inputs, *operator.outputs)]
        digest.update(repr((max(code.builtinCode, code.deprecatedBuiltinCode), options, names)).encode())
    digest.update(
        repr(([tensor(index) for index in graph.inputs], [tensor(index) for index in graph.outputs])).encode()
    )
    return digest.hexdigest()


def _list(values: Any) -> list[float]:
    return [] if values is None else np.asarray(values).tolist()
