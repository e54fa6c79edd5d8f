"""How far the work of a command is: a progress bar on a terminal, lines of text elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

from cuelens_models import command

if TYPE_CHECKING:
    from rich.progress import Progress


class Steps(Protocol):
    """What long work reports to: it comes in stages, and a stage in steps (epochs, faces, batches)."""

    def stage(self, name: str, count: int = 0) -> None:
        """Begin a stage of this many steps; 0 if the number is not known."""

    def advance(self, count: float = 1, note: str = "") -> None:
        """Count steps of the stage as done, parts of a step too. note: shown beside the stage's name."""

    def line(self, text: str) -> None:
        """Print a line that stays, for example the result of an epoch."""


class Recorder:
    """Steps that nobody is shown, only recorded."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.advances: list[float] = []
        self.lines: list[str] = []

    def stage(self, name: str, count: int = 0) -> None:
        """Record a stage."""
        self.stages.append((name, count))

    def advance(self, count: float = 1, note: str = "") -> None:
        """Record how many steps were counted."""
        self.advances.append(count)

    def line(self, text: str) -> None:
        """Append a line of progress to `lines`."""
        self.lines.append(text)


@contextmanager
def display(stream: TextIO | None, *, extra: str = "", stage_line: str = "", keep: bool = False) -> Iterator[Steps]:
    """Yield steps that are shown on a stream.

    Raises MissingExtra if rich is not installed, unless `extra` is empty: then nothing is shown without it.

    Args:
        stream: standard output, or standard error where standard output is the result. None: shows nothing.
        extra: the extra of the package that brings rich.
        stage_line: the line for each stage where there is no terminal, "{}" standing for its name. Empty: no line.
        keep: also prints the stage lines on a terminal, and leaves the finished bar there.
    """
    try:
        from rich.console import Console
        from rich.progress import Progress, TimeElapsedColumn
    except ImportError as error:
        if extra:
            raise command.require("rich", extra) from error
        stream = None
    if stream is None:
        yield Recorder()
        return
    if not stream.isatty():
        yield _Lines(stream, stage_line)
        return
    # On a descriptor of its own: the bar goes on while TensorFlow's output is hidden.
    with (
        os.fdopen(os.dup(stream.fileno()), "w") as terminal,
        Progress(
            *Progress.get_default_columns(), TimeElapsedColumn(), console=Console(file=terminal), transient=not keep
        ) as bar,
    ):
        yield _Bar(bar, stage_line if keep else "")


class _Lines:
    """Steps as lines of text."""

    def __init__(self, stream: TextIO, stage_line: str) -> None:
        self._stream, self._stage_line = stream, stage_line

    def stage(self, name: str, count: int = 0) -> None:
        if self._stage_line:
            self.line(self._stage_line.format(name))

    def advance(self, count: float = 1, note: str = "") -> None:
        pass

    def line(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


class _Bar:
    """Steps as a progress bar, with lines above it."""

    def __init__(self, bar: "Progress", stage_line: str) -> None:
        self._bar, self._stage_line = bar, stage_line
        self._task = bar.add_task("starting", total=None)
        self._stage = ""

    def stage(self, name: str, count: int = 0) -> None:
        if self._stage_line:
            self.line(self._stage_line.format(name))
        self._stage = name
        self._bar.reset(self._task, description=name, total=count or None)

    def advance(self, count: float = 1, note: str = "") -> None:
        self._bar.update(self._task, advance=count, description=f"{self._stage} {note}".rstrip())

    def line(self, text: str) -> None:
        self._bar.console.print(text)
