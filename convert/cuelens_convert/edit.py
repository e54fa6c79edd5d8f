"""Inspecting and editing the contract of a bundle. Nothing here needs TensorFlow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Contract, Metrics, Probabilities
from cuelens_models.bundle.expressions import canonical, check_labels
from cuelens_models.errors import BadInput
from cuelens_models.evaluate.metrics import ENOUGH


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes to a contract; None leaves a value as it is. labels: all of them, in the order of the outputs."""

    labels: tuple[str, ...] | None = None
    thresholds: dict[str, float] | None = None
    temperature: float | None = None


def parse_thresholds(text: str) -> dict[str, float]:
    """Parse thresholds such as `happy=0.6,sad=0.8`. Raises BadInput if they are written otherwise."""
    thresholds = {}
    for part in text.split(","):
        label, _, value = part.partition("=")
        try:
            thresholds[canonical(label)] = float(value)
        except ValueError as error:
            raise BadInput(f"{part!r} is no threshold: write one like happy=0.6") from error
    return thresholds


def apply_changes(contract: Contract, changes: Changes) -> Contract:
    """Return the contract with the changes. Raises BadInput if a label or a value does not fit it."""
    labels = [canonical(word) for word in changes.labels] if changes.labels else list(contract.labels)
    if len(labels) != len(contract.labels):
        raise BadInput(
            f"the bundle has {len(contract.labels)} outputs ({' '.join(contract.labels)}), not {len(labels)}"
        )
    check_labels(labels)
    enter = dict(zip(labels, (contract.probabilities.enter[old] for old in contract.labels), strict=True))
    for label, value in (changes.thresholds or {}).items():
        if label not in enter:
            raise BadInput(f"the bundle has no {label}: its labels are {' '.join(labels)}")
        if not 0 <= value <= 1:
            raise BadInput(f"the threshold of {label} is {value:g}: it must be 0 to 1")
        enter[label] = value
    temperature = contract.probabilities.temperature if changes.temperature is None else changes.temperature
    if not 0 < temperature < float("inf"):
        raise BadInput(f"the temperature is {temperature:g}: it must be more than 0")
    relabelling = "" if labels == contract.labels else f"; relabelled from {' '.join(contract.labels)}"
    renamed = dict(zip(contract.labels, labels, strict=True))
    # Margins are against neutral, so they mean nothing once another output is neutral.
    same = renamed.get("neutral") == "neutral"
    sharper = contract.probabilities.temperature / temperature
    usual = {renamed[label]: margin * sharper for label, margin in contract.probabilities.usual.items() if same}
    least = {renamed[label]: value for label, value in contract.probabilities.least.items() if same}
    least |= {label: value for label, value in (changes.thresholds or {}).items() if label != "neutral"}
    probabilities = Probabilities(temperature=temperature, enter=enter, usual=usual, least=least)
    provenance = msgspec.structs.replace(contract.provenance, recipe=contract.provenance.recipe + relabelling)
    return msgspec.structs.replace(contract, labels=labels, probabilities=probabilities, provenance=provenance)


def edit_bundle(bundle: Path, output: Path, changes: Changes) -> Contract:
    """Write a changed copy of a bundle, and return its contract. Raises BadInput, BadBundle or Unwritable.

    Args:
        bundle: the file to read.
        output: the file to write, another one.
        changes: to its contract.
    """
    command.refuse_overwriting(output, [bundle])
    original = file.load(bundle)
    contract = apply_changes(original.contract, changes)
    write_whole(output, file.pack(original.model, contract))
    return contract


def describe(contract: Contract, size: int) -> Iterator[str]:
    """Yield the contract of a bundle as lines to print. size: of the file, in bytes."""
    fed, output, parity, metrics = contract.input, contract.output, contract.parity, contract.metrics
    yield contract.title()
    yield f"  labels       {' '.join(contract.labels)}"
    levels = "each face standardised, then " if fed.per_image else ""
    yield (
        f"  input        {fed.width}x{fed.height}, {fed.channels} channel{'s' * (fed.channels > 1)}, {fed.dtype}:"
        f" {levels}level * {fed.multiply:g} + {fed.add:g}{_scaling(fed.scale, fed.zero_point)}"
    )
    yield f"  crop         {fed.crop.scale:g} times the box of {fed.crop.detector}, moved down by {fed.crop.shift_y:g}"
    yield f"  output       {output.kind}, {output.dtype}{_scaling(output.scale, output.zero_point)}"
    yield f"  temperature  {contract.probabilities.temperature:g}"
    yield "  thresholds   " + "  ".join(f"{word} {value:g}" for word, value in contract.probabilities.enter.items())
    if contract.probabilities.least:
        yield "  at least     " + "  ".join(f"{word} {value:g}" for word, value in contract.probabilities.least.items())
    if contract.probabilities.usual:
        margins = "  ".join(f"{word} {value:+.1f}" for word, value in contract.probabilities.usual.items())
        yield f"  usual        {margins}"
    conversion = contract.conversion
    image_count = conversion.representative_images
    ranges = f", ranges from {image_count} images, seed {conversion.seed}" if image_count else ""
    yield f"  conversion   {conversion.scheme}{ranges}"
    yield (
        f"  parity       {parity.images} images: float {parity.float_accuracy:.2%}, converted"
        f" {parity.converted_accuracy:.2%}, agreement {parity.agreement:.2%}, worst class"
        f" {0.0 - 100 * parity.worst_class_drop:+.2f} points"
    )
    yield (
        f"  figures      {metrics.protocol}: accuracy {metrics.accuracy:.2%}, ECE {metrics.ece:.3f},"
        f" macro-F1 {macro_f1(metrics)}"
    )
    origin = contract.provenance
    yield f"  made from    {origin.source} ({origin.recipe}), data {origin.data}, by cuelens {origin.cuelens},"
    yield f"               TensorFlow {origin.tensorflow}"
    yield f"  golden       {len(contract.golden)} pictures"
    yield f"  digest       {contract.content_digest}"
    yield f"  size         {size / 1024:.0f} KiB, of which the model is {contract.model_bytes / 1024:.0f}"


def macro_f1(metrics: Metrics) -> str:
    """Return the macro-F1 of a contract in words. It has 0 where no class has enough images: nothing was measured."""
    return f"{metrics.macro_f1:.3f}" if metrics.macro_f1 else f"not measured: fewer than {ENOUGH} images of every class"


def _scaling(scale: float, zero_point: int) -> str:
    return f", scale {scale:.6g}, zero {zero_point}" if scale else ""
