"""The trained network to convert: opened, checked, and described by its input, labels and protocol."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import msgspec
import numpy as np

from cuelens_convert.loading import NetworkFile, form_of, open_network
from cuelens_convert.rewrite import Rewrite, rewrite
from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.expressions import LABELS, canonical, check_labels
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.data.faces import CROP
from cuelens_models.data.protocols import PROTOCOLS, columns, protocol_of
from cuelens_models.errors import BadInput

PIXELS: Final = {
    "0..255": (1.0, 0.0, False),
    "0..1": (1 / 255, 0.0, False),
    "symmetric": (2 / 255, -1.0, False),
    "standardised": (1.0, 0.0, True),
}
"""Scaling of grey levels for each value of --pixels: factor, offset, and whether each face is standardised first."""
SMALLEST, LARGEST = 32, 112
"""Pixels on a side of the faces that a network may take."""
_MAX_OUTPUTS: Final = len(LABELS) + 1
"""One for each label, and not_a_face."""


@dataclass(frozen=True, slots=True)
class Described:
    """Description of a network whose file carries no training record. None: the option was not given."""

    labels: tuple[str, ...] | None = None
    pixels: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A network ready to convert.

    network: one input, one output, any batch size. record: from its file, or made of the options and the network.
    probabilities: whether it outputs those instead of logits. recipe: how it was trained, in words. name, sha256: of
    its file. facts: what is known about it, as name and value. changes: how it was rewritten, without full stops.
    pixels: its feeding as a value of --pixels, "" if the record is from its file.
    """

    network: keras.Model
    record: TrainingRecord
    probabilities: bool
    recipe: str
    name: str
    sha256: str
    facts: tuple[tuple[str, str], ...]
    changes: tuple[str, ...]
    pixels: str

    @property
    def columns(self) -> list[int]:
        """Return the indices of the outputs that its protocol evaluates, in the order of the protocol's labels."""
        return columns(self.record.labels, self.record.protocol)

    @property
    def float_input(self) -> Input:
        """Return the input contract of the float network."""
        return self.record.float_input(*self.network.inputs[0].shape[1:])

    def feedings(self) -> Iterator[tuple[str, Input]]:
        """Yield its feeding and, unless the record is from its file, all others of --pixels, each with its input."""
        yield self.pixels, self.float_input
        for pixels, (multiply, add, per_image) in PIXELS.items() if self.pixels else ():
            if pixels != self.pixels:
                changed = msgspec.structs.replace(self.record, multiply=multiply, add=add, per_image=per_image)
                yield pixels, changed.float_input(*self.network.inputs[0].shape[1:])


def open_source(path: Path, described: Described | None = None) -> Source:
    """Open a network that Keras 2 or 3 wrote; `described` is for a file without a training record.

    Raises BadInput, naming the file, if it cannot be converted, or if an option is missing or contradicts it.
    """
    described = described or Described()
    try:
        form = form_of(path)
    except BadInput as error:
        raise BadInput(f"model {path}: {error}") from error
    record = training_record.read(path) if form == ".keras" else None
    if record is not None and described != Described():
        raise BadInput(f"model {path} has a training record: leave out --labels, --pixels and --protocol")
    pixels = ""
    try:
        original = open_network(path)
        rewritten = rewrite(original.network, _slug(record.recipe if record else path.stem))
        _check(rewritten)
        if record is None:
            pixels = described.pixels or _pixels(original.network)
            record = _make_record(path.stem, rewritten.outputs, described, pixels)
        elif rewritten.outputs != len(record.labels):
            raise BadInput(f"it has {rewritten.outputs} outputs, not one for each of its {len(record.labels)} labels")
        else:
            check_labels(record.labels)
        if record.protocol not in PROTOCOLS:
            raise BadInput(f"its protocol {record.protocol!r} is unknown")
        columns(record.labels, record.protocol)
    except BadInput as error:
        raise BadInput(f"model {path}: {error}") from error
    return Source(
        network=rewritten.network,
        record=record,
        probabilities=rewritten.probabilities,
        recipe=_recipe(record),
        name=path.name,
        sha256=_sha256(path),
        facts=_facts(original, rewritten, record),
        changes=rewritten.notes,
        pixels=pixels,
    )


def _check(rewritten: Rewrite) -> None:
    height, width, channels = rewritten.shape
    if height != width or not SMALLEST <= height <= LARGEST or channels not in (1, 3):
        raise BadInput(
            f"its input has the shape {rewritten.shape}, not a square picture of {SMALLEST} to {LARGEST} pixels with"
            " 1 or 3 channels"
        )
    if rewritten.outputs > _MAX_OUTPUTS:
        raise BadInput(f"it has {rewritten.outputs} outputs for {_MAX_OUTPUTS} labels: it is for another task")


def _make_record(name: str, outputs: int, described: Described, pixels: str) -> TrainingRecord:
    """Make the training record of a network that has none.

    Raises BadInput if the description does not fit, or lacks something: then it names all that is lacking.

    Args:
        name: of the recipe.
        outputs: of the network.
        described: by options.
        pixels: value of --pixels, from the option or from a layer of the network; "" if neither says it.
    """
    lacking = []
    if described.labels is None:
        lacking.append(f"which expressions its {outputs} outputs mean: give them in order with --labels")
    if not pixels:
        lacking.append(f"which grey levels it expects: say so with --pixels ({', '.join(PIXELS)})")
    if described.labels is None or not pixels:
        raise BadInput(f"it does not say {'; nor '.join(lacking)}")
    labels = [canonical(word) for word in described.labels]
    if len(labels) != outputs:
        raise BadInput(f"--labels names {len(labels)} expressions, but it has {outputs} outputs")
    check_labels(labels)
    multiply, add, per_image = PIXELS[pixels]
    return TrainingRecord(
        recipe=name,
        labels=labels,
        protocol=described.protocol or protocol_of(labels),
        multiply=multiply,
        add=add,
        per_image=per_image,
        crop=CROP,
        data="not stated",
        epochs=0,
        seed=0,
    )


def _pixels(network: keras.Model) -> str:
    """Return the value of --pixels that the network's own scaling layer implies; "" if it has no such layer."""
    for layer in network._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 - Keras has no other way to see nested ones
        if isinstance(layer, keras.layers.Rescaling):
            return "0..255" if float(np.max(layer.scale)) < 0.1 else "0..1"
        if isinstance(layer, keras.layers.Normalization) and layer.mean is not None:
            return "0..255" if float(np.max(keras.ops.convert_to_numpy(layer.mean))) > 1.5 else "0..1"
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            return ""
    return ""


def _recipe(record: TrainingRecord) -> str:
    stated = record.curve or record.epochs
    return f"{record.recipe}, {record.epochs} epochs, seed {record.seed}" if stated else "not stated"


def _facts(original: NetworkFile, rewritten: Rewrite, record: TrainingRecord) -> tuple[tuple[str, str], ...]:
    height, width, channels = rewritten.shape
    if record.per_image:
        levels = "each face standardised"
    else:
        levels = f"levels {record.add:g} to {255 * record.multiply + record.add:g}"
    return (
        ("read as", original.kind),
        ("input", f"{width}x{height} {'grey' if channels == 1 else 'grey in three channels'}, {levels}"),
        ("labels", " ".join(record.labels)),
        ("output", rewritten.output),
        ("judged by", record.protocol),
    )


def _slug(words: str) -> str:
    return re.sub(r"\W+", "_", words).strip("_").lower() or "network"


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a SavedModel folder, sorted by path."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()
