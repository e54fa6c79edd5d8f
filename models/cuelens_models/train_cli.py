"""The command `train-model`: a recipe and data in, a `.keras` file out."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens_models import command
from cuelens_models.data.load import load
from cuelens_models.errors import BadInput
from cuelens_models.quiet import tensorflow_quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from cuelens_models.train import Epoch, Progress

RECIPES = ("cuelens",)
_EXAMPLES = """\
examples:
  train-model cuelens --data fer2013.csv --out runs/mine
  train-model cuelens --data faces/ --out runs/mine        # the same again goes on where it was stopped
then:
  convert-model runs/mine/cuelens.keras --data faces/ -o mine.tflite"""


def main() -> None:
    """Train a recipe."""
    options = command.parser("train-model", "Train a face-expression network of the zoo.", _EXAMPLES)
    options.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    options.add_argument("--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="where checkpoints and the result go")
    options.add_argument(
        "--epochs", type=int, default=60, metavar="N", help="passes over the data (60: about 25 minutes on two cores)"
    )
    options.add_argument("--seed", type=int, default=0, metavar="N")
    given = options.parse_args()
    if given.epochs < 1:
        options.error("--epochs must be 1 or more")
    if not 0 <= given.seed < 2**32:
        options.error("--seed must be 0 to 4294967295")
    command.finish(
        "train-model", lambda: _train(given.recipe, given.data, given.out, given.epochs, given.seed), debug=given.debug
    )


def _train(recipe: str, data_path: Path, out: Path, epochs: int, seed: int) -> int:
    if recipe not in RECIPES:
        raise BadInput(f"recipe {recipe!r} is unknown: use one of {', '.join(RECIPES)}")
    data = load(data_path)
    for note in data.notes:
        print(note)
    print(f"{len(data.training)} faces to learn from, {len(data.inner)} to choose the best epoch on")
    try:
        with tensorflow_quiet():
            from cuelens_models.train import train
    except ImportError as error:
        raise command.require(error.name or "keras", "train") from error
    started = time.monotonic()
    with _display(epochs) as say:
        best, curve = train(data, out, epochs, seed, say)
    top = max(curve, key=lambda epoch: epoch.inner_accuracy)
    seconds = time.monotonic() - started
    print(f"{best}: {top.inner_accuracy:.1%} on the inner split (epoch {top.number} of {epochs}), {seconds:.0f} s")
    return 0


@contextmanager
def _display(epochs: int) -> "Iterator[Callable[[Progress | Epoch], None]]":
    """A progress bar on a terminal; one line an epoch elsewhere."""
    try:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError as error:
        raise command.require("rich", "train") from error
    from cuelens_models.train import Epoch

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("starting", total=epochs)

        def say(news: "Progress | Epoch") -> None:
            if isinstance(news, Epoch):
                bar.console.print(
                    f"epoch {news.number:3d}  loss {news.loss:.3f}  inner accuracy {news.inner_accuracy:.1%}"
                )
                bar.update(task, completed=news.number)
            else:
                done = news.epoch - 1 + news.step / news.steps
                bar.update(task, completed=done, description=f"epoch {news.epoch}/{epochs} loss {news.loss:.3f}")

        yield say
