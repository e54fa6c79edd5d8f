"""What a conversion says on the console: of the network before, of what was lost after."""

from collections.abc import Iterator, Sequence

from cuelens_convert.compare import Loss
from cuelens_convert.convert import Outcome
from cuelens_convert.layer_errors import NOISY_DB, WIDE, LayerError
from cuelens_convert.source import Source

AGREEING = 98.0
"""Percent. Healthy conversions agree with their networks on more."""


def found_out(source: Source) -> Iterator[str]:
    """Yield what is known about a network before the work starts."""
    yield source.name
    for name, value in source.facts:
        yield f"  {name:9}  {value}"


def result(outcome: Outcome) -> Iterator[str]:
    """Yield the table of what was lost, and what was needed."""
    judged, contract = outcome.attempt.judged, outcome.contract
    scheme = contract.conversion.scheme
    float_right, converted_right = contract.parity.float_accuracy, contract.parity.converted_accuracy
    yield f"{contract.metrics.protocol}: accuracy of float {float_right:.2%}, of {scheme} {converted_right:.2%}"
    yield f"  {'lost by':24}  images  points       p"
    losses = [judged.loss(), *judged.class_losses()]
    if rare := judged.rare():
        losses.append(rare)
    yield from map(_line, losses)
    warning = f": under {AGREEING:g} %" if 100 * judged.agreement < AGREEING else ""
    yield f"agreement {judged.agreement:.2%}{warning}; the logits differ by {judged.largest_difference:.2f} at most"
    scored = contract.metrics
    yield f"macro-F1 {scored.macro_f1:.3f}   ECE {scored.ece:.3f} at temperature {contract.probabilities.temperature}"
    yield f"needed: {'; '.join(outcome.needed) or 'nothing but converting'}"
    yield f"content digest {contract.content_digest}"


def advice(errors: Sequence[LayerError], spread: dict[str, float], outcome: Outcome) -> Iterator[str]:
    """Yield which layers are to blame for a refusal, and what to try."""
    noisy = [error for error in errors if error.to_blame]
    for error in noisy:
        yield f"after {error.name}: signal to noise {error.snr_db:.0f} dB, {error.steps:.1f} steps off"
    wide = {name: value for name, value in spread.items() if value > WIDE}
    for name, value in wide.items():
        yield f"{name}: its widest input channel has {value:.0f} times the weights of the median one"
    if not noisy and not wide:
        yield f"no layer falls under {NOISY_DB:g} dB: many small errors add up"
    if not outcome.asked.fine_tune and outcome.asked.scheme == "int8":
        yield "to try: --fine-tune 2, which lets the network learn to be rounded"
    if wide:
        yield "to try: train with batch norm before the activation, not behind it"
    if outcome.asked.scheme == "int8":
        yield "to try: --scheme float16, which loses nothing and costs time on the glasses"


def _line(loss: Loss) -> str:
    return f"  {loss.name:24}  {loss.images:6}  {loss.points:+6.2f}  {loss.chance:6.2g}"
