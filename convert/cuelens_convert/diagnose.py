"""A conversion looked into: which layers lose what, what the runtime does with the model, how long it takes here."""

from dataclasses import dataclass
from typing import Final

from cuelens_convert import graph, layer_errors
from cuelens_convert.convert import Outcome
from cuelens_convert.graph import Latency, Operation
from cuelens_convert.layer_errors import LayerError
from cuelens_convert.quantise import quantised
from cuelens_convert.rewrite import static

THREADS: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found. spread: of the weights, by layer. before, after: how long the float and the written model take.

    float_bytes: the size of the model without quantisation.
    """

    errors: list[LayerError]
    spread: dict[str, float]
    operations: list[Operation]
    before: list[Latency]
    after: list[Latency]
    float_bytes: int


def examine(outcome: Outcome) -> Examined:
    """Look into the model of an outcome, written or refused."""
    attempt = outcome.attempt
    images = outcome.representative.inputs(outcome.source.float_input)
    plain = quantised(static(attempt.network), "float32", images)
    return Examined(
        layer_errors.layer_errors(plain, attempt.model, images),
        layer_errors.spreads(plain),
        graph.operations(attempt.model),
        [graph.latency(plain, threads) for threads in THREADS],
        [graph.latency(attempt.model, threads) for threads in THREADS],
        len(plain),
    )
