"""Console output of a conversion: the network before it, what was lost and what to try after it."""

from collections.abc import Iterator, Sequence

from cuelens_convert.compare import Loss
from cuelens_convert.convert import Outcome
from cuelens_convert.edit import macro_f1
from cuelens_convert.layer_errors import NOISY_DB, WIDE, LayerError
from cuelens_convert.source import Source

MIN_AGREEMENT = 98.0
"""Percent of images. Below it a warning is printed: healthy conversions agree with their networks on more."""


def network(source: Source) -> Iterator[str]:
    """Yield the name and the facts of a network, one a line."""
    yield source.name
    for name, value in source.facts:
        yield f"  {name:9}  {value}"


def result(outcome: Outcome) -> Iterator[str]:
    """Yield the losses as a table, then agreement, calibration, the changes that were needed, and the digest."""
    comparison, contract = outcome.attempt.comparison, outcome.contract
    scheme = contract.conversion.scheme
    float_right, converted_right = contract.parity.float_accuracy, contract.parity.converted_accuracy
    yield f"{contract.metrics.protocol}: accuracy of float {float_right:.2%}, of {scheme} {converted_right:.2%}"
    yield f"  {'lost by':24}  images  points       p"
    losses = [comparison.loss(), *comparison.class_losses()]
    if rare := comparison.rare():
        losses.append(rare)
    yield from map(_line, losses)
    warning = f": under {MIN_AGREEMENT:g} %" if 100 * comparison.agreement < MIN_AGREEMENT else ""
    difference = comparison.largest_difference
    yield f"agreement {comparison.agreement:.2%}{warning}; the logits differ by {difference:.2f} at most"
    metrics, temperature = contract.metrics, contract.probabilities.temperature
    yield f"macro-F1 {macro_f1(metrics)}   ECE {metrics.ece:.3f} at temperature {temperature}"
    yield f"needed: {'; '.join(outcome.needed) or 'nothing but converting'}"
    yield f"content digest {contract.content_digest}"


def advice(errors: Sequence[LayerError], spread: dict[str, float], outcome: Outcome) -> Iterator[str]:
    """Yield the layers to blame for a refusal, and what to try.

    Args:
        errors: after each layer.
        spread: of the weights, by layer.
        outcome: the conversion that was refused.
    """
    noisy = [error for error in errors if error.to_blame]
    for error in noisy:
        yield f"after {error.name}: signal to noise {error.snr_db:.0f} dB, {error.steps:.1f} steps off"
    wide = {name: value for name, value in spread.items() if value > WIDE}
    for name, value in wide.items():
        yield f"{name}: its widest input channel has {value:.0f} times the weights of the median one"
    if not noisy and not wide:
        yield f"no layer falls under {NOISY_DB:g} dB: many small errors add up"
    if not outcome.options.fine_tune and outcome.options.scheme == "int8":
        yield "to try: --fine-tune 2, which lets the network learn to be rounded"
    if wide:
        yield "to try: train with batch norm before the activation, not behind it"
    if outcome.options.scheme == "int8":
        yield "to try: --scheme float16, which loses nothing and costs time on the glasses"


def _line(loss: Loss) -> str:
    return f"  {loss.name:24}  {loss.images:6}  {loss.points:+6.2f}  {loss.chance:6.2g}"
