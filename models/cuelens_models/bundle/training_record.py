"""The training record: one more entry in the zip of a trained `.keras` file, so that the two cannot be separated.

Keras ignores entries that it does not know. The converter reads labels and normalisation from it.
"""

import zipfile
from pathlib import Path
from typing import Final

import msgspec

from cuelens_models import regular_file
from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.errors import BadInput
from cuelens_models.strict_struct import StrictStruct

ENTRY: Final = "cuelens.json"
_MOST_BYTES: Final = 64_000_000
"""Most that the record may unpack to: many times one of a thousand epochs."""


class CurvePoint(StrictStruct, frozen=True):
    """The result of one epoch.

    Attributes:
        number: of the epoch, from 1 on.
        loss: mean loss on the faces that were learned from.
        accuracy: on the inner split, by protocol.
        inner_loss: loss on the inner split, if the recipe needs it.
        seconds: duration of the epoch.
    """

    number: int
    loss: float
    accuracy: dict[str, float]
    inner_loss: float | None = None
    seconds: float | None = None


class TrainingRecord(StrictStruct, frozen=True):
    """How a network was trained, and how it is fed.

    Attributes:
        recipe: name of the recipe.
        labels: the expressions, in the order of the outputs.
        protocol: name of the protocol that judged it.
        multiply: factor of a grey level.
        add: what is added to that product.
        per_image: whether each face is standardised first, by its own mean and standard deviation.
        crop: how a face is cut out of a frame.
        data: name of what it was trained on.
        epochs: how many were planned.
        seed: of the training.
        device: what it was trained on.
        enter: its thresholds, by label; null if its recipe chooses none.
        curve: result of each epoch.
    """

    recipe: str
    labels: list[str]
    protocol: str
    multiply: float
    add: float
    per_image: bool
    crop: CropRule
    data: str
    epochs: int
    seed: int
    device: str = ""
    enter: dict[str, float] | None = None
    curve: list[CurvePoint] = msgspec.field(default_factory=list)

    def float_input(self, height: int, width: int, channels: int) -> Input:
        """Return the input of the float network, in the contract's form. The sizes are in pixels."""
        return Input(
            height=height,
            width=width,
            channels=1 if channels == 1 else 3,
            dtype="float32",
            scale=0.0,
            zero_point=0,
            multiply=self.multiply,
            add=self.add,
            per_image=self.per_image,
            crop=self.crop,
        )


def write(keras_file: Path, record: TrainingRecord) -> None:
    """Add `record` to a `.keras` file that has no record yet."""
    with zipfile.ZipFile(keras_file, "a") as archive:
        archive.writestr(ENTRY, msgspec.json.format(msgspec.json.encode(record)))


def read(keras_file: Path) -> TrainingRecord | None:
    """Return the record of a `.keras` file, None without one. Raises BadInput if it is no `.keras` file."""
    if fault := regular_file.fault(keras_file):
        raise BadInput(f"model {keras_file} {fault}")
    try:
        with zipfile.ZipFile(keras_file) as archive:
            if ENTRY not in archive.namelist():
                return None
            if archive.getinfo(ENTRY).file_size > _MOST_BYTES:
                raise BadInput(f"model {keras_file}: its {ENTRY} is too large for what train-model writes")
            return msgspec.json.decode(archive.read(ENTRY), type=TrainingRecord)
    except BadInput:
        raise
    except OSError as error:
        raise BadInput(f"model {keras_file} cannot be read: {error.strerror or error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"model {keras_file}: its {ENTRY} is not what train-model writes: {error}") from error
    except Exception as error:
        # A flipped bit can make zipfile raise almost anything: NotImplementedError, EOFError, zlib.error, ...
        raise BadInput(f"model {keras_file} is no .keras file: it is empty, cut short or something else") from error
