"""The command `train-model`: a recipe and data in, `.keras` files out."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens_models import command
from cuelens_models.atomic_file import writable
from cuelens_models.audit.findings import read_names
from cuelens_models.data.load import load, without
from cuelens_models.errors import BadInput, CuelensError
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.budget import Schedule
from cuelens_models.train.progress import display
from cuelens_models.zoo.pretrained import read
from cuelens_models.zoo.published import RECIPES as PUBLISHED
from cuelens_models.zoo.recipe import read_tuned, tuned

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cuelens_models.data.load import FaceData
    from cuelens_models.train.distributed import Team
    from cuelens_models.zoo.pretrained import Pretrained

_OWN = {"cuelens": 100, "teacher": 30}
"""Our own recipes and their epochs."""
_ENSEMBLE = "ensemble"
_TEACHERS = 2
_BEGUN_EPOCHS = 16
"""Epochs of a teacher that begins from trained weights."""
_LISTED = "\n".join(f"  {name:29} {recipe.summary}" for name, recipe in PUBLISHED.items())
_EXAMPLES = f"""\
recipes:
  cuelens   the network of the glasses; it learns from teachers, which are trained first (OUT/teacher-1, ...)
  teacher   one of them alone
  ensemble  trained networks as one, by the mean of what they believe (--members); nothing is trained
recipes that others have published, and two of ours without teachers, to compare with:
{_LISTED}
examples:
  train-model cuelens --data fer2013.csv --out runs/mine
  train-model cuelens --data faces/ --out runs/mine                # the same again goes on where it was stopped
  train-model cuelens --data faces/ --out runs/quick --budget 20   # everything scaled to fit 20 minutes
  train-model --queue elu-6 four-class --data faces/ --out runs --budget 60
  npm pack @vladmandic/face-api && tar xf vladmandic-face-api-*.tgz  # weights for --pretrained, in package/model/
  KERAS_BACKEND=torch train-model cuelens --data faces/ --out runs/gpu --precision bfloat16
then:
  convert-model runs/mine/cuelens.keras --data faces/ -o mine.tflite"""


def main() -> None:
    """Train a recipe."""
    options = _options()
    given = options.parse_args()
    if given.recipes == [_ENSEMBLE]:
        command.finish("train-model", lambda: _ensemble(given), debug=given.debug)
    _check(options, given)
    command.finish("train-model", lambda: _train(given), debug=given.debug)


def _options() -> "ArgumentParser":
    options = command.parser("train-model", "Train a face-expression network of the zoo.", _EXAMPLES)
    options.add_argument("recipes", metavar="RECIPE", nargs="+", help="which network to train: see below")
    options.add_argument(
        "--queue",
        action="store_true",
        help="train several recipes, each into DIR/RECIPE; one that fails does not stop the others",
    )
    options.add_argument("--data", type=Path, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="where checkpoints and the result go")
    options.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help=f"passes over the data (cuelens {_OWN['cuelens']}; others as published)",
    )
    options.add_argument(
        "--teachers",
        type=int,
        metavar="N",
        help=f"networks that cuelens learns from; 0: from people alone ({_TEACHERS})",
    )
    options.add_argument(
        "--teacher-epochs",
        type=int,
        metavar="N",
        help=f"({_OWN['teacher']}; {_BEGUN_EPOCHS} with --pretrained)",
    )
    options.add_argument(
        "--pretrained",
        type=Path,
        metavar="FILE",
        help="weights for teachers to begin from: face_recognition_model-weights_manifest.json of the npm package"
        " @vladmandic/face-api, which tells people apart (default: none)",
    )
    options.add_argument(
        "--taught-by",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="for cuelens: .keras files to learn from besides (with --teachers 0: instead of) its own teachers",
    )
    options.add_argument(
        "--members", type=Path, nargs="+", default=[], metavar="FILE", help="of an ensemble: .keras files"
    )
    options.add_argument(
        "--leave-out", type=Path, metavar="FILE", help="the findings.csv of audit-data: faces not to learn from"
    )
    options.add_argument(
        "--tuned", type=Path, metavar="FILE", help="the best.json of tune-model, for the published recipe it is of"
    )
    options.add_argument(
        "--budget",
        type=float,
        metavar="MINUTES",
        help="scale all epochs so that the whole, with --queue each recipe, takes about this long here",
    )
    options.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of most of the arithmetic; bfloat16 is quicker where the processor has it (%(default)s)",
    )
    options.add_argument(
        "--strategy",
        choices=("mirrored", "multiworker"),
        help="train on all devices of this machine, or with other machines: the same command on each, with its own"
        " TF_CONFIG and the same, shared, --out (TensorFlow only)",
    )
    options.add_argument("--seed", type=int, default=0, metavar="N")
    return options


def _check(options: "ArgumentParser", given: "Namespace") -> None:
    """End with a word on usage if options do not go together, or are out of range."""
    if given.data is None:
        options.error("--data is needed to train")
    if given.tuned and (len(given.recipes) > 1 or given.recipes[0] in _OWN):
        options.error("--tuned is for one published recipe")
    if len(given.recipes) > 1 and not given.queue:
        options.error("several recipes are trained with --queue, each into DIR/RECIPE")
    if given.budget is not None and given.strategy:
        options.error("--budget measures one machine: give --epochs with --strategy")
    if not _OWN.keys() & given.recipes:
        for name in ("teachers", "teacher_epochs", "pretrained", "taught_by"):
            if getattr(given, name) not in (None, []):
                options.error(f"--{name.replace('_', '-')} is for {' and '.join(_OWN)}")
    if given.teachers is None:
        given.teachers = _TEACHERS
    _check_ranges(options, given)


def _check_ranges(options: "ArgumentParser", given: "Namespace") -> None:
    for name in ("epochs", "teacher_epochs"):
        if getattr(given, name) is not None and getattr(given, name) < 1:
            options.error(f"--{name.replace('_', '-')} must be 1 or more")
    if not 0 <= given.teachers <= 9:
        options.error("--teachers must be 0 to 9")
    if given.budget is not None and not 0 < given.budget < 100_000:
        options.error("--budget must be more than 0 minutes")
    if not 0 <= given.seed < 2**32 - 10:
        options.error(f"--seed must be 0 to {2**32 - 11}")


def _train(given: "Namespace") -> int:
    for recipe in given.recipes:
        if recipe not in _OWN and recipe not in PUBLISHED:
            raise BadInput(f"recipe {recipe!r} is unknown: use one of {', '.join((*_OWN, *PUBLISHED))}")
    if given.data.is_dir() and given.out.resolve().is_relative_to(given.data.resolve()):
        raise BadInput(f"{given.out} lies in the data: choose another --out, so that results are not read as faces")
    pretrained = read(given.pretrained) if given.pretrained else None
    data = _faces(given)
    try:
        with tensorflow_quiet(gpu=True):
            import keras  # noqa: F401 - asked for before the work, not in the midst of it
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    status = 0
    for recipe in given.recipes:
        try:
            if recipe in PUBLISHED:
                _published(given, recipe, data)
            else:
                _own(given, recipe, data, pretrained)
        except CuelensError as error:
            if not given.queue:
                raise
            print(f"train-model: {recipe}: {error}", file=sys.stderr)
            status = max(status, error.exit_status)
    return status


def _faces(given: "Namespace") -> "FaceData":
    """Open the data, and say what there is to say of it."""
    data = load(given.data)
    if given.leave_out:
        data = without(data, read_names(given.leave_out))
    for note in data.notes:
        print(note)
    print(f"{len(data.training)} faces to learn from, {len(data.inner)} to choose the best epoch on")
    return data


def _own(given: "Namespace", recipe: str, data: "FaceData", pretrained: "Pretrained | None") -> None:
    """Train a recipe of ours."""
    from cuelens_models.train.distilled import learn, scaled

    out = _out(given, recipe)
    team = _joined(given.strategy) if given.strategy else None
    teachers = given.teachers if recipe == "cuelens" else 0
    usual = _OWN | ({"teacher": _BEGUN_EPOCHS} if pretrained else {})
    schedule = Schedule(
        recipe=recipe,
        epochs=given.epochs or usual[recipe],
        teachers=teachers,
        teacher_epochs=(given.teacher_epochs or usual["teacher"]) if teachers else 0,
        seed=given.seed,
        precision=given.precision,
    )
    if given.budget is not None:
        schedule = scaled(schedule, data, out, given.budget * 60)
        before = f", after {schedule.teachers} teachers of {schedule.teacher_epochs}" if schedule.teachers else ""
        print(f"{given.budget:g} minutes here are {schedule.epochs} epochs{before}")
    started = time.monotonic()
    with display() as say:
        run, curve = learn(data, out, schedule, say, team, pretrained, given.taught_by if recipe == "cuelens" else ())
    print(f"{time.monotonic() - started:.0f} s; the best of {len(curve)} epochs on the inner split is in")
    for file in sorted(run.path.glob(f"{recipe}*.keras")):
        print(f"  {file}")


def _published(given: "Namespace", name: str, data: "FaceData") -> None:
    """Train a recipe of others."""
    from cuelens_models.train.published import learn_published, scaled_published

    if given.strategy:
        raise BadInput(f"{name} is trained on one machine: leave --strategy out")
    recipe, out = PUBLISHED[name], _out(given, name)
    if given.tuned:
        recipe = tuned(recipe, read_tuned(given.tuned))
    schedule = Schedule(name, given.epochs or recipe.epochs, 0, 0, given.seed, given.precision)
    if given.budget is not None:
        schedule = scaled_published(recipe, schedule, data, out, given.budget * 60)
        print(f"{given.budget:g} minutes here are {schedule.epochs} of its {recipe.epochs} epochs")
    with display() as say:
        run, curve = learn_published(data, out, recipe, schedule, say)
    best = max(point.accuracy[recipe.protocol] for point in curve)
    seconds = sum(point.seconds or 0 for point in curve)
    print(
        f"{seconds:.0f} s; the best of {len(curve)} epochs names {best:.1%} of the inner split rightly,"
        f" published: {recipe.published.said}; it is in\n  {run.path / name}.keras"
    )


def _ensemble(given: "Namespace") -> int:
    """Join trained networks."""
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.train.fit import write_network
            from cuelens_models.zoo.ensemble import joined
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    network, said = joined(given.members)
    writable(given.out)
    print(write_network(given.out, network, said))
    return 0


def _out(given: "Namespace", recipe: str) -> Path:
    out: Path = given.out
    return out / recipe if given.queue else out


def _joined(strategy: str) -> "Team":
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadInput(f"--strategy needs Keras on TensorFlow, not on {keras.backend.backend()}: unset KERAS_BACKEND")
    with tensorflow_quiet(gpu=True):
        from cuelens_models.train.distributed import Team

        return Team(strategy)
