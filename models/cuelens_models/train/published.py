"""Training as somebody published it: no teachers, no averaged weights, and stopping and learning rates of its own."""

import math
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import keras
import msgspec
import numpy as np

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import softmax
from cuelens_models.bundle.training_record import CurvePoint, TrainingRecord
from cuelens_models.data.augment import moved
from cuelens_models.data.faces import Faces
from cuelens_models.data.few import read_few, write_few
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import PROTOCOLS, label
from cuelens_models.evaluate.metrics import roc_thresholds
from cuelens_models.train.batches import Views
from cuelens_models.train.budget import BESIDES, Schedule, kept, step_s
from cuelens_models.train.checkpoints import RunFolder
from cuelens_models.train.distilled import Say, Stage
from cuelens_models.train.fit import Progress, arithmetic, fed, is_written, seed_dropout, write
from cuelens_models.train.targets import Head, Targets, one_label, shares_of_votes
from cuelens_models.train.validation import Judge
from cuelens_models.zoo.recipe import HEAD, Few, Plateau, Recipe

_FEW_SEED: Final = 0
"""The few pictures are the same whatever a training's seed is, so that trainings can be compared."""
_LEAST_GAIN: Final = 1e-4
"""By how much a loss must fall to count as lower, as Keras has it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a recipe is trained on and judged by. answers: (n, labels), of the faces to learn from; rows sum to 1."""

    head: Head
    learned: Faces
    answers: Targets
    inner: Judge
    inner_answers: Targets


def task(data: FaceData, recipe: Recipe, out: Path) -> Task:
    """Return it for the data. Raises BadInput if nothing in the data counts under the recipe's protocol.

    out: where pictures are written, for a recipe that learns from a few.
    """
    head = Head(HEAD, PROTOCOLS[recipe.protocol], recipe.protocol, "")
    inner = data.inner.take(label(data.inner, recipe.protocol).chosen)
    training = data.training if recipe.few is None else _few(data.training, recipe.few, out)
    if recipe.from_votes:
        shares = shares_of_votes(training, head.labels)
        said = np.flatnonzero(shares.sum(axis=1) > 0)
        learned, answers = training.take(said), shares[said]
        inner_answers = shares_of_votes(inner, head.labels)
    else:
        labelled = label(training, recipe.protocol)
        learned, answers = training.take(labelled.chosen), one_label(labelled)
        inner_answers = one_label(label(inner, recipe.protocol))
    return Task(head, learned, answers, Judge(inner, head, fed_to(recipe)), inner_answers)


def _few(faces: Faces, few: Few, out: Path) -> Faces:
    folder = out / "faces"
    write_few(faces, folder, _FEW_SEED)
    return read_few(folder, fed(), detected=few.detected, inspected=few.inspected).faces


def fed_to(recipe: Recipe) -> Input:
    """Return how a recipe's network is fed: one luminance plane, standardised, or plain with white being 1."""
    return fed() if recipe.standardised else msgspec.structs.replace(fed(), multiply=1 / 255, per_image=False)


def learn_published(
    data: FaceData, out: Path, recipe: Recipe, schedule: Schedule, say: Say
) -> tuple[RunFolder, list[CurvePoint]]:
    """Train a published network, keep its epochs in `out`, write the best one's `.keras`; return folder and curve.

    An unfinished training goes on after its last whole epoch, with the same curve as if it had never stopped.
    """
    run = RunFolder(
        out,
        {
            "data": data.name,
            "data_sha256": data.digest(),
            "rate": float(recipe.optimizer().learning_rate),
            "batch": recipe.batch,
            "movement": asdict(recipe.movement) if recipe.movement else None,
            **asdict(schedule),
        },
    )
    asked = task(data, recipe, out)
    say(Stage(recipe.name, schedule.epochs))
    batches = views(asked, recipe, schedule.seed)
    curve = run.curve()
    if len(curve) < schedule.epochs and not stopped(_losses(curve), recipe.patience):
        keras.utils.set_random_seed(schedule.seed)
        network = run.network(len(curve)) if curve else compiled(recipe, len(asked.head.labels), schedule.precision)
        keeper = _Keeper(asked, run, curve, recipe, schedule.seed, batches, say)
        network.fit(
            batches,
            initial_epoch=len(curve),
            epochs=schedule.epochs,
            shuffle=False,  # they are shuffled already, by a seed that a resumed training knows
            verbose=0,
            callbacks=[keeper],
        )
    wanted = fed_to(recipe)
    best = run.best()
    enter = roc_thresholds(softmax(asked.inner.logits(best)), asked.inner.truth, asked.head.labels)
    said = TrainingRecord(
        recipe=recipe.name,
        labels=list(asked.head.labels),
        protocol=recipe.protocol,
        multiply=wanted.multiply,
        add=wanted.add,
        per_image=wanted.per_image,
        crop=wanted.crop,
        data=data.name,
        epochs=schedule.epochs,
        seed=schedule.seed,
        device=f"{platform.machine()}, Keras on {keras.backend.backend()}",
        enter={label: round(threshold, 3) for label, threshold in enter.items()},
        curve=curve,
    )
    if not is_written(run, said):
        write(run, best, asked.head, said)
    return run, curve


def scaled_published(recipe: Recipe, schedule: Schedule, data: FaceData, out: Path, budget_s: float) -> Schedule:
    """Return the schedule with as many of its epochs as fit the budget on this machine, here and now.

    It is kept in `out`: a training that goes on keeps the schedule that it began with.
    """

    def fit() -> Schedule:
        asked = task(data, recipe, out)
        batches = views(asked, recipe, schedule.seed)
        epoch_s = step_s(compiled(recipe, len(asked.head.labels), schedule.precision), batches) * len(batches) * BESIDES
        return replace(schedule, epochs=min(schedule.epochs, max(1, math.floor(budget_s / epoch_s))))

    return kept(schedule, data, out, budget_s, fit)


def views(asked: Task, recipe: Recipe, seed: int) -> Views:
    """Return what the network is shown, epoch after epoch."""

    def change(face: Grey, random: np.random.Generator) -> Grey:
        return face if recipe.movement is None else moved(face, recipe.movement, random)

    return Views(
        asked.learned,
        fed_to(recipe),
        seed,
        lambda view, chosen: {HEAD: asked.answers[chosen]},
        change=change,
        batch=recipe.batch,
    )


def compiled(recipe: Recipe, labels: int, precision: str) -> keras.Model:
    """Return the fresh network with its optimizer."""
    with arithmetic(precision):
        network = recipe.build(labels)
    network.compile(
        optimizer=recipe.optimizer(),
        loss={HEAD: keras.losses.CategoricalCrossentropy(from_logits=True)},
        jit_compile=False,
    )
    return network


def stopped(losses: Sequence[float], patience: int | None) -> bool:
    """Return whether this many epochs have passed without a lower loss. losses: of the inner split, by epoch."""
    return patience is not None and _waited(losses) >= patience


def rate_after(losses: Sequence[float], rate: float, plateau: Plateau | None) -> float:
    """Return the learning rate of the next epoch. losses: of the inner split, by epoch. rate: of the first one."""
    if plateau is None:
        return rate
    since = 0
    for end in range(1, len(losses) + 1):
        if _waited(losses[:end], since) >= plateau.patience:
            rate, since = rate * plateau.factor, end
    return rate


def _waited(losses: Sequence[float], since: int = 0) -> int:
    """Return how many of the last epochs, those after the first `since`, brought no lower loss."""
    best, last = np.inf, 0
    for number, loss in enumerate(losses, start=1):
        if loss < best - _LEAST_GAIN:
            best, last = loss, number
    return len(losses) - max(last, since)


def _losses(curve: Sequence[CurvePoint]) -> list[float]:
    return [point.inner_loss for point in curve if point.inner_loss is not None]


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate; judges, keeps and tells each epoch; stops when the recipe would."""

    def __init__(
        self, asked: Task, run: RunFolder, curve: list[CurvePoint], recipe: Recipe, seed: int, batches: Views, say: Say
    ) -> None:
        super().__init__()
        self._asked, self._run, self._curve, self._recipe = asked, run, curve, recipe
        self._seed, self._batches, self._say = seed, batches, say
        self._rate = float(recipe.optimizer().learning_rate)
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._began = time.monotonic()
        self._batches.epoch = epoch + 1
        seed_dropout(self.model, self._seed, epoch + 1)
        self.model.optimizer.learning_rate = rate_after(_losses(self._curve), self._rate, self._recipe.plateau)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._say(Progress(len(self._curve) + (batch + 1) / len(self._batches), (logs or {}).get("loss")))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()  # else the weights are those of the epoch's beginning
        inner = self._asked.inner
        logits = inner.logits(self.model)
        believed = np.log(np.maximum(softmax(logits), 1e-12))
        point = CurvePoint(
            number=epoch + 1,
            loss=float((logs or {})["loss"]),
            accuracy={inner.head.protocol: float((logits.argmax(axis=1) == inner.truth).mean())},
            inner_loss=float(-(self._asked.inner_answers * believed).sum(axis=1).mean()),
            seconds=round(time.monotonic() - self._began, 1),
        )
        self._curve.append(point)
        self._run.save(self.model, self._curve)
        self._say(point)
        if stopped(_losses(self._curve), self._recipe.patience):
            self.model.stop_training = True
