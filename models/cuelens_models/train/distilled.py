"""How a network of ours is trained, from top to bottom.

`learn` gathers faces and pictures of no face, trains teachers, asks them about every view of every face, and trains the
network on their answers. What a network and its optimizer are stands in its recipe: `zoo/cuelens.py`, `zoo/teacher.py`.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import keras

from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.backgrounds import backgrounds
from cuelens_models.data.faces import Faces, concatenate
from cuelens_models.data.load import FaceData
from cuelens_models.errors import BadInput
from cuelens_models.evaluate.metrics import fit_biases
from cuelens_models.progress import Steps
from cuelens_models.train import teachers
from cuelens_models.train.batches import Views, batches_of, followed_by, human_targets, views_of
from cuelens_models.train.budget import OVERHEAD, Schedule, scaled_once, step_s
from cuelens_models.train.checkpoints import RunFolder, record_of
from cuelens_models.train.epochs import Average, Epochs, Judge, Measure
from cuelens_models.train.mirrored import Mirrored
from cuelens_models.train.precision import arithmetic
from cuelens_models.train.targets import Head, heads_for, heads_of
from cuelens_models.zoo import cuelens, teacher
from cuelens_models.zoo.pretrained import Pretrained
from cuelens_models.zoo.recipe import OwnRecipe

if TYPE_CHECKING:
    from cuelens_models.train.distributed import Team

RECIPES: Final = {recipe.name: recipe for recipe in (cuelens.RECIPE, teacher.RECIPE)}
_BACKGROUNDS: Final = 0.08
"""Pictures of no face that are learned from, as a share of the faces."""
_NORM_FACES: Final = 512
"""Faces that set the batch norm of a network that begins from trained weights."""


def learn(
    data: FaceData,
    out: Path,
    schedule: Schedule,
    steps: Steps,
    team: "Team | None" = None,
    pretrained: Pretrained | None = None,
    taught_by: Sequence[Path] = (),
    recipes: Mapping[str, OwnRecipe] = RECIPES,
    besides: Faces | None = None,
) -> tuple[RunFolder, list[CurvePoint]]:
    """Train a recipe, and return its folder and its curve. What is done in the folder already is not done again.

    Raises BadInput if the folder holds another training, Unwritable if it cannot be written to.

    Args:
        data: to learn from.
        out: the folder.
        schedule: names the recipe; how many teachers and epochs.
        steps: counts epochs of a training, and views that teachers are asked about.
        team: processes that train together.
        pretrained: weights that networks begin from if their recipe says how.
        taught_by: `.keras` files of teachers besides those that are trained.
        recipes: by name; "teacher" is that of the teachers.
        besides: faces to learn from besides those of the data. Teachers are not asked about them: their votes are true.
    """
    heads = heads_for(data)
    masters = [teachers.opened(path, heads) for path in taught_by]
    pretrained_sha = pretrained.sha256 if pretrained else ""
    recipe = recipes[schedule.recipe]
    # Opened first: a folder that cannot be used should not be noticed after hours of teachers.
    began_from = recipe.goes_on_from or pretrained_sha
    run = folder_of(data, out, schedule, began_from, teachers.checksum(taught_by), team, besides)
    training = _Training(data, steps, team)

    steps.stage("gathering pictures of no face")
    doubtful = concatenate(data.training, backgrounds(int(_BACKGROUNDS * len(data.training)), schedule.seed))
    faces = concatenate(doubtful, besides) if besides else doubtful
    of_people = human_targets(faces, heads)

    for number in range(1, schedule.teachers + 1):
        steps.stage(f"teacher {number} of {schedule.teachers}", schedule.teacher_epochs)
        master = recipes[teacher.NAME]
        own = Schedule(master.name, schedule.teacher_epochs, 0, 0, schedule.seed + number, schedule.precision)
        folder = folder_of(data, out / f"teacher-{number}", own, pretrained_sha, team=team, besides=besides)
        batches = batches_of(master, faces, heads, own.seed, of_people)
        training.run(master, heads, batches, folder, own, pretrained)
        quick = built(master, heads, schedule.precision)
        quick.set_weights(folder.best().get_weights())
        masters.append(teachers.teacher_of(quick, heads, cuelens.INPUT))

    own_heads, views = heads_of(recipe, data), None
    learned = own_people = human_targets(faces, own_heads)
    if masters:
        views = views_of(recipe, schedule.epochs)
        steps.stage("asking the teachers", views)
        answers = teachers.ask(masters, doubtful, own_heads, views, schedule.seed, out / "lessons", steps, team)
        learned = followed_by(answers, len(doubtful), own_people)

    steps.stage(schedule.recipe, schedule.epochs)
    batches = batches_of(recipe, faces, own_heads, schedule.seed, learned, views)
    return run, training.run(recipe, own_heads, batches, run, schedule, pretrained)


@dataclass(frozen=True, slots=True)
class _Training:
    """What the teachers' trainings and the student's have in common."""

    data: FaceData
    steps: Steps
    team: "Team | None"

    def run(
        self,
        recipe: OwnRecipe,
        heads: tuple[Head, ...],
        batches: Views,
        folder: RunFolder,
        schedule: Schedule,
        pretrained: Pretrained | None,
    ) -> list[CurvePoint]:
        """Train one network, judge each epoch on the inner split, store it in its folder, and return its curve.

        An unfinished training is resumed after its last whole epoch, with the same curve as if it had never stopped.
        """
        curve = folder.curve()
        if len(curve) < schedule.epochs:
            keras.utils.set_random_seed(schedule.seed)
            total = schedule.epochs * len(batches)
            with self.team.strategy.scope() if self.team else nullcontext():
                if curve:
                    network = folder.network(len(curve))
                else:
                    network = compiled(recipe, heads, schedule.precision, total)
                    if pretrained and recipe.begin:
                        shown = model_inputs(self.data.training.pixels[:_NORM_FACES], cuelens.INPUT)
                        recipe.begin(network, pretrained, shown)
                # Keras stores everything else of an optimizer, but not this.
                network.optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
            averaged = built(recipe, heads)
            begun = folder.averaged(len(curve)) if curve else network
            if [each.shape for each in begun.weights] != [each.shape for each in averaged.weights]:
                raise BadInput(f"{folder.path} holds a training of another network: choose another --out")
            averaged.set_weights(begun.get_weights())
            average = Average(averaged, recipe.averaged * total, len(curve) * len(batches))
            epochs = Epochs(batches, schedule.seed, folder, curve, self._measure(heads), self.steps, average=average)
            if self.team:
                self.team.fit(network, batches, len(curve), schedule.epochs, epochs)
            else:
                # The batches are shuffled already, by a seed that a resumed training knows.
                network.fit(
                    batches,
                    initial_epoch=len(curve),
                    epochs=schedule.epochs,
                    shuffle=False,
                    verbose=0,
                    callbacks=[epochs],
                )
        if self.team is None or self.team.writes:
            for head in heads:
                self._write(recipe, head, folder, schedule, curve)
        if self.team:
            self.team.wait()
        return curve

    def _measure(self, heads: tuple[Head, ...]) -> Measure:
        judges = [Judge(self.data.inner, head, cuelens.INPUT) for head in heads]

        def measure(network: keras.Model, number: int, loss: float, began: float) -> CurvePoint:
            accuracy = {judge.head.protocol: judge.accuracy(network) for judge in judges}
            return CurvePoint(number=number, loss=loss, accuracy=accuracy)

        return measure

    def _write(
        self, recipe: OwnRecipe, head: Head, folder: RunFolder, schedule: Schedule, curve: list[CurvePoint]
    ) -> None:
        """Write the best network with this head alone, as the `.keras` file that the converter takes.

        Its last biases are fitted to the clear faces of training, which its protocol counts: it also learned from the
        doubtful ones, whose votes name rare expressions less often.

        A file that is there already is left alone: Keras dates its files, and bundles know theirs by its checksum.
        """
        record = record_of(schedule.recipe + head.suffix, head, cuelens.INPUT, self.data, schedule, curve)
        if folder.is_written(record):
            return
        best = folder.best()
        if recipe.kept:
            before = recipe.build({head.name: len(head.labels)})
            best.set_weights(
                [
                    recipe.kept * old + (1 - recipe.kept) * new
                    for old, new in zip(before.get_weights(), best.get_weights(), strict=True)
                ]
            )
        judge = Judge(self.data.training, head, cuelens.INPUT)
        dense = best.get_layer(head.name)
        kernel, bias = dense.get_weights()
        bias[: judge.labels] += fit_biases(judge.logits(best), judge.truth)
        dense.set_weights([kernel, bias])
        folder.write(best, head, record)


def folder_of(
    data: FaceData,
    out: Path,
    schedule: Schedule,
    began_from: str = "",
    taught_by: str = "",
    team: "Team | None" = None,
    besides: Faces | None = None,
) -> RunFolder:
    """Open the folder of a training. Raises BadInput if it holds another one.

    Args:
        data: that the network is trained on.
        out: the folder.
        schedule: of the training.
        began_from: the checksum of the weights that the network, or its teachers, begin from.
        taught_by: the checksum of the files of other teachers.
        team: processes that train together.
        besides: what is learned from besides the data.
    """
    plan = {
        "data": data.name,
        "data_sha256": data.digest(),
        "heads": [head.name for head in heads_for(data)],
        **asdict(schedule),
        "began_from": began_from,
        "taught_by": taught_by,
        **({"besides_sha256": besides.digest()} if besides else {}),
    }
    if team is None:
        return RunFolder(out, plan)
    first = RunFolder(out, plan) if team.writes else None
    team.wait()
    return first or RunFolder(out, plan, writes=False)


def built(recipe: OwnRecipe, heads: tuple[Head, ...], precision: str = "float32") -> keras.Model:
    """Return a fresh network whose arithmetic, but for its last layers, has this precision.

    Args:
        recipe: of the network.
        heads: that it answers.
        precision: "float32" or "bfloat16".
    """
    with arithmetic(precision):
        return recipe.build({head.name: len(head.labels) for head in heads})


def compiled(recipe: OwnRecipe, heads: tuple[Head, ...], precision: str, steps: int) -> keras.Model:
    """Return a fresh network with its optimizer and its loss.

    Args:
        recipe: of the network.
        heads: that it answers.
        precision: "float32" or "bfloat16".
        steps: of the whole training.
    """
    network = built(recipe, heads, precision)
    network.compile(
        optimizer=recipe.optimizer(steps),
        loss={head.name: Mirrored(recipe.mirror if head == heads[0] else 0.0) for head in heads},
        loss_weights={head.name: recipe.head_weights[head.name] for head in heads},
        # XLA is several times slower than plain kernels for small convolutions on a CPU.
        jit_compile=False,
    )
    return network


def scaled(
    schedule: Schedule,
    data: FaceData,
    out: Path,
    budget_s: float,
    recipes: Mapping[str, OwnRecipe] = RECIPES,
    besides: int = 0,
) -> Schedule:
    """Return the schedule with its epochs scaled so that the whole fits the budget on this machine, here and now.

    It is stored in the folder: a resumed training keeps the schedule that it began with.

    Args:
        schedule: as requested.
        data: to train on.
        out: the folder.
        budget_s: how long teachers and network together may take.
        recipes: by name; "teacher" is that of the teachers.
        besides: how many faces are learned from besides those of the data.
    """
    more = 1 + besides / len(data.training)

    def scale() -> Schedule:
        own = recipes[schedule.recipe]
        own_s = _epoch_s(own, data, schedule.precision)
        teacher_s = _epoch_s(recipes[teacher.NAME], data, schedule.precision) if schedule.teachers else 0.0
        asked = views_of(own, schedule.epochs) / 3
        full_s = more * own_s * schedule.epochs
        full_s += teacher_s * schedule.teachers * (more * schedule.teacher_epochs + asked)
        share = budget_s / full_s
        return replace(
            schedule,
            epochs=max(1, math.floor(schedule.epochs * share)),
            teacher_epochs=max(1, math.floor(schedule.teacher_epochs * share)),
        )

    return scaled_once(schedule, data, out, budget_s, scale)


def _epoch_s(recipe: OwnRecipe, data: FaceData, precision: str) -> float:
    heads = heads_of(recipe, data)
    network = compiled(recipe, heads, precision, 100)
    batches = batches_of(recipe, data.training, heads, 0, human_targets(data.training, heads))
    return step_s(network, batches) * len(data.training) * (1 + _BACKGROUNDS) / batches.batch * OVERHEAD
