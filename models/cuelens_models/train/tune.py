"""Searching for the learning rate, the batch and the movement that suit a recipe, with KerasTuner.

A trial is a training like any other, in a folder of its own. A stopped search is resumed, within a trial too. Several
workers share a search by KerasTuner's own environment variables. TensorBoard reads every curve.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import keras_tuner
import msgspec
from tensorboard.summary import Writer

from cuelens_models.atomic_file import write_whole
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.load import FaceData
from cuelens_models.progress import Steps
from cuelens_models.train.budget import Schedule
from cuelens_models.train.checkpoints import RunFolder
from cuelens_models.train.published import learn_published
from cuelens_models.zoo.recipe import Recipe, Tuned, tuned

SEARCHES: Final = {
    "bayesian": keras_tuner.BayesianOptimization,
    "random": keras_tuner.RandomSearch,
    "grid": keras_tuner.GridSearch,
}
BEST: Final = "best.json"
_ACCURACY: Final = "accuracy"
_RATES: Final = 10.0
"""How many times lower and higher than the recipe's the learning rate may be, in steps of half a power of ten."""
_BATCHES: Final = (32, 64, 128)
_MOVEMENTS: Final = (0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """A finished trial. accuracy: of its best epoch on the inner split."""

    number: str
    values: Tuned
    accuracy: float


def tune(
    data: FaceData, recipe: Recipe, out: Path, search: str, trials: int, schedule: Schedule, steps: Steps
) -> list[Trial]:
    """Search; return the finished trials, best first, and store the best one's values as best.json.

    Raises BadInput if the folder holds another search.

    Args:
        data: to learn from.
        recipe: to find values for.
        out: the folder.
        search: one of SEARCHES.
        trials: how many at most; the whole grid has 45.
        schedule: of each trial.
        steps: counts the epochs of a trial.
    """
    # Only its plan is needed here: weights are in the folders of the trials.
    RunFolder(out, {"data_sha256": data.digest(), "search": search, **asdict(schedule)})

    def work(number: str, values: Tuned) -> float:
        steps.stage(f"trial {number}: {values}")
        _, curve = learn_published(data, out / f"trial-{number}", tuned(recipe, values), schedule, steps)
        _write_curve(out / "tensorboard" / f"{number} {values}", curve, recipe.protocol)
        return max(point.accuracy[recipe.protocol] for point in curve)

    searcher = _searcher(search, work)(
        hyperparameters=_space(recipe),
        objective=keras_tuner.Objective(_ACCURACY, "max"),
        max_trials=trials,
        # KerasTuner takes a seed of 0 for none.
        seed=schedule.seed + 1,
        directory=str(out),
        project_name="search",
        max_consecutive_failed_trials=1,
    )
    try:
        searcher.search(verbose=0)
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ or error from None
    finished = [
        Trial(trial.trial_id, Tuned(**trial.hyperparameters.values), float(trial.score))
        for trial in searcher.oracle.get_best_trials(trials)
        if trial.score is not None
    ]
    if finished:
        write_whole(out / BEST, msgspec.json.format(msgspec.json.encode(finished[0].values)))
    return finished


def _space(recipe: Recipe) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    # Keras stores it in single precision.
    rate = float(f"{float(recipe.optimizer().learning_rate):.6g}")
    space.Float("rate", rate / _RATES, rate * _RATES, step=math.sqrt(10), sampling="log", default=rate)
    space.Choice("batch", _BATCHES, default=recipe.batch)
    space.Choice("movement", _MOVEMENTS, default=0.0)
    return space


def _searcher(search: str, work: Callable[[str, Tuned], float]) -> Any:
    """Return KerasTuner's class of this search. work: does a trial and returns its accuracy."""
    kind: Any = SEARCHES[search]

    class Searcher(kind):  # type: ignore[misc]
        def run_trial(self, trial: Any, **_: Any) -> dict[str, float]:
            try:
                return {_ACCURACY: work(trial.trial_id, Tuned(**trial.hyperparameters.values))}
            except Exception as error:
                # KerasTuner takes any other error for a poor trial, and goes on searching.
                raise keras_tuner.errors.FatalError from error

    return Searcher


def _write_curve(folder: Path, curve: list[CurvePoint], protocol: str) -> None:
    writer = Writer(str(folder))
    for point in curve:
        writer.add_scalar("loss", point.loss, point.number)
        writer.add_scalar(f"accuracy of {protocol} on the inner split", point.accuracy[protocol], point.number)
    writer.close()
