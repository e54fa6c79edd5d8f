"""Training a published recipe: no teachers, no averaged weights, its own stopping and learning rates."""

import math
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import keras
import msgspec
import numpy as np

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.scores import softmax
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.augment import move
from cuelens_models.data.faces import Faces
from cuelens_models.data.few import FOLDER, read_few, write_few
from cuelens_models.data.load import FaceData
from cuelens_models.data.protocols import PROTOCOLS, label
from cuelens_models.evaluate.metrics import roc_thresholds
from cuelens_models.progress import Steps
from cuelens_models.train.batches import Views
from cuelens_models.train.budget import OVERHEAD, Schedule, scaled_once, step_s
from cuelens_models.train.checkpoints import RunFolder, record_of
from cuelens_models.train.epochs import Epochs, Judge
from cuelens_models.train.precision import arithmetic
from cuelens_models.train.targets import Head, Targets, one_label, shares_of_votes
from cuelens_models.zoo import cuelens
from cuelens_models.zoo.recipe import HEAD, Few, Plateau, Recipe

_FEW_SEED: Final = 0
"""Trainings of every seed draw the same few pictures, so that they can be compared."""
_LEAST_GAIN: Final = 1e-4
"""By how much a loss must fall to count as lower, as Keras has it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a recipe is trained on and judged by.

    learned: the faces of training. targets: theirs, (n, labels); rows sum to 1.
    inner: judges on the inner split. inner_targets: of the faces there.
    """

    head: Head
    learned: Faces
    targets: Targets
    inner: Judge
    inner_targets: Targets


def task_of(data: FaceData, recipe: Recipe, out: Path) -> Task:
    """Return the task of a recipe. Raises BadInput if none of the faces counts under the recipe's protocol.

    Args:
        data: to learn from and to judge on.
        recipe: to train.
        out: where pictures are written, for a recipe that learns from a few.
    """
    head = Head(HEAD, PROTOCOLS[recipe.protocol], recipe.protocol, "")
    inner = data.inner.take(label(data.inner, recipe.protocol).indices)
    training = data.training if recipe.few is None else _few(data.training, recipe.few, out)
    if recipe.from_votes:
        shares = shares_of_votes(training, head.labels)
        voted = np.flatnonzero(shares.sum(axis=1) > 0)
        learned, targets = training.take(voted), shares[voted]
        inner_targets = shares_of_votes(inner, head.labels)
    else:
        labelled = label(training, recipe.protocol)
        learned, targets = training.take(labelled.indices), one_label(labelled)
        inner_targets = one_label(label(inner, recipe.protocol))
    return Task(head, learned, targets, Judge(inner, head, fed_to(recipe)), inner_targets)


def _few(faces: Faces, few: Few, out: Path) -> Faces:
    folder = out / FOLDER
    write_few(faces, folder, _FEW_SEED)
    return read_few(folder, cuelens.INPUT, detected=few.detected, inspected=few.inspected).faces


def fed_to(recipe: Recipe) -> Input:
    """Return how a recipe's network is fed: one luminance plane, standardised, or plain with white being 1."""
    if recipe.standardised:
        return cuelens.INPUT
    return msgspec.structs.replace(cuelens.INPUT, multiply=1 / 255, per_image=False)


def learn_published(
    data: FaceData, out: Path, recipe: Recipe, schedule: Schedule, steps: Steps
) -> tuple[RunFolder, list[CurvePoint]]:
    """Train a published network, write the best epoch as a `.keras` file, and return folder and curve.

    An unfinished training is resumed after its last whole epoch, with the same curve as if it had never stopped.
    Raises BadInput if the folder holds another training.

    Args:
        data: to learn from.
        out: the folder in which each epoch is stored.
        recipe: to train.
        schedule: how many epochs, which seed and precision.
        steps: counts epochs.
    """
    rate = float(recipe.optimizer().learning_rate)
    run = RunFolder(
        out,
        {
            "data": data.name,
            "data_sha256": data.digest(),
            "rate": rate,
            "batch": recipe.batch,
            "movement": asdict(recipe.movement) if recipe.movement else None,
            **asdict(schedule),
        },
    )
    task = task_of(data, recipe, out)
    steps.stage(recipe.name, schedule.epochs)
    batches = views(task, recipe, schedule.seed)
    curve = run.curve()

    def is_done() -> bool:
        return stopped(_losses(curve), recipe.patience)

    def next_rate(epoch: int, _: float) -> float:
        return rate_after(_losses(curve), rate, recipe.plateau)

    if len(curve) < schedule.epochs and not is_done():
        keras.utils.set_random_seed(schedule.seed)
        network = run.network(len(curve)) if curve else compiled(recipe, len(task.head.labels), schedule.precision)
        network.fit(
            batches,
            initial_epoch=len(curve),
            epochs=schedule.epochs,
            shuffle=False,  # they are shuffled already, by a seed that a resumed training knows
            verbose=0,
            callbacks=[
                keras.callbacks.LearningRateScheduler(next_rate),
                Epochs(batches, schedule.seed, run, curve, partial(_measure, task), steps, is_done=is_done),
            ],
        )
    best = run.best()
    enter = roc_thresholds(softmax(task.inner.logits(best)), task.inner.truth, task.head.labels)
    record = msgspec.structs.replace(
        record_of(recipe.name, task.head, fed_to(recipe), data, schedule, curve),
        device=f"{platform.machine()}, Keras on {keras.backend.backend()}",
        enter={label: round(threshold, 3) for label, threshold in enter.items()},
    )
    if not run.is_written(record):
        run.write(best, task.head, record)
    return run, curve


def _measure(task: Task, network: keras.Model, number: int, loss: float, began: float) -> CurvePoint:
    """Return the point of an epoch. began: when, by the monotonic clock."""
    logits = task.inner.logits(network)
    log_probabilities = np.log(np.maximum(softmax(logits), 1e-12))
    return CurvePoint(
        number=number,
        loss=loss,
        accuracy={task.head.protocol: task.inner.accuracy_of(logits)},
        inner_loss=float(-(task.inner_targets * log_probabilities).sum(axis=1).mean()),
        seconds=round(time.monotonic() - began, 1),
    )


def scaled_published(recipe: Recipe, schedule: Schedule, data: FaceData, out: Path, budget_s: float) -> Schedule:
    """Return the schedule with as many of its epochs as fit the budget on this machine, here and now.

    It is stored in the folder: a resumed training keeps the schedule that it began with.

    Args:
        recipe: to train.
        schedule: as requested.
        data: to train on.
        out: the folder.
        budget_s: how long the training may take.
    """

    def scale() -> Schedule:
        task = task_of(data, recipe, out)
        batches = views(task, recipe, schedule.seed)
        network = compiled(recipe, len(task.head.labels), schedule.precision)
        epoch_s = step_s(network, batches) * len(batches) * OVERHEAD
        return replace(schedule, epochs=min(schedule.epochs, max(1, math.floor(budget_s / epoch_s))))

    return scaled_once(schedule, data, out, budget_s, scale)


def views(task: Task, recipe: Recipe, seed: int) -> Views:
    """Return what the network is shown, epoch after epoch.

    Args:
        task: of the recipe.
        recipe: to train.
        seed: of the training.
    """

    def change(face: Grey, random: np.random.Generator) -> Grey:
        return face if recipe.movement is None else move(face, recipe.movement, random)

    return Views(
        task.learned,
        fed_to(recipe),
        seed,
        lambda view, indices: {HEAD: task.targets[indices]},
        change=change,
        batch=recipe.batch,
    )


def compiled(recipe: Recipe, labels: int, precision: str) -> keras.Model:
    """Return the fresh network with its optimizer.

    Args:
        recipe: of the network.
        labels: how many it answers.
        precision: "float32" or "bfloat16".
    """
    with arithmetic(precision):
        network = recipe.build(labels)
    network.compile(
        optimizer=recipe.optimizer(),
        loss={HEAD: keras.losses.CategoricalCrossentropy(from_logits=True)},
        jit_compile=False,
    )
    return network


def stopped(losses: Sequence[float], patience: int | None) -> bool:
    """Return whether the last `patience` epochs brought no lower loss. losses: of the inner split, by epoch."""
    return patience is not None and _waited(losses) >= patience


def rate_after(losses: Sequence[float], rate: float, plateau: Plateau | None) -> float:
    """Return the learning rate of the next epoch.

    Args:
        losses: of the inner split, by epoch.
        rate: of the first epoch.
        plateau: when the rate falls; None: never.
    """
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
