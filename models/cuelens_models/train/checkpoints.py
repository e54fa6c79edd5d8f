"""The folder of one training: its plan, its curve, the weights of its last and its best epoch, and its result.

The result is a `.keras` file with one head alone, which says itself how it was trained: the converter takes it.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import keras
import msgspec

from cuelens_models.atomic_file import make_folder, sync, write_whole
from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.training_record import CurvePoint, TrainingRecord
from cuelens_models.data.load import FaceData
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.train.budget import Schedule
from cuelens_models.train.precision import in_float32
from cuelens_models.train.targets import Head

PLAN: Final = "plan.json"
BEST: Final = "best.keras"


class RunFolder:
    """Stores a training so that it can be resumed after its last whole epoch."""

    def __init__(self, path: Path, plan: dict[str, Any], *, writes: bool = True) -> None:
        """Open the folder, or make it.

        Raises BadInput if it holds a training with another plan, Unwritable if it cannot be made.

        Args:
            path: of the folder.
            plan: everything that the result follows from, as JSON.
            writes: false in a process of a team in which another process writes.
        """
        self.path = path
        self._writes = writes
        self._curve_file = path / "curve.json"
        plan_file = path / PLAN
        if writes:
            make_folder(path)
        try:
            if plan_file.exists():
                if json.loads(plan_file.read_bytes()) != plan:
                    raise BadInput(
                        f"{path} holds another training: choose another --out, or the options that it began with"
                    )
            elif writes:
                write_whole(plan_file, json.dumps(plan, indent=2).encode())
            else:
                raise BadInput(f"{path} is not the folder of the first worker: all of a team share one --out")
        except OSError as error:
            raise Unwritable(f"{path} cannot be written to: {error.strerror}") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{plan_file} is damaged: choose another --out") from error

    def curve(self) -> list[CurvePoint]:
        """Return the epochs that are done."""
        if not self._curve_file.exists():
            return []
        try:
            return msgspec.json.decode(self._curve_file.read_bytes(), type=list[CurvePoint])
        except msgspec.MsgspecError as error:
            raise BadInput(f"{self._curve_file} is damaged: choose another --out") from error

    def network(self, epoch: int) -> keras.Model:
        """Return the network as it was after this epoch, with its optimizer."""
        return self._open(self._weights(epoch))

    def averaged(self, epoch: int) -> keras.Model:
        """Return the averaged weights as they were after this epoch."""
        return self._open(self._averaged(epoch))

    def best(self) -> keras.Model:
        """Return the averaged weights of the best epoch."""
        return self._open(self.path / BEST)

    def save(self, network: keras.Model, curve: list[CurvePoint], averaged: keras.Model | None = None) -> None:
        """Store this epoch. The curve is written last: an epoch counts once its weights are safe under its number.

        Args:
            network: being trained.
            curve: the epochs done, this one last.
            averaged: what is judged and becomes the best in place of the network, if weights are averaged.
        """
        if not self._writes:
            return
        number = curve[-1].number
        judged = self._averaged(number) if averaged else self._weights(number)
        network.save(self._weights(number))
        if averaged:
            averaged.save(judged)
        if _score(curve[-1]) >= max(map(_score, curve)):
            partial = self.path / "best.partial.keras"
            shutil.copyfile(judged, partial)
            sync(partial)
            partial.replace(self.path / BEST)
        sync(self._weights(number))
        if averaged:
            sync(judged)
        write_whole(self._curve_file, msgspec.json.format(msgspec.json.encode(curve)))
        self._weights(number - 1).unlink(missing_ok=True)
        self._averaged(number - 1).unlink(missing_ok=True)

    def is_written(self, record: TrainingRecord) -> bool:
        """Return whether the result with this record is there already, and whole."""
        target = self.path / f"{record.recipe}.keras"
        try:
            return target.exists() and training_record.read(target) == record
        except BadInput:
            # The best epoch is stored apart, so that the result can be written again.
            return False

    def write(self, network: keras.Model, head: Head, record: TrainingRecord) -> None:
        """Write a network with one of its heads alone as `RECIPE.keras`, with its record in it.

        Args:
            network: the best.
            head: to write.
            record: of the result.
        """
        # Keras allows no dash in a name.
        name = record.recipe.replace("-", "_")
        outputs = network.get_layer(head.name).output
        write_network(self.path, keras.Model(network.inputs, outputs, name=name), record)

    def _open(self, file: Path) -> keras.Model:
        try:
            return keras.models.load_model(file)
        except Exception as error:
            # On a damaged file Keras raises errors of any kind.
            raise BadInput(f"{file} is damaged: choose another --out") from error

    def _weights(self, epoch: int) -> Path:
        return self.path / f"epoch{epoch:03}.keras"

    def _averaged(self, epoch: int) -> Path:
        return self.path / f"epoch{epoch:03}-averaged.keras"


def _score(point: CurvePoint) -> float:
    """The mean accuracy over the protocols, by which epochs are compared."""
    return sum(point.accuracy.values()) / len(point.accuracy)


def record_of(
    recipe: str, head: Head, model_input: Input, data: FaceData, schedule: Schedule, curve: list[CurvePoint]
) -> TrainingRecord:
    """Return what a `.keras` file says about itself.

    Args:
        recipe: the name of the file, without its suffix.
        head: that the file has.
        model_input: how the network is fed.
        data: that it was trained on.
        schedule: of its training.
        curve: of its training.
    """
    return TrainingRecord(
        recipe=recipe,
        labels=list(head.labels),
        protocol=head.protocol,
        multiply=model_input.multiply,
        add=model_input.add,
        per_image=model_input.per_image,
        crop=model_input.crop,
        data=data.name,
        epochs=schedule.epochs,
        seed=schedule.seed,
        curve=curve,
    )


def write_network(folder: Path, network: keras.Model, record: TrainingRecord) -> Path:
    """Write a network as `RECIPE.keras`, with its record in it, and return the path of the file.

    Args:
        folder: to write to.
        network: to write; it computes in float32 from now on.
        record: of the network.
    """
    partial = folder / "finished.partial.keras"
    in_float32(network)
    network.save(partial)
    training_record.write(partial, record)
    sync(partial)
    return partial.replace(folder / f"{record.recipe}.keras")
