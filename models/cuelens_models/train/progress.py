"""What a training shows while it goes on: a progress bar on a terminal, a line for each epoch elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cuelens_models import command

if TYPE_CHECKING:
    from cuelens_models.bundle.training_record import CurvePoint
    from cuelens_models.train.distilled import Say, Stage
    from cuelens_models.train.fit import Progress


@contextmanager
def display() -> "Iterator[Say]":
    """Yield what is told how a training goes. Raises MissingExtra without rich."""
    try:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar
    except ImportError as error:
        raise command.require("rich", "train") from error
    from cuelens_models.train.distilled import Stage
    from cuelens_models.train.fit import Progress

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("starting", total=None)
        stage = Stage("", 0)

        def say(news: "Stage | Progress | CurvePoint") -> None:
            nonlocal stage
            if isinstance(news, Stage):
                stage = news
                bar.console.print(news.name)
                bar.reset(task, description=news.name, total=news.steps or None)
            elif isinstance(news, Progress):
                loss = "" if news.loss is None else f" loss {news.loss:.3f}"
                bar.update(task, completed=news.done, description=f"{stage.name}{loss}")
            else:
                scores = ", ".join(f"{protocol} {value:.1%}" for protocol, value in news.accuracy.items())
                bar.console.print(f"  epoch {news.number:3d}  loss {news.loss:.3f}  inner split: {scores}")

        yield say
