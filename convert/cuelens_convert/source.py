"""What was handed in: a trained network, and what is known about how it wants to be fed and what it answers."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras
import numpy as np

from cuelens_convert.loading import Loaded, open_network
from cuelens_convert.rewrite import Adapted, adapted
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
"""How a grey level can be fed: multiply, add, and whether each face is standardised first."""
SMALLEST, LARGEST = 32, 112
_MOST_LABELS: Final = len(LABELS) + 1


@dataclass(frozen=True, slots=True)
class Told:
    """What the command line says of a network that does not say it itself; None where it says nothing."""

    labels: tuple[str, ...] | None = None
    pixels: str | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A network ready to convert.

    network: of any batch, one input, one output. record: its own, or one made of what was told and found out.
    recipe: how it came about, in words. sha256: of the file handed in. facts: what was found out, name and value.
    changed: what was written otherwise than it was, sentences without a full stop.
    """

    network: keras.Model
    record: TrainingRecord
    probabilities: bool
    recipe: str
    name: str
    sha256: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]

    @property
    def columns(self) -> list[int]:
        """Return at which places its outputs have the labels of its protocol."""
        return columns(self.record.labels, self.record.protocol)

    @property
    def float_input(self) -> Input:
        """Return how the float network is fed."""
        return self.record.float_input(*self.network.inputs[0].shape[1:])


def open_source(path: Path, told: Told | None = None) -> Source:
    """Open a network of any kind that Keras has written. Raises BadInput with what is wrong with it, or missing."""
    told = told or Told()
    if not path.exists():
        raise BadInput(f"model {path} does not exist")
    said = training_record.read(path) if path.suffix == ".keras" else None
    if said is not None and told != Told():
        raise BadInput(f"model {path} says itself what it is: leave --labels, --pixels and --protocol out")
    try:
        loaded = open_network(path)
        found = adapted(loaded.network, _slug(said.recipe if said else path.stem))
        _check(found)
        if said is None:
            said = _described(path, loaded, found, told)
        elif found.outputs != len(said.labels):
            raise BadInput(f"it gives {found.outputs} numbers, not one for each of {len(said.labels)} labels")
        else:
            check_labels(said.labels)
        if said.protocol not in PROTOCOLS:
            raise BadInput(f"its protocol {said.protocol!r} is unknown")
        columns(said.labels, said.protocol)
    except BadInput as error:
        raise BadInput(f"model {path}: {error}") from error
    recipe = f"{said.recipe}, {said.epochs} epochs, seed {said.seed}" if said.curve or said.epochs else "not stated"
    facts = _facts(loaded, found, said)
    return Source(found.network, said, found.probabilities, recipe, path.name, _sha256(path), facts, found.notes)


def _check(found: Adapted) -> None:
    height, width, channels = found.shape
    if height != width or not SMALLEST <= height <= LARGEST or channels not in (1, 3):
        raise BadInput(
            f"it takes {found.shape}, not a square picture of {SMALLEST} to {LARGEST} pixels with 1 or 3 channels"
        )
    if found.outputs > _MOST_LABELS:
        raise BadInput(f"it gives {found.outputs} numbers, there are {_MOST_LABELS} labels: it is of another task")


def _described(path: Path, loaded: Loaded, found: Adapted, told: Told) -> TrainingRecord:
    """Make a record of what was told, and of what the network shows."""
    if told.labels is None:
        raise BadInput(
            f"it does not say which expressions its {found.outputs} outputs mean: give them in order with --labels"
        )
    labels = [canonical(word) for word in told.labels]
    if len(labels) != found.outputs:
        raise BadInput(f"--labels names {len(labels)} expressions, it gives {found.outputs} numbers")
    check_labels(labels)
    pixels = told.pixels or _pixels(loaded.network)
    if pixels is None:
        raise BadInput(f"it does not say how grey levels are fed to it: say so with --pixels ({', '.join(PIXELS)})")
    multiply, add, per_image = PIXELS[pixels]
    return TrainingRecord(
        recipe=path.stem,
        labels=labels,
        protocol=told.protocol or protocol_of(labels),
        multiply=multiply,
        add=add,
        per_image=per_image,
        crop=CROP,
        data="not stated",
        epochs=0,
        seed=0,
    )


def _pixels(network: keras.Model) -> str | None:
    """Return what a layer that scales pixels itself expects, where the network has one and it is clear."""
    for layer in network._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 - Keras has no other way to see nested ones
        if isinstance(layer, keras.layers.Rescaling):
            return "0..255" if float(np.max(layer.scale)) < 0.1 else "0..1"
        if isinstance(layer, keras.layers.Normalization) and layer.mean is not None:
            return "0..255" if float(np.max(keras.ops.convert_to_numpy(layer.mean))) > 1.5 else "0..1"
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            return None
    return None


def _facts(loaded: Loaded, found: Adapted, said: TrainingRecord) -> tuple[tuple[str, str], ...]:
    height, width, channels = found.shape
    if said.per_image:
        levels = "each face standardised"
    else:
        levels = f"levels {said.add:g} to {255 * said.multiply + said.add:g}"
    return (
        ("read as", loaded.kind),
        ("input", f"{width}x{height} {'grey' if channels == 1 else 'grey in three channels'}, {levels}"),
        ("labels", " ".join(said.labels)),
        ("output", found.output),
        ("judged by", said.protocol),
    )


def _slug(words: str) -> str:
    return re.sub(r"\W+", "_", words).strip("_").lower() or "network"


def _sha256(path: Path) -> str:
    """Return the digest of a file, or of all files of a SavedModel in the order of their names."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()
