"""What `train-model` does for a recipe: train its teachers, ask them about every face, train the network on that."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.backgrounds import backgrounds
from cuelens_models.data.faces import joined
from cuelens_models.data.load import FaceData
from cuelens_models.train import teacher_targets, teachers
from cuelens_models.train.batches import BATCH, Views, said_by_people
from cuelens_models.train.budget import BESIDES, Schedule, kept, step_s
from cuelens_models.train.checkpoints import RunFolder
from cuelens_models.train.fit import Plan, Progress, compiled, fed, folder_of, heads_for, train
from cuelens_models.zoo import teacher
from cuelens_models.zoo.pretrained import Pretrained

if TYPE_CHECKING:
    from cuelens_models.train.distributed import Team

_BACKGROUNDS: Final = 0.08
"""Pictures of no face that are learned from, as a share of the faces."""
_VIEWS: Final = 16
"""Different views that teachers are asked about; a student sees each several times."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the work that begins. steps: epochs of a training, views of the lessons."""

    name: str
    steps: int


Say = Callable[[Stage | Progress | CurvePoint], None]


def learn(
    data: FaceData,
    out: Path,
    schedule: Schedule,
    say: Say,
    team: "Team | None" = None,
    pretrained: Pretrained | None = None,
    taught_by: Sequence[Path] = (),
) -> tuple[RunFolder, list[CurvePoint]]:
    """Train a recipe, and return its folder and its curve. What was done in `out` before is not done again.

    pretrained: what teachers begin from. taught_by: `.keras` files of teachers besides those that are trained.
    """
    heads = heads_for(data)
    masters = [teachers.opened(path, heads) for path in taught_by]
    plan = Plan(
        **asdict(schedule),
        began_from=pretrained.sha256 if pretrained else "",
        taught_by=teachers.checksum(taught_by),
    )
    # Opened first: a folder that cannot be used should not be noticed after hours of teachers.
    run = folder_of(data, out, plan, team)
    say(Stage("gathering pictures of no face", 0))
    faces = joined(data.training, backgrounds(int(_BACKGROUNDS * len(data.training)), schedule.seed))
    answers = said_by_people(faces, heads)
    for number in range(1, schedule.teachers + 1):
        say(Stage(f"teacher {number} of {schedule.teachers}", schedule.teacher_epochs))
        taught = Plan(
            teacher.NAME,
            schedule.teacher_epochs,
            schedule.seed + number,
            schedule.precision,
            began_from=plan.began_from,
        )
        master = folder_of(data, out / f"teacher-{number}", taught, team)
        train(data, Views(faces, fed(), taught.seed, answers), master, taught, say, team, pretrained)
        masters.append(teachers.trained(master.best(), heads, plan.precision))
    views = min(_VIEWS, schedule.epochs) if masters else None
    if views:
        say(Stage("asking the teachers", views))
        answers = teacher_targets.give(
            masters,
            faces,
            heads,
            views,
            plan.seed,
            out / "lessons",
            lambda view: say(Progress(view, None)),
            team,
        )
    say(Stage(schedule.recipe, schedule.epochs))
    own = pretrained if schedule.recipe == teacher.NAME else None
    return run, train(data, Views(faces, fed(), plan.seed, answers, views), run, plan, say, team, own)


def scaled(schedule: Schedule, data: FaceData, out: Path, budget_s: float) -> Schedule:
    """Return the schedule with its epochs scaled so that the whole fits the budget on this machine, here and now.

    It is kept in `out`: a training that goes on keeps the schedule that it began with.
    """

    def fit() -> Schedule:
        steps = len(data.training) * (1 + _BACKGROUNDS) / BATCH * BESIDES
        own = _step_s(schedule.recipe, data, schedule.precision) * steps
        taught = _step_s(teacher.NAME, data, schedule.precision) * steps if schedule.teachers else 0.0
        full_s = own * schedule.epochs + taught * schedule.teachers * (schedule.teacher_epochs + _VIEWS / 3)
        share = budget_s / full_s
        return replace(
            schedule,
            epochs=max(1, math.floor(schedule.epochs * share)),
            teacher_epochs=max(1, math.floor(schedule.teacher_epochs * share)),
        )

    return kept(schedule, data, out, budget_s, fit)


def _step_s(recipe: str, data: FaceData, precision: str) -> float:
    heads = heads_for(data)
    network = compiled(Plan(recipe, 1, 0, precision), heads, 100)
    return step_s(network, Views(data.training, fed(), 0, said_by_people(data.training, heads)))
