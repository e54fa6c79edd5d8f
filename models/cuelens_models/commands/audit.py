"""The command `audit-data`: faults in a set of faces, as contact sheets and as a list that train-model reads."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from cuelens_models import command
from cuelens_models.audit.findings import write_csv
from cuelens_models.commands.options import add_arithmetic, add_classes
from cuelens_models.data.load import check_exists, load
from cuelens_models.errors import BadInput
from cuelens_models.progress import display
from cuelens_models.quiet import tensorflow_quiet

_EXAMPLES = """\
what is found, in the part that is learned from:
  label          networks that did not learn from a face believe in another label (cross-validated confidence)
  no face        they take it for none
  repeat         it stands there twice, or in the held-out part too (perceptual hash)
  unlike others  it lies far from the middle of its cluster of features
  dark, bright, flat, blurred
examples:
  audit-data faces/ --out runs/audit                               # the same again goes on where it was stopped
  train-model cuelens --data faces/ --out runs/clean --leave-out runs/audit/findings.csv
Look at the sheets first, and delete the lines of what should stay. They show the faces: keep them where the data is."""


def main() -> None:
    """Audit a set of faces."""
    parser = command_line()
    options = parser.parse_args()
    if not 2 <= options.folds <= 20:
        parser.error("--folds must be 2 to 20")
    if options.epochs < 1:
        parser.error("--epochs must be 1 or more")
    command.finish("audit-data", lambda: _audit(options), debug=options.debug)


def command_line() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = command.parser("audit-data", "Find wrong labels, repeats and pictures of no face.", _EXAMPLES)
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="fer2013.csv, an .npz, or a folder of faces (docs/training.md)"
    )
    add_classes(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where findings and sheets go")
    parser.add_argument(
        "--folds", type=int, default=5, metavar="N", help="networks, each judging one part (%(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="of each network (%(default)s)")
    add_arithmetic(parser)
    return parser


def _audit(options: Namespace) -> int:
    if options.data.is_dir() and options.out.resolve().is_relative_to(options.data.resolve()):
        raise BadInput(f"{options.out} lies in the data: choose another --out, so that results are not read as faces")
    command.need("train", "cleanlab", "keras", "sklearn", "matplotlib", "rich")
    check_exists(options.data)
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.audit.audit import audit
            from cuelens_models.audit.sheet import write_sheets
            from cuelens_models.audit.study import cross_validate, schedule_of
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    data = load(options.data, options.classes)
    schedule = schedule_of(options.epochs, options.seed, options.precision)
    with display(sys.stdout, extra="train", stage_line="{}", keep=True) as steps:
        predictions = cross_validate(data, options.out, options.folds, schedule, steps)
    findings = audit(predictions, data.held_out, options.seed)
    kept = write_csv(options.out / "findings.csv", findings, predictions.faces)
    sheets = write_sheets(options.out, findings, predictions.faces)
    counts = Counter(finding.reason for finding in findings)
    print(
        f"of {len(predictions.faces)} faces: "
        + (", ".join(f"{reason} {count}" for reason, count in counts.items()) or "nothing")
    )
    for path in (options.out / "findings.csv", *sheets):
        print(f"  {path}")
    if kept:
        print(f"  {kept}: the findings.csv that was there before, which may be edited")
    return 0
