import contextlib
import io
import os
import pty
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from cuelens_models.errors import MissingExtra
from cuelens_models.progress import Recorder, Steps, display


def work(steps: Steps) -> None:
    steps.stage("learning", 2)
    steps.advance(0.5, "loss 1.000")
    steps.advance(0.5)
    steps.line("one epoch")
    steps.stage("writing")


@pytest.mark.parametrize(
    ("stage_line", "expected"),
    [
        ("", "one epoch\n"),
        ("{}", "learning\none epoch\nwriting\n"),
        ("{} ...", "learning ...\none epoch\nwriting ...\n"),
    ],
)
def test_lines_stand_where_there_is_no_terminal(stage_line: str, expected: str) -> None:
    pytest.importorskip("rich", reason="a bar needs the extra train")
    stream = io.StringIO()
    with display(stream, extra="train", stage_line=stage_line) as steps:
        work(steps)
    assert stream.getvalue() == expected


def everything(descriptor: int) -> str:
    content = b""
    # Linux ends a terminal that nobody writes to any more with an error.
    with contextlib.suppress(OSError):
        while part := os.read(descriptor, 1 << 16):
            content += part
    os.close(descriptor)
    return content.decode()


@pytest.mark.parametrize("keep", [True, False])
def test_a_terminal_shows_a_bar_and_keeps_stage_lines_if_they_are_to_stay(keep: bool) -> None:
    pytest.importorskip("rich", reason="a bar needs the extra train")
    ours, theirs = pty.openpty()
    with ThreadPoolExecutor() as reader:
        output = reader.submit(everything, ours)
        with os.fdopen(theirs, "w") as terminal, display(terminal, extra="train", stage_line="{}", keep=keep) as steps:
            work(steps)
        shown = output.result()
    assert "━" in shown
    assert "one epoch\r\n" in shown
    assert ("learning\r\n" in shown) is keep


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_nothing_is_shown_without_a_stream_or_without_rich(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with display(stream, stage_line="{}") as steps:
        work(steps)
    assert stream is None or stream.getvalue() == ""


def test_a_missing_rich_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(MissingExtra, match=r"\[train\]"), display(io.StringIO(), extra="train"):
        pass


def test_steps_that_nobody_is_shown_are_recorded() -> None:
    steps = Recorder()
    work(steps)
    assert steps.stages == [("learning", 2), ("writing", 0)]
    assert (steps.advances, steps.lines) == ([0.5, 0.5], ["one epoch"])
