"""The command `audit-data`: what is wrong in a set of faces, as contact sheets and as a file that training takes."""

import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path

from cuelens_models import command
from cuelens_models.audit.findings import write_csv
from cuelens_models.data.load import load
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
    """Audit."""
    options = command.parser("audit-data", "Find wrong labels, repeats and pictures of no face.", _EXAMPLES)
    options.add_argument("data", type=Path, metavar="DATA", help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="where findings and sheets go")
    options.add_argument(
        "--folds", type=int, default=5, metavar="N", help="networks, each judging one part (%(default)s)"
    )
    options.add_argument("--epochs", type=int, default=10, metavar="N", help="of each network (%(default)s)")
    options.add_argument("--precision", choices=("float32", "bfloat16"), default="float32", help="(%(default)s)")
    options.add_argument("--seed", type=int, default=0, metavar="N")
    given = options.parse_args()
    if not 2 <= given.folds <= 20:
        options.error("--folds must be 2 to 20")
    if given.epochs < 1:
        options.error("--epochs must be 1 or more")
    if not 0 <= given.seed < 2**32 - 10:
        options.error(f"--seed must be 0 to {2**32 - 11}")
    command.finish("audit-data", lambda: _audit(given), debug=given.debug)


def _audit(given: Namespace) -> int:
    if given.data.is_dir() and given.out.resolve().is_relative_to(given.data.resolve()):
        raise BadInput(f"{given.out} lies in the data: choose another --out, so that results are not read as faces")
    data = load(given.data)
    try:
        with tensorflow_quiet(gpu=True):
            from cuelens_models.audit.audit import audit
            from cuelens_models.audit.sheet import write_sheets
            from cuelens_models.audit.study import schedule_of, study
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    schedule = schedule_of(given.epochs, given.seed, given.precision)
    with display(sys.stdout, extra="train", stage_line="{}", keep=True) as steps:
        studied = study(data, given.out, given.folds, schedule, steps)
    found = audit(studied, data.held_out, given.seed)
    write_csv(given.out / "findings.csv", found, studied.faces)
    sheets = write_sheets(given.out, found, studied.faces)
    counts = Counter(finding.reason for finding in found)
    print(
        f"of {len(studied.faces)} faces: "
        + (", ".join(f"{reason} {count}" for reason, count in counts.items()) or "nothing")
    )
    for path in (given.out / "findings.csv", *sheets):
        print(f"  {path}")
    return 0
