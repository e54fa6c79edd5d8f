"""The command `tune-model`: a published recipe and data in, the values that suit it best out."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from cuelens_models import command
from cuelens_models.commands.options import add_arithmetic, add_classes
from cuelens_models.data.load import check_exists, load
from cuelens_models.errors import BadInput
from cuelens_models.progress import display
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.budget import Schedule
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
    parser = command_line()
    options = parser.parse_args()
    for name in ("trials", "epochs"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be 1 or more")
    command.finish("tune-model", lambda: _tune(options), debug=options.debug)


def command_line() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = command.parser("tune-model", "Search for the training that suits a published recipe.", _EXAMPLES)
    parser.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    parser.add_argument(
        "--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (docs/training.md)"
    )
    add_classes(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where trials and best.json go")
    parser.add_argument("--search", choices=_SEARCHES, default=_SEARCHES[0], help="how trials are chosen (%(default)s)")
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="at most (%(default)s)")
    parser.add_argument("--epochs", type=int, default=8, metavar="N", help="of each trial (%(default)s)")
    add_arithmetic(parser)
    return parser


def _tune(options: Namespace) -> int:
    if options.recipe not in RECIPES:
        raise BadInput(f"recipe {options.recipe!r} is unknown: use one of {', '.join(RECIPES)}")
    if options.data.is_dir() and options.out.resolve().is_relative_to(options.data.resolve()):
        raise BadInput(f"{options.out} lies in the data: choose another --out, so that results are not read as faces")
    command.need("train", "keras_tuner", "keras", "tensorboard", "sklearn", "rich")
    check_exists(options.data)
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.train.tune import BEST, tune
    except ImportError as error:
        raise command.require(error.name or "keras_tuner", "train") from error
    data = load(options.data, options.classes)
    schedule = Schedule(options.recipe, options.epochs, 0, 0, options.seed, options.precision)
    with display(sys.stdout, extra="train", stage_line="{}", keep=True) as steps:
        finished = tune(data, RECIPES[options.recipe], options.out, options.search, options.trials, schedule, steps)
    print("inner split  rate     batch  movement  trial")
    for trial in finished:
        values = trial.values
        print(f"{trial.accuracy:11.1%}  {values.rate:<7.2g}  {values.batch:5}  {values.movement:8g}  {trial.number}")
    print(f"the best is in {options.out / BEST}: train-model {options.recipe} --tuned {options.out / BEST}")
    return 0
