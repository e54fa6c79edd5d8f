"""The content of a model: operations, weights and scales, not the names that TensorFlow versions change."""

import hashlib
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_ROUNDED: Final = 1e-5
"""Relative difference of two floats that sums in another order explain. Of the shipped network's scales, on processors
with and without AMX: 6e-7."""
_STEPS: Final = 1e-3
"""Largest share of a tensor's int8 values that may fall on the other side of a half."""
_TYPES: Final[dict[int, np.dtype[Any]]] = {
    schema.TensorType.FLOAT32: np.dtype("<f4"),
    schema.TensorType.INT32: np.dtype("<i4"),
    schema.TensorType.INT8: np.dtype("<i1"),
}


class _Tensor(NamedTuple):
    """A tensor at its first use. scales: with the zeros and their axis; None for none."""

    shape: list[float]
    type: int
    scales: tuple[list[float], list[float], int] | None
    data: bytes


def content_digest(model: bytes) -> str:
    """Return the SHA-256 of a TFLite model's content, which ignores names, metadata and the order of buffers."""
    digest = hashlib.sha256()
    for part in _parts(model):
        if isinstance(part, str):
            digest.update(part.encode())
            continue
        digest.update(repr((part.shape, part.type)).encode())
        if part.scales is not None:
            digest.update(repr(part.scales).encode())
        digest.update(part.data)
    return digest.hexdigest()


def same_but_for_rounding(model: bytes, other: bytes) -> bool:
    """Tell whether the contents of two TFLite models differ by no more than what another processor rounds otherwise.

    The converter measures ranges in float32, and processors add in different orders. So a scale differs in its last
    bits, and a weight or a bias that was near a half is the next integer.
    """
    return all(_alike(one, another) for one, another in zip_longest(_parts(model), _parts(other)))


def _parts(model: bytes) -> list[str | _Tensor]:
    """Return operations, and before each the tensors that it is the first to use; last the inputs and outputs."""
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    parts: list[str | _Tensor] = []
    numbers: dict[int, int] = {}

    def tensor(index: int) -> str:
        """Return a tensor's number in order of first use."""
        if index < 0 or index in numbers:
            return str(numbers.get(index, -1))
        numbers[index] = len(numbers)
        entry = graph.tensors[index]
        scale = entry.quantization
        scales = None if scale is None else (_list(scale.scale), _list(scale.zeroPoint), scale.quantizedDimension)
        data = content.buffers[entry.buffer].data
        raw = b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes()
        parts.append(_Tensor(_list(entry.shape), entry.type, scales, raw))
        return str(numbers[index])

    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        options = sorted(vars(operator.builtinOptions).items()) if operator.builtinOptions else []
        tensors = [tensor(index) for index in (*operator.inputs, *operator.outputs)]
        parts.append(repr((max(code.builtinCode, code.deprecatedBuiltinCode), options, tensors)))
    parts.append(repr(([tensor(index) for index in graph.inputs], [tensor(index) for index in graph.outputs])))
    return parts


def _alike(one: str | _Tensor | None, other: str | _Tensor | None) -> bool:
    """Tell whether two parts at the same place differ by rounding at most."""
    if not isinstance(one, _Tensor) or not isinstance(other, _Tensor):
        return one == other
    if one[:2] != other[:2] or len(one.data) != len(other.data) or (one.scales is None) != (other.scales is None):
        return False
    if one.scales and other.scales:
        if one.scales[1:] != other.scales[1:] or len(one.scales[0]) != len(other.scales[0]):
            return False
        if not np.allclose(one.scales[0], other.scales[0], rtol=_ROUNDED, atol=0.0):
            return False
    if one.data == other.data:
        return True
    kind = _TYPES.get(one.type)
    if kind is None:
        return False
    return _near(np.frombuffer(one.data, kind), np.frombuffer(other.data, kind))


def _near(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.dtype.kind == "f":
        return np.allclose(one, other, rtol=_ROUNDED, atol=_ROUNDED * float(np.abs(one).max()))
    steps = np.abs(one.astype(np.int64) - other)
    if one.dtype.itemsize > 1:
        # A bias is counted in products of two scales.
        return bool((steps <= 1 + _ROUNDED * np.abs(one.astype(np.float64))).all())
    return bool(steps.max() <= 1) and int((steps > 0).sum()) <= max(_STEPS * steps.size, 1)


def _list(values: Any) -> list[float]:
    return [] if values is None else np.asarray(values).tolist()
