"""The folder of one training: its plan, its curve, and the weights of its last and of its best epoch."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

import keras
import msgspec

from cuelens_models.atomic_file import sync, writable, write_whole
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.errors import BadInput, Unwritable

PLAN: Final = "plan.json"
BEST: Final = "best.keras"


class RunFolder:
    """Keeps a training so that it can go on after its last whole epoch."""

    def __init__(self, path: Path, plan: dict[str, Any], *, writes: bool = True) -> None:
        """Open the folder, or make it. writes: false in a process that leaves that to another one of its team.

        Raises BadInput if it holds another training, Unwritable if it cannot be made.
        """
        self.path = path
        self._writes = writes
        self._curve_file = path / "curve.json"
        plan_file = path / PLAN
        if writes:
            writable(path)
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
        """Keep this epoch. The curve is written last: an epoch counts once its weights are safe under its number.

        averaged: what is judged and kept in the place of the network, if weights are averaged.
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
            partial.replace(self.path / BEST)
            sync(self.path / BEST)
        sync(self._weights(number))
        if averaged:
            sync(judged)
        write_whole(self._curve_file, msgspec.json.format(msgspec.json.encode(curve)))
        self._weights(number - 1).unlink(missing_ok=True)
        self._averaged(number - 1).unlink(missing_ok=True)

    def _open(self, file: Path) -> keras.Model:
        try:
            return keras.models.load_model(file)
        except Exception as error:
            # Keras raises whatever its parts raise on a damaged file.
            raise BadInput(f"{file} is damaged: choose another --out") from error

    def _weights(self, epoch: int) -> Path:
        return self.path / f"epoch{epoch:03}.keras"

    def _averaged(self, epoch: int) -> Path:
        return self.path / f"epoch{epoch:03}-averaged.keras"


def _score(point: CurvePoint) -> float:
    """What epochs are compared by: the mean accuracy over the protocols."""
    return sum(point.accuracy.values()) / len(point.accuracy)
