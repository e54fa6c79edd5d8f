"""What a written model consists of: each operation, whether XNNPACK takes it, and its share of the time here.

Time is measured by cutting the model after each operation: what one costs is what the longer of two such models takes
more. It is measured through the same runtime and kernels as on the glasses, on this machine's processor.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter as LiteRt

from cuelens_convert.layer_errors import plain
from cuelens_models.quiet import native_quiet

_DELEGATE: Final = "DELEGATE"
_WARM, _ROUNDS, _CALLS = 5, 7, 15


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. layer: which it is of. shape, dtype: of what it writes. share: of the time, 0 to 1."""

    kind: str
    layer: str
    shape: tuple[int, ...]
    dtype: str
    delegated: bool
    share: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Microseconds of one invoke on this machine: median and 95th percentile."""

    threads: int
    p50_us: float
    p95_us: float


def operations(model: bytes) -> list[Operation]:
    """Return the operations of a model in order. Raises ValueError if the runtime refuses it."""
    runtime = _opened(model, threads=1)
    details = runtime._get_ops_details()  # noqa: SLF001 - the runtime has no public list of them
    tensors = {tensor["index"]: tensor for tensor in runtime.get_tensor_details()}
    own = [each for each in details if each["op_name"] != _DELEGATE]
    taken = _taken([each for each in details if each["op_name"] == _DELEGATE], own)
    shares = _shares(model, len(own))
    found = []
    for number, each in enumerate(own):
        written = tensors[int(each["outputs"][0])]
        found.append(
            Operation(
                kind=each["op_name"],
                layer=plain(written["name"]),
                shape=tuple(int(side) for side in written["shape"]),
                dtype=np.dtype(written["dtype"]).name,
                delegated=number in taken,
                share=shares[number],
            )
        )
    return found


def latency(model: bytes, threads: int) -> Latency:
    """Return how long one invoke takes with so many threads."""
    took = _timed(_opened(model, threads), 300)
    return Latency(threads, *(float(np.quantile(took, share)) * 1e6 for share in (0.5, 0.95)))


def _opened(model: bytes, threads: int) -> Any:
    with native_quiet():
        runtime = LiteRt(model_content=model, num_threads=threads)
        runtime.allocate_tensors()
    for tensor in runtime.get_input_details():
        runtime.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
    return runtime


def _timed(runtime: Any, calls: int) -> list[float]:
    took = []
    for call in range(_WARM + calls):
        began = time.perf_counter()
        runtime.invoke()
        if call >= _WARM:
            took.append(time.perf_counter() - began)
    return took


def _taken(delegates: list[dict[str, Any]], own: list[dict[str, Any]]) -> set[int]:
    """Return which operations a delegate runs: those between what it reads and what it writes."""
    writer = {int(tensor): number for number, each in enumerate(own) for tensor in each["outputs"]}
    taken: set[int] = set()
    for delegate in delegates:
        read = {int(tensor) for tensor in delegate["inputs"]}
        waiting = [int(tensor) for tensor in delegate["outputs"]]
        while waiting:
            tensor = waiting.pop()
            number = writer.get(tensor)
            if number is None or number in taken or tensor in read:
                continue
            taken.add(number)
            waiting += [int(given) for given in own[number]["inputs"]]
    return taken


def _shares(model: bytes, count: int) -> list[float]:
    # All lengths in turn, several rounds: a busy moment of the machine then falls on all of them.
    runtimes = [_opened(cut, threads=1) for cut in _cuts(model, count)]
    rounds = [[float(np.median(_timed(runtime, _CALLS))) for runtime in runtimes] for _ in range(_ROUNDS)]
    until = np.maximum.accumulate(np.min(rounds, axis=0))
    alone = np.diff(until, prepend=0.0)
    return [float(share) for share in alone / alone.sum()]


def _cuts(model: bytes, count: int) -> Iterator[bytes]:
    """Yield the model cut after its first operation, after its second, and so on."""
    for length in range(1, count):
        content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
        graph = content.subgraphs[0]
        graph.operators = graph.operators[:length]
        graph.outputs = list(graph.operators[-1].outputs)
        content.signatureDefs = None
        builder = flatbuffers.Builder(len(model))
        builder.Finish(content.Pack(builder), b"TFL3")
        yield bytes(builder.Output())
    yield model
