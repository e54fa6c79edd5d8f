"""A progress bar for a command whose standard output is its result."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cuelens_models.evaluate.evaluate import Steps


@contextmanager
def display() -> Iterator[Steps]:
    """Show a bar on standard error if that is a terminal and rich is there; nothing otherwise."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield Steps()
        return
    if sys.stderr is None or not sys.stderr.isatty():
        yield Steps()
        return
    # On a descriptor of its own: the bar goes on while TensorFlow's output is hidden.
    with (
        os.fdopen(os.dup(2), "w") as terminal,
        Progress(console=Console(file=terminal), transient=True) as bar,
    ):
        task = bar.add_task("starting", total=None)
        yield Steps(
            lambda name, count: bar.reset(task, description=name, total=count or None),
            lambda count: bar.advance(task, count),
        )
