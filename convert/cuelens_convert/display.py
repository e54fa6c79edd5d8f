"""Progress of a conversion on the console."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cuelens_models import command

if TYPE_CHECKING:
    from cuelens_convert.convert import Steps


@contextmanager
def display() -> "Iterator[Steps]":
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
