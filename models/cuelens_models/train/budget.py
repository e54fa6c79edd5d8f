"""How long a training is, as it was asked for or as it fits into a budget of time."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cuelens_models.atomic_file import writable, write_whole
from cuelens_models.data.load import FaceData
from cuelens_models.errors import BadInput

if TYPE_CHECKING:
    import keras

    from cuelens_models.train.batches import Views

_TIMED_STEPS: Final = 6
BESIDES: Final = 1.2
"""What averaging, judging and keeping an epoch adds to its steps, about."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What `train-model` was asked for. teachers: how many; with none, what people said is all that is learned from."""

    recipe: str
    epochs: int
    teachers: int
    teacher_epochs: int
    seed: int
    precision: str


def kept(schedule: Schedule, data: FaceData, out: Path, budget_s: float, fit: Callable[[], Schedule]) -> Schedule:
    """Return the schedule that is kept in `out`, or else fit one and keep it there.

    A training that goes on keeps the schedule that it began with. Raises BadInput if that was fitted to something else.
    """
    writable(out)
    file = out / "schedule.json"
    asked = {**asdict(schedule), "budget_s": budget_s, "data_sha256": data.digest()}
    if file.exists():
        try:
            told = json.loads(file.read_text())
            before, fitted = told["asked"], Schedule(**told["scaled"])
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput(f"{file} is damaged: choose another --out") from error
        if before != asked:
            raise BadInput(f"{out} holds another training: choose another --out, or the options that it began with")
        return fitted
    fitted = fit()
    write_whole(file, json.dumps({"asked": asked, "scaled": asdict(fitted)}, indent=2).encode())
    return fitted


def step_s(network: "keras.Model", batches: "Views") -> float:
    """Return how long a training step of a compiled network takes here, in seconds: the median of a few."""
    times = []
    for number in range(_TIMED_STEPS):
        started = time.monotonic()
        network.train_on_batch(*batches[number % len(batches)])
        times.append(time.monotonic() - started)
    return float(np.median(times))
