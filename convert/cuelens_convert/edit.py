"""Showing what a bundle says of itself, and changing it. Nothing here needs TensorFlow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cuelens_models import command
from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.expressions import canonical, check_labels
from cuelens_models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed; None where it stays. labels: all of them, in the order of the outputs."""

    labels: tuple[str, ...] | None = None
    thresholds: dict[str, float] | None = None
    temperature: float | None = None


def read_thresholds(words: str) -> dict[str, float]:
    """Read `happy=0.6,sad=0.8`. Raises BadInput if it is not that."""
    found = {}
    for part in words.split(","):
        label, _, value = part.partition("=")
        try:
            found[canonical(label)] = float(value)
        except ValueError as error:
            raise BadInput(f"{part!r} is no threshold: write one like happy=0.6") from error
    return found


def changed(contract: Contract, changes: Changes) -> Contract:
    """Return the contract with the changes. Raises BadInput if they do not fit it."""
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
    told = "" if labels == contract.labels else f"; relabelled from {' '.join(contract.labels)}"
    probabilities = msgspec.structs.replace(contract.probabilities, temperature=temperature, enter=enter)
    provenance = msgspec.structs.replace(contract.provenance, recipe=contract.provenance.recipe + told)
    return msgspec.structs.replace(contract, labels=labels, probabilities=probabilities, provenance=provenance)


def write_changed(bundle: Path, output: Path, changes: Changes) -> Contract:
    """Write a new bundle from an old one, and return its contract. Raises BadInput, BadBundle or Unwritable."""
    command.refuse_overwriting(output, [bundle])
    old = file.load(bundle)
    contract = changed(old.contract, changes)
    write_whole(output, file.pack(old.model, contract))
    return contract


def described(contract: Contract, size: int) -> Iterator[str]:
    """Yield what a bundle says of itself, for people. size: of the file, in bytes."""
    fed, given, parity, scored = contract.input, contract.output, contract.parity, contract.metrics
    yield contract.title()
    yield f"  labels       {' '.join(contract.labels)}"
    levels = "each face standardised, then " if fed.per_image else ""
    yield (
        f"  input        {fed.width}x{fed.height}, {fed.channels} channel{'s' * (fed.channels > 1)}, {fed.dtype}:"
        f" {levels}level * {fed.multiply:g} + {fed.add:g}{_scaled(fed.scale, fed.zero_point)}"
    )
    yield f"  crop         {fed.crop.scale:g} times the box of {fed.crop.detector}, moved down by {fed.crop.shift_y:g}"
    yield f"  output       {given.kind}, {given.dtype}{_scaled(given.scale, given.zero_point)}"
    yield f"  temperature  {contract.probabilities.temperature:g}"
    yield "  thresholds   " + "  ".join(f"{word} {value:g}" for word, value in contract.probabilities.enter.items())
    how = contract.conversion
    images = f", ranges from {how.representative_images} images, seed {how.seed}" if how.representative_images else ""
    yield f"  conversion   {how.scheme}{images}"
    yield (
        f"  parity       {parity.images} images: float {parity.float_accuracy:.2%}, converted"
        f" {parity.converted_accuracy:.2%}, agreement {parity.agreement:.2%}, worst class"
        f" -{100 * parity.worst_class_drop:.2f} points"
    )
    yield (
        f"  figures      {scored.protocol}: accuracy {scored.accuracy:.2%}, macro-F1 {scored.macro_f1:.3f},"
        f" ECE {scored.ece:.3f}"
    )
    made = contract.provenance
    yield f"  made from    {made.source} ({made.recipe}), data {made.data}, by cuelens {made.cuelens},"
    yield f"               TensorFlow {made.tensorflow}"
    yield f"  golden       {len(contract.golden)} pictures"
    yield f"  digest       {contract.content_digest}"
    yield f"  size         {size / 1024:.0f} KiB, of which the model is {contract.model_bytes / 1024:.0f}"


def _scaled(scale: float, zero_point: int) -> str:
    return f", scale {scale:.6g}, zero {zero_point}" if scale else ""
