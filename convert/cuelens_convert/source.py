"""What was handed in: a trained network, and what it says about how it wants to be fed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras

from cuelens_models import record
from cuelens_models.bundle.expressions import NOT_A_FACE, check_labels
from cuelens_models.data.faces import SIDE
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadInput
from cuelens_models.record import TrainingRecord


@dataclass(frozen=True, slots=True)
class Source:
    """A network ready to convert. network: static batch of one, logits out. sha256: of the file handed in."""

    network: keras.Model
    record: TrainingRecord
    name: str
    sha256: str


def open_source(path: Path) -> Source:
    """Open a `.keras` file that train-model wrote. Raises BadInput with what is wrong with it."""
    if not path.exists():
        raise BadInput(f"model {path} does not exist")
    said = record.read(path)
    if said is None:
        raise BadInput(
            f"model {path} does not say what its outputs mean: convert the .keras file that train-model wrote"
        )
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:
        # Keras raises whatever its parts raise on a damaged file.
        raise BadInput(f"model {path} cannot be loaded: {str(error).splitlines()[0]}") from error
    check_labels(said.labels)
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise BadInput(
            f"model {path} has {len(network.inputs)} inputs and {len(network.outputs)} outputs, not one of each"
        )
    shape = network.inputs[0].shape[1:]
    if shape not in ((SIDE, SIDE, 1), (SIDE, SIDE, 3)):
        raise BadInput(f"model {path} takes {shape}, not a picture of {SIDE}x{SIDE} with 1 or 3 channels")
    height, width, channels = shape
    asked = PROTOCOLS.get(said.protocol, tuple(said.labels))
    if tuple(said.labels) not in (asked, (*asked, NOT_A_FACE)):
        raise BadInput(f"model {path}: its labels are not those of {said.protocol} in their order")
    if network.outputs[0].shape[1:] != (len(said.labels),):
        raise BadInput(
            f"model {path} gives {network.outputs[0].shape[1:]}, not one number for each of {len(said.labels)} labels"
        )
    # A static batch of one: a dynamic one leaves shape arithmetic in the graph. Fixed names: automatic ones vary.
    face = keras.Input(batch_shape=(1, height, width, channels), name="face")
    network = keras.Model(face, network(face), name=said.recipe.replace("-", "_"))
    return Source(network, said, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
