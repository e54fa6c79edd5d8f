"""A minimal reader of TFLite flatbuffers: it finds the input and output tensors without a runtime.

A runtime that loads a damaged model can crash the process, so the loader first compares the contract with the
file. The layout is TensorFlow Lite's schema version 3 (tensorflow/compiler/mlir/lite/schema/schema.fbs). Field
numbers below are positions in that schema.
"""

import struct
from typing import Final

import msgspec

IDENTIFIER: Final = b"TFL3"
_LONGEST: Final = 100_000
"""Longest vector that is read: a network has some hundred tensors, and each takes hundreds of bytes here."""
_TENSOR_TYPES: Final = {0: "float32", 3: "uint8", 7: "int16", 9: "int8"}


class TensorFacts(msgspec.Struct, frozen=True):
    """A tensor as the file declares it. scale: 0 if the tensor is not quantised."""

    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int


def signature(model: bytes) -> tuple[list[TensorFacts], list[TensorFacts]]:
    """Return the (inputs, outputs) of the first subgraph. Raises ValueError if the bytes are no TFLite model."""
    if model[4:8] != IDENTIFIER:
        raise ValueError("no TFLite identifier")
    try:
        (root,) = struct.unpack_from("<I", model, 0)
        subgraph = _Table(model, root).tables(2)[0]
        tensors = subgraph.tables(0)
        return (
            [_facts(tensors[int(index)]) for index in subgraph.numbers(1, "i")],
            [_facts(tensors[int(index)]) for index in subgraph.numbers(2, "i")],
        )
    except (struct.error, IndexError) as error:
        raise ValueError("damaged TFLite structure") from error


class _Table:
    """A flatbuffer table. Fields are found through its vtable; an absent field reads as empty."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - struct.unpack_from("<i", data, position)[0]
        if self._vtable < 0:
            raise IndexError("vtable outside the file")
        (self._vtable_size,) = struct.unpack_from("<H", data, self._vtable)

    def _field(self, number: int) -> int | None:
        slot = 4 + 2 * number
        if slot >= self._vtable_size:
            return None
        (offset,) = struct.unpack_from("<H", self._data, self._vtable + slot)
        return self._position + offset if offset else None

    def _vector(self, number: int) -> tuple[int, int]:
        field = self._field(number)
        if field is None:
            return 0, 0
        start = field + struct.unpack_from("<I", self._data, field)[0]
        (length,) = struct.unpack_from("<I", self._data, start)
        if length > _LONGEST:
            raise IndexError("vector longer than any of a network")
        return start + 4, length

    def byte(self, number: int) -> int:
        field = self._field(number)
        return 0 if field is None else int(struct.unpack_from("<b", self._data, field)[0])

    def table(self, number: int) -> "_Table | None":
        field = self._field(number)
        if field is None:
            return None
        return _Table(self._data, field + struct.unpack_from("<I", self._data, field)[0])

    def tables(self, number: int) -> list["_Table"]:
        start, length = self._vector(number)
        places = range(start, start + 4 * length, 4)
        return [_Table(self._data, place + struct.unpack_from("<I", self._data, place)[0]) for place in places]

    def numbers(self, number: int, code: str) -> tuple[float, ...]:
        start, length = self._vector(number)
        return struct.unpack_from(f"<{length}{code}", self._data, start)


def _facts(tensor: _Table) -> TensorFacts:
    quantisation = tensor.table(4)
    scales = quantisation.numbers(2, "f") if quantisation else ()
    zero_points = quantisation.numbers(3, "q") if quantisation else ()
    kind = tensor.byte(1)
    return TensorFacts(
        shape=tuple(int(side) for side in tensor.numbers(0, "i")),
        dtype=_TENSOR_TYPES.get(kind, f"type {kind}"),
        scale=scales[0] if scales else 0.0,
        zero_point=int(zero_points[0]) if zero_points else 0,
    )
