"""The command `tune-model`: a published recipe and data in, the values that suit it best out."""

from argparse import Namespace
from pathlib import Path

from cuelens_models import command
from cuelens_models.data.load import load
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.budget import Schedule
from cuelens_models.train.progress import display
from cuelens_models.zoo.published import RECIPES

_SEARCHES = ("bayesian", "random", "grid")
_EXAMPLES = """\
what is searched: the learning rate, a tenth to ten times the recipe's; 32, 64 or 128 faces a batch; how far faces are
moved in training. Each trial is trained like any network, and judged on the inner split of training.
examples:
  tune-model four-class --data faces/ --out runs/tuned --trials 20 --epochs 8
  tune-model four-class --data faces/ --out runs/tuned --trials 20 --epochs 8    # the same again goes on
  tensorboard --logdir runs/tuned/tensorboard
  train-model four-class --data faces/ --out runs/best --tuned runs/tuned/best.json
several workers share a search as KerasTuner has it: KERASTUNER_TUNER_ID=chief, or a name of its own for each worker,
with KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT, the same command and a shared DIR"""


def main() -> None:
    """Search."""
    options = command.parser("tune-model", "Search for the training that suits a published recipe.", _EXAMPLES)
    options.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    options.add_argument("--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="where trials and best.json go")
    options.add_argument("--search", choices=_SEARCHES, default=_SEARCHES[0], help="(default: %(default)s)")
    options.add_argument("--trials", type=int, default=20, metavar="N", help="at most (%(default)s)")
    options.add_argument("--epochs", type=int, default=8, metavar="N", help="of each trial (%(default)s)")
    options.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="(%(default)s)")
    options.add_argument("--seed", type=int, default=0, metavar="N")
    given = options.parse_args()
    for name in ("trials", "epochs"):
        if getattr(given, name) < 1:
            options.error(f"--{name} must be 1 or more")
    if not 0 <= given.seed < 2**32:
        options.error(f"--seed must be 0 to {2**32 - 1}")
    command.finish("tune-model", lambda: _tune(given), debug=given.debug)


def _tune(given: Namespace) -> int:
    if given.recipe not in RECIPES:
        raise BadInput(f"recipe {given.recipe!r} is unknown: use one of {', '.join(RECIPES)}")
    if given.data.is_dir() and given.out.resolve().is_relative_to(given.data.resolve()):
        raise BadInput(f"{given.out} lies in the data: choose another --out, so that results are not read as faces")
    data = load(given.data)
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.train.tune import BEST, tune
    except ImportError as error:
        raise command.require((error.name or "keras-tuner").replace("_", "-"), "train") from error
    schedule = Schedule(given.recipe, given.epochs, 0, 0, given.seed, given.precision)
    with display() as say:
        done = tune(data, RECIPES[given.recipe], given.out, given.search, given.trials, schedule, say)
    print("inner split  rate     batch  movement  trial")
    for trial in done:
        values = trial.values
        print(f"{trial.accuracy:11.1%}  {values.rate:<7.2g}  {values.batch:5}  {values.movement:8g}  {trial.number}")
    print(f"the best is in {given.out / BEST}: train-model {given.recipe} --tuned {given.out / BEST}")
    return 0
