"""Diagnosis of a conversion: the error of each layer, the operations, and the latency on this machine."""

from dataclasses import dataclass
from typing import Final

from cuelens_convert import graph, layer_errors
from cuelens_convert.convert import Outcome
from cuelens_convert.graph import Latency, Operation
from cuelens_convert.layer_errors import LayerError
from cuelens_convert.quantise import quantise
from cuelens_convert.rewrite import static

THREADS: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a conversion did to a network.

    spread: of the weights, by layer. before, after: latency of the float32 and of the converted model, for each count
    of THREADS. float_bytes: size of the float32 model.
    """

    errors: list[LayerError]
    spread: dict[str, float]
    operations: list[Operation]
    before: list[Latency]
    after: list[Latency]
    float_bytes: int


def diagnose(outcome: Outcome) -> Diagnosis:
    """Compare the converted model, accepted or refused, with a float32 conversion of the same network."""
    attempt = outcome.attempt
    images = outcome.representative.inputs(outcome.source.float_input)
    float32 = quantise(static(attempt.network), "float32", images)
    return Diagnosis(
        layer_errors.measure(float32, attempt.model, images),
        layer_errors.weight_spreads(float32),
        graph.operations(attempt.model),
        [graph.latency(float32, threads) for threads in THREADS],
        [graph.latency(attempt.model, threads) for threads in THREADS],
        len(float32),
    )
