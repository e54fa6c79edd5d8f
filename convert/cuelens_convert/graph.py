"""Operations of a converted model: whether XNNPACK runs each of them, and its share of the time on this machine.

The model is cut after each operation, and each of these prefixes is timed: an operation costs what its prefix takes
beyond the one before. Runtime and kernels are those of the glasses, the processor is this machine's.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter as LiteRt

from cuelens_convert.layer_errors import layer_name
from cuelens_models.quiet import native_quiet

_DELEGATE: Final = "DELEGATE"
_WARM_UP_CALLS, _ROUNDS, _CALLS = 5, 7, 15
_LATENCY_CALLS: Final = 300


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    kind: as TFLite names it. layer: of the network. shape, dtype: of its output. delegated: to XNNPACK. share: of the
    model's time, 0 to 1.
    """

    kind: str
    layer: str
    shape: tuple[int, ...]
    dtype: str
    delegated: bool
    share: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Time of one invocation on this machine: median and 95th percentile, in microseconds."""

    threads: int
    p50_us: float
    p95_us: float


def operations(model: bytes) -> list[Operation]:
    """Return the operations of a model in order. Raises ValueError if the runtime refuses the model."""
    runtime = _open_runtime(model, threads=1)
    details = runtime._get_ops_details()  # noqa: SLF001 - the runtime has no public list of them
    tensors = {tensor["index"]: tensor for tensor in runtime.get_tensor_details()}
    own = [each for each in details if each["op_name"] != _DELEGATE]
    delegated = _run_by([each for each in details if each["op_name"] == _DELEGATE], own)
    outputs = [tensors[int(each["outputs"][0])] for each in own]
    return [
        Operation(
            kind=each["op_name"],
            layer=layer_name(output["name"]),
            shape=tuple(int(side) for side in output["shape"]),
            dtype=np.dtype(output["dtype"]).name,
            delegated=number in delegated,
            share=share,
        )
        for number, (each, output, share) in enumerate(zip(own, outputs, _shares(model, len(own)), strict=True))
    ]


def latency(model: bytes, threads: int) -> Latency:
    """Return the latency of a model with so many threads."""
    times_s = _time_calls(_open_runtime(model, threads), _LATENCY_CALLS)
    return Latency(threads, *(float(np.quantile(times_s, share)) * 1e6 for share in (0.5, 0.95)))


def _open_runtime(model: bytes, threads: int) -> Any:
    with native_quiet():
        runtime = LiteRt(model_content=model, num_threads=threads)
        runtime.allocate_tensors()
    for tensor in runtime.get_input_details():
        runtime.set_tensor(tensor["index"], np.zeros(tensor["shape"], tensor["dtype"]))
    return runtime


def _time_calls(runtime: Any, calls: int) -> list[float]:
    """Return the seconds that each of `calls` invocations takes, after some to warm up."""
    times_s = []
    for call in range(_WARM_UP_CALLS + calls):
        start = time.perf_counter()
        runtime.invoke()
        if call >= _WARM_UP_CALLS:
            times_s.append(time.perf_counter() - start)
    return times_s


def _run_by(delegates: list[dict[str, Any]], own: list[dict[str, Any]]) -> set[int]:
    """Return the indices of the operations that delegates run: those between a delegate's inputs and outputs."""
    writer = {int(tensor): number for number, each in enumerate(own) for tensor in each["outputs"]}
    numbers: set[int] = set()
    for delegate in delegates:
        inputs = {int(tensor) for tensor in delegate["inputs"]}
        queue = [int(tensor) for tensor in delegate["outputs"]]
        while queue:
            tensor = queue.pop()
            number = writer.get(tensor)
            if number is None or number in numbers or tensor in inputs:
                continue
            numbers.add(number)
            queue += [int(index) for index in own[number]["inputs"]]
    return numbers


def _shares(model: bytes, count: int) -> list[float]:
    # All prefixes in turn, for several rounds, so that a busy moment of the machine affects all of them alike.
    runtimes = [_open_runtime(prefix, threads=1) for prefix in _prefixes(model, count)]
    rounds = [[float(np.median(_time_calls(runtime, _CALLS))) for runtime in runtimes] for _ in range(_ROUNDS)]
    cumulative = np.maximum.accumulate(np.min(rounds, axis=0))
    times = np.diff(cumulative, prepend=0.0)
    return [float(share) for share in times / times.sum()]


def _prefixes(model: bytes, count: int) -> Iterator[bytes]:
    """Yield the model cut after its first operation, after its second, and so on up to the whole."""
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
