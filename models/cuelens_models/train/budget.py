"""How long a training is, as requested or as scaled to a budget of time."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.data.load import FaceData
from cuelens_models.errors import BadInput

if TYPE_CHECKING:
    import keras

    from cuelens_models.train.batches import Views

_TIMED_STEPS: Final = 6
OVERHEAD: Final = 1.2
"""How many times longer an epoch is than its steps, about: averaging, judging and storing come on top."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What `train-model` was asked for.

    teachers: how many are trained; with none, a network learns from people's votes and labels alone.
    precision: "float32", or "bfloat16" for most of the arithmetic.
    """

    recipe: str
    epochs: int
    teachers: int
    teacher_epochs: int
    seed: int
    precision: str


def scaled_once(
    schedule: Schedule, data: FaceData, out: Path, budget_s: float, scale: Callable[[], Schedule]
) -> Schedule:
    """Return the scaled schedule that is stored in a folder; if there is none, scale and store it.

    A resumed training so keeps the schedule that it began with. Raises BadInput if the stored one is damaged, or was
    scaled from another schedule, budget or data.

    Args:
        schedule: as requested.
        data: to train on.
        out: the folder.
        budget_s: how long the training may take.
        scale: measures this machine, and returns the scaled schedule.
    """
    make_folder(out)
    file = out / "schedule.json"
    request = {**asdict(schedule), "budget_s": budget_s, "data_sha256": data.digest()}
    if file.exists():
        try:
            content = json.loads(file.read_text())
            stored_request, scaled = content["asked"], Schedule(**content["scaled"])
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput(f"{file} is damaged: choose another --out") from error
        if stored_request != request:
            raise BadInput(f"{out} holds another training: choose another --out, or the options that it began with")
        return scaled
    scaled = scale()
    write_whole(file, json.dumps({"asked": request, "scaled": asdict(scaled)}, indent=2).encode())
    return scaled


def step_s(network: "keras.Model", batches: "Views") -> float:
    """Return how long a training step of a compiled network takes here, in seconds: the median of a few."""
    times = []
    for number in range(_TIMED_STEPS):
        started = time.monotonic()
        network.train_on_batch(*batches[number % len(batches)])
        times.append(time.monotonic() - started)
    return float(np.median(times))
