"""The command `convert-model`."""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens_models import command
from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Contract
from cuelens_models.data.load import load
from cuelens_models.errors import Refused, Unwritable
from cuelens_models.quiet import tensorflow_quiet
from cuelens_models.whole_file import write_whole

if TYPE_CHECKING:
    from cuelens_convert.convert import Steps

_EXAMPLES = """\
example:
  convert-model runs/mine/cuelens.keras --data fer2013.csv -o mine.tflite
  cuelens run --bundle mine.tflite --source v4l2:0"""


def main() -> None:
    """Convert a network."""
    options = command.parser(
        "convert-model",
        "Turn a trained Keras network into an int8 bundle for the glasses, or refuse if it got worse.",
        _EXAMPLES,
    )
    options.add_argument("model", type=Path, metavar="MODEL", help="a .keras file that train-model wrote")
    options.add_argument("--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.tflite", help="the bundle to write")
    options.add_argument(
        "--max-drop", type=float, default=0.5, metavar="POINTS", help="accuracy that may be lost (%(default)s points)"
    )
    options.add_argument(
        "--max-class-drop",
        type=float,
        default=3.0,
        metavar="POINTS",
        help="recall that one class may lose (%(default)s points)",
    )
    options.add_argument(
        "--expect", type=Path, metavar="BUNDLE", help="refuse unless the content digest is that of this bundle"
    )
    given = options.parse_args()
    if math.isnan(given.max_drop) or math.isnan(given.max_class_drop):
        options.error("--max-drop and --max-class-drop are numbers")
    command.finish(
        "convert-model",
        lambda: _convert(given.model, given.data, given.output, given.max_drop, given.max_class_drop, given.expect),
        debug=given.debug,
    )


def _convert(
    model: Path, data_path: Path, output: Path, max_drop: float, max_class_drop: float, expected: Path | None
) -> int:
    if not output.parent.is_dir():
        raise Unwritable(f"{output} cannot be written: there is no folder {output.parent}")
    command.refuse_overwriting(output, [model, data_path, expected])
    digest = file.load(expected).contract.content_digest if expected else None
    data = load(data_path)
    try:
        with tensorflow_quiet():
            from cuelens_convert.convert import convert
            from cuelens_convert.source import open_source
    except ImportError as error:
        raise command.require(error.name or "tensorflow", "convert") from error
    source = open_source(model)
    for note in data.notes:
        print(note)
    shape = "x".join(str(side) for side in source.network.inputs[0].shape[1:])
    print(f"{model}: input {shape}, {len(source.record.labels)} labels ({' '.join(source.record.labels)}), logits out")
    with _display() as steps:
        bundle, contract = convert(source, data, max_drop, max_class_drop, steps)
    if digest not in (None, contract.content_digest):
        raise Refused(f"the content digest is {contract.content_digest}, {expected} has {digest}: nothing was written")
    write_whole(output, bundle)
    print("\n".join(_report(output, bundle, contract)))
    return 0


def _report(output: Path, bundle: bytes, contract: Contract) -> list[str]:
    parity, scored = contract.parity, contract.metrics
    return [
        f"{scored.protocol}, {parity.images} images",
        f"  accuracy: float {parity.float_accuracy:.2%}, int8 {parity.converted_accuracy:.2%}",
        f"  agreement {parity.agreement:.2%}",
        f"  macro-F1 {scored.macro_f1:.3f}   ECE {scored.ece:.3f} at temperature {contract.probabilities.temperature}",
        f"  worst class loses {100 * parity.worst_class_drop:.2f} points of recall",
        f"content digest {contract.content_digest}",
        f"{output}: {len(bundle) / 1024:.0f} KiB",
    ]


@contextmanager
def _display() -> "Iterator[Steps]":
    """A progress bar on a terminal; one line a stage elsewhere."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError as error:
        raise command.require("rich", "convert") from error
    from cuelens_convert.convert import Steps

    # On a descriptor of its own: the bar goes on while TensorFlow's output is hidden.
    with (
        os.fdopen(os.dup(1), "w") as terminal,
        Progress(console=Console(file=terminal), disable=not sys.stdout.isatty(), transient=True) as bar,
    ):
        task = bar.add_task("starting", total=None)

        def stage(name: str, count: int) -> None:
            if bar.disable:
                print(f"{name} ...", flush=True)
            bar.reset(task, description=name, total=count or None)

        yield Steps(stage, lambda: bar.advance(task))
