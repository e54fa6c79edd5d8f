"""The smallest TFLite model that a contract can describe: one input, one output, no operator."""

import struct

SIDE = 16
LABELS = ("neutral", "happy")


def model() -> bytes:
    """Return the bytes of the model: int8, a grey picture of 16 by 16 in, two numbers out."""
    tensors = (_tensor((1, SIDE, SIDE, 1), 0.5, -3), _tensor((1, len(LABELS)), 0.25, 4))
    subgraph = _table([_vector_of(tensors), _numbers("i", 0), _numbers("i", 1)])
    root = _table([struct.pack("<I", 3), b"", _vector_of([subgraph])], inline=(0,))
    return struct.pack("<I4s", 8 + root.start, b"TFL3") + root.content


class _Part:
    """Bytes that stand anywhere, with the place in them where the table begins."""

    def __init__(self, content: bytes, start: int = 0) -> None:
        self.content = content
        self.start = start


def _table(fields: "list[_Part | bytes]", inline: tuple[int, ...] = ()) -> _Part:
    """Return a table. Fields that are no number stand behind it; empty ones are absent."""
    vtable = struct.pack("<HH", 4 + 2 * len(fields), 4 + 4 * len(fields))
    vtable += b"".join(struct.pack("<H", 4 + 4 * place if field else 0) for place, field in enumerate(fields))
    body, behind = struct.pack("<i", len(vtable)), b""
    end = 4 + 4 * len(fields)
    for place, field in enumerate(fields):
        if isinstance(field, bytes):
            body += field.ljust(4, b"\0") if place in inline or not field else b""
            continue
        body += struct.pack("<I", end + len(behind) + field.start - (4 + 4 * place))
        behind += field.content
    return _Part(vtable + body + behind, len(vtable))


def _numbers(code: str, *values: float) -> _Part:
    return _Part(struct.pack(f"<I{len(values)}{code}", len(values), *values))


def _vector_of(parts: "list[_Part] | tuple[_Part, ...]") -> _Part:
    head, behind = struct.pack("<I", len(parts)), b""
    for place, part in enumerate(parts):
        head += struct.pack("<I", 4 * (len(parts) - place) + len(behind) + part.start)
        behind += part.content
    return _Part(head + behind)


def _tensor(shape: tuple[int, ...], scale: float, zero_point: int) -> _Part:
    quantisation = _table([b"", b"", _numbers("f", scale), _numbers("q", zero_point)])
    kind = struct.pack("<b", 9)
    return _table([_numbers("i", *shape), kind, b"", b"", quantisation], inline=(1,))
