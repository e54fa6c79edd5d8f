"""The command `train-model`: a recipe and data in, `.keras` files out."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens_models import command
from cuelens_models.atomic_file import make_folder
from cuelens_models.audit.findings import read_names
from cuelens_models.commands.options import add_arithmetic, add_classes
from cuelens_models.data.few import check_apart
from cuelens_models.data.load import besides, check_exists, load, without
from cuelens_models.errors import BadInput, CuelensError
from cuelens_models.progress import display
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.train.budget import Schedule
from cuelens_models.zoo import cuelens, teacher
from cuelens_models.zoo.pretrained import read
from cuelens_models.zoo.published import RECIPES as PUBLISHED
from cuelens_models.zoo.recipe import read_tuned, tuned

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cuelens_models.data.load import FaceData
    from cuelens_models.train.distributed import Team
    from cuelens_models.zoo.pretrained import Pretrained

_OWN = (cuelens.NAME, teacher.NAME)
_ENSEMBLE = "ensemble"
_TEACHERS = 2
_CHOICES = "\n".join(
    f"  {name:9} {getattr(cuelens.Options(), name):<7g} {words}"
    for name, words in (
        ("epochs", "passes over the faces, each changed anew every time"),
        ("batch", "faces, and the mirror image of each with camera faults of its own"),
        ("mirror", "weight of the distance between the answers to a face and to its mirror image"),
        ("rarity", "power of rarity by which rare expressions count more in the targets"),
        ("views", "changes of each face that teachers are asked about; in proportion fewer with fewer --epochs"),
        ("rate", "the highest learning rate"),
        ("dropout", "share of features dropped"),
    )
)
_LISTED = "\n".join(f"  {name:29} {recipe.summary}" for name, recipe in PUBLISHED.items())
_EXAMPLES = f"""\
recipes:
  cuelens   the network of the glasses; it learns from teachers, which are trained first (OUT/teacher-1, ...)
  teacher   one of them alone
  ensemble  trained networks as one, by the mean of what they believe (--members); nothing is trained
how cuelens is trained (Options in zoo/cuelens.py, with what each choice gave):
{_CHOICES}
recipes that others have published, and two of ours without teachers, to compare with:
{_LISTED}
examples:
  train-model cuelens --data fer2013.csv --out runs/mine
  train-model cuelens --data faces/ --out runs/mine                # the same again goes on where it was stopped
  train-model cuelens --data faces/ --out runs/quick --budget 20   # everything scaled to fit 20 minutes
  train-model --queue elu-6 four-class --data faces/ --out runs --budget 60
  npm pack @vladmandic/face-api && tar xf vladmandic-face-api-*.tgz  # weights for --pretrained, in package/model/
  KERAS_BACKEND=torch train-model cuelens --data faces/ --out runs/gpu --precision bfloat16
  train-model cuelens --begin runs/mine/cuelens.keras --data new/ --out runs/further  # some epochs more, on new faces
then:
  convert-model runs/mine/cuelens.keras --data faces/ -o mine.tflite"""


def main() -> None:
    """Train a recipe."""
    parser = command_line()
    options = parser.parse_args()
    if options.recipes == [_ENSEMBLE]:
        command.finish("train-model", lambda: _ensemble(options), debug=options.debug)
    _check(parser, options)
    command.finish("train-model", lambda: _train(options), debug=options.debug)


def command_line() -> "ArgumentParser":
    """Return the parser of the command line."""
    parser = command.parser("train-model", "Train a face-expression network of the zoo.", _EXAMPLES)
    parser.add_argument("recipes", metavar="RECIPE", nargs="+", help="which network to train: see below")
    parser.add_argument(
        "--queue",
        action="store_true",
        help="train several recipes, each into DIR/RECIPE; one that fails does not stop the others",
    )
    parser.add_argument("--data", type=Path, help="fer2013.csv, an .npz, or a folder of faces (docs/training.md)")
    add_classes(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where checkpoints and the result go")
    parser.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help=f"passes over the data (cuelens {cuelens.RECIPE.epochs}; others as published)",
    )
    parser.add_argument(
        "--teachers",
        type=int,
        metavar="N",
        help=f"networks that cuelens learns from; 0: from people alone ({_TEACHERS})",
    )
    parser.add_argument(
        "--teacher-epochs",
        type=int,
        metavar="N",
        help=f"passes of each teacher ({teacher.RECIPE.epochs}; {teacher.PRETRAINED_EPOCHS} with --pretrained)",
    )
    parser.add_argument(
        "--pretrained",
        type=Path,
        metavar="FILE",
        help="weights for teachers to begin from: face_recognition_model-weights_manifest.json of the npm package"
        " @vladmandic/face-api, which tells people apart (default: none)",
    )
    parser.add_argument(
        "--taught-by",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="for cuelens: .keras files to learn from besides (with --teachers 0: instead of) its own teachers",
    )
    parser.add_argument(
        "--begin",
        type=Path,
        metavar="FILE",
        help="for cuelens: train this .keras file of ours further, at a low rate, in place of a fresh network",
    )
    parser.add_argument(
        "--besides",
        type=Path,
        metavar="FILE",
        help="for cuelens and teacher: an .npz of more faces to learn from, never to choose the best epoch on; teachers"
        " are not asked about them (docs/heads.md makes such a file)",
    )
    parser.add_argument(
        "--members", type=Path, nargs="+", default=[], metavar="FILE", help="of an ensemble: .keras files"
    )
    parser.add_argument(
        "--leave-out", type=Path, metavar="FILE", help="the findings.csv of audit-data: faces not to learn from"
    )
    parser.add_argument(
        "--tuned", type=Path, metavar="FILE", help="the best.json of tune-model, for the published recipe it is of"
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="MINUTES",
        help="scale all epochs so that the whole, with --queue each recipe, takes about this long here",
    )
    add_arithmetic(parser)
    parser.add_argument(
        "--strategy",
        choices=("mirrored", "multiworker"),
        help="train on all devices of this machine, or with other machines: the same command on each, with its own"
        " TF_CONFIG and the same, shared, --out (TensorFlow only)",
    )
    return parser


def _check(parser: "ArgumentParser", options: "Namespace") -> None:
    """Exit with a usage error if options contradict each other or are out of range."""
    if options.data is None:
        parser.error("--data is needed to train")
    if options.tuned and (len(options.recipes) > 1 or options.recipes[0] in _OWN):
        parser.error("--tuned is for one published recipe")
    if len(options.recipes) > 1 and not options.queue:
        parser.error("several recipes are trained with --queue, each into DIR/RECIPE")
    if options.budget is not None and options.strategy:
        parser.error("--budget measures one machine: give --epochs with --strategy")
    if not set(_OWN).intersection(options.recipes):
        for name in ("teachers", "teacher_epochs", "pretrained", "taught_by", "begin", "besides"):
            if getattr(options, name) not in (None, []):
                parser.error(f"--{name.replace('_', '-')} is for {' and '.join(_OWN)}")
    if options.begin and (options.recipes != [cuelens.NAME] or options.precision != "float32"):
        parser.error(f"--begin is for {cuelens.NAME} alone, in float32")
    if options.teachers is None:
        options.teachers = _TEACHERS
    _check_ranges(parser, options)


def _check_ranges(parser: "ArgumentParser", options: "Namespace") -> None:
    for name in ("epochs", "teacher_epochs"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    if not 0 <= options.teachers <= 9:
        parser.error("--teachers must be 0 to 9")
    if options.budget is not None and not 0 < options.budget < 100_000:
        parser.error("--budget must be more than 0 minutes")


def _train(options: "Namespace") -> int:
    for recipe in options.recipes:
        if recipe not in _OWN and recipe not in PUBLISHED:
            raise BadInput(f"recipe {recipe!r} is unknown: use one of {', '.join((*_OWN, *PUBLISHED))}")
    if options.data.is_dir() and options.out.resolve().is_relative_to(options.data.resolve()):
        raise BadInput(f"{options.out} lies in the data: choose another --out, so that results are not read as faces")
    # scikit-image brings the pictures of no face, which ours learn from.
    command.need("train", "keras", "rich", *(("skimage",) if set(_OWN).intersection(options.recipes) else ()))
    check_exists(options.data)
    _refuse_overwriting(options)
    try:
        with tensorflow_quiet(gpu=True):
            import keras  # noqa: F401 - missing packages are named before the work begins
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    pretrained = read(options.pretrained) if options.pretrained else None
    data = _faces(options)
    status = 0
    for recipe in options.recipes:
        try:
            if recipe in PUBLISHED:
                _published(options, recipe, data)
            else:
                _own(options, recipe, data, pretrained)
        except CuelensError as error:
            if not options.queue:
                raise
            print(f"train-model: {recipe}: {error}", file=sys.stderr)
            status = max(status, error.exit_status)
    return status


def _refuse_overwriting(options: "Namespace") -> None:
    for recipe in options.recipes:
        out = _out(options, recipe)
        if recipe == cuelens.NAME:
            for name in (f"{recipe}.keras", f"{recipe}-fer7.keras", "best.keras"):
                command.refuse_overwriting(out / name, [options.begin, *options.taught_by])
        elif recipe in PUBLISHED and PUBLISHED[recipe].few:
            check_apart(options.data, out)


def _faces(options: "Namespace") -> "FaceData":
    """Open the data, and print its notes and its size."""
    data = load(options.data, options.classes)
    if options.leave_out:
        data = without(data, read_names(options.leave_out))
    for note in data.notes:
        print(note)
    print(f"{len(data.training)} faces to learn from, {len(data.inner)} to choose the best epoch on")
    return data


def _own(options: "Namespace", recipe: str, data: "FaceData", pretrained: "Pretrained | None") -> None:
    """Train a recipe of ours."""
    more = besides(options.besides, data) if options.besides else None
    if more:
        print(f"{len(more)} faces of {options.besides.name} to learn from besides")
    from cuelens_models.train.distilled import RECIPES, learn, scaled

    recipes = RECIPES | ({cuelens.NAME: cuelens.further(options.begin)} if options.begin else {})
    out = _out(options, recipe)
    team = _joined(options.strategy) if options.strategy else None
    teachers = options.teachers if recipe == cuelens.NAME else 0
    usual = {name: own.epochs for name, own in recipes.items()}
    if pretrained:
        usual[teacher.NAME] = teacher.PRETRAINED_EPOCHS
    schedule = Schedule(
        recipe=recipe,
        epochs=options.epochs or usual[recipe],
        teachers=teachers,
        teacher_epochs=(options.teacher_epochs or usual[teacher.NAME]) if teachers else 0,
        seed=options.seed,
        precision=options.precision,
    )
    if options.budget is not None:
        schedule = scaled(schedule, data, out, options.budget * 60, recipes, len(more) if more else 0)
        before = f", after {schedule.teachers} teachers of {schedule.teacher_epochs}" if schedule.teachers else ""
        print(f"{options.budget:g} minutes here are {schedule.epochs} epochs{before}")
    started = time.monotonic()
    taught_by = options.taught_by if recipe == cuelens.NAME else ()
    with display(sys.stdout, extra="train", stage_line="{}", keep=True) as steps:
        run, curve = learn(data, out, schedule, steps, team, pretrained, taught_by, recipes, more)
    print(f"{time.monotonic() - started:.0f} s; the best of {len(curve)} epochs on the inner split is in")
    for file in sorted(run.path.glob(f"{recipe}*.keras")):
        print(f"  {file}")


def _published(options: "Namespace", name: str, data: "FaceData") -> None:
    """Train a recipe of others."""
    from cuelens_models.train.published import learn_published, scaled_published

    if options.strategy:
        raise BadInput(f"{name} is trained on one machine: leave --strategy out")
    recipe, out = PUBLISHED[name], _out(options, name)
    if options.tuned:
        recipe = tuned(recipe, read_tuned(options.tuned))
    schedule = Schedule(name, options.epochs or recipe.epochs, 0, 0, options.seed, options.precision)
    if options.budget is not None:
        schedule = scaled_published(recipe, schedule, data, out, options.budget * 60)
        print(f"{options.budget:g} minutes here are {schedule.epochs} of its {recipe.epochs} epochs")
    with display(sys.stdout, extra="train", stage_line="{}", keep=True) as steps:
        run, curve = learn_published(data, out, recipe, schedule, steps)
    best = max(point.accuracy[recipe.protocol] for point in curve)
    seconds = sum(point.seconds or 0 for point in curve)
    print(
        f"{seconds:.0f} s; the best of {len(curve)} epochs names {best:.1%} of the inner split rightly,"
        f" published: {recipe.published.summary}; it is in\n  {run.path / name}.keras"
    )


def _ensemble(options: "Namespace") -> int:
    """Join trained networks."""
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.train.checkpoints import write_network
            from cuelens_models.zoo.ensemble import joined
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    command.refuse_overwriting(options.out / f"{_ENSEMBLE}.keras", options.members)
    network, record = joined(options.members)
    make_folder(options.out)
    print(write_network(options.out, network, record))
    return 0


def _out(options: "Namespace", recipe: str) -> Path:
    out: Path = options.out
    return out / recipe if options.queue else out


def _joined(strategy: str) -> "Team":
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BadInput(f"--strategy needs Keras on TensorFlow, not on {keras.backend.backend()}: unset KERAS_BACKEND")
    with tensorflow_quiet(gpu=True):
        from cuelens_models.train.distributed import Team

        return Team(strategy)
