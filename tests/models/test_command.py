import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models import command
from cuelens_models.errors import BadBundle, CameraLost, CuelensError, EmptyCrop, MissingExtra, Refused, Unwritable
from cuelens_models.version import __version__


def work_that_raises(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


def exit_status(work: Callable[[], int], *, debug: bool = False) -> int:
    with pytest.raises(SystemExit) as exit_:
        command.finish("tool", work, debug=debug)
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize("status", [0, 1, 4])
def test_what_the_work_returns_is_the_exit_status(capsys: pytest.CaptureFixture[str], status: int) -> None:
    assert exit_status(lambda: status) == status
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (BadBundle("no model"), 3, "tool: no model"),
        (EmptyCrop("too small"), 3, "tool: too small"),
        (MissingExtra("no keras"), 3, "tool: no keras"),
        (Unwritable("no room"), 3, "tool: no room"),
        (Refused("worse"), 4, "tool: worse"),
        (CameraLost("gone"), 70, "tool: gone"),
        (CuelensError("odd"), 70, "tool: odd"),
        (BadBundle("two\n  lines\tand tabs"), 3, "tool: two lines and tabs"),
        (ZeroDivisionError("by zero"), 70, "tool: a fault inside: ZeroDivisionError: by zero (--debug shows where)"),
        (KeyError("x"), 70, "tool: a fault inside: KeyError: 'x' (--debug shows where)"),
    ],
)
def test_an_error_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str], error: Exception, status: int, line: str
) -> None:
    assert exit_status(work_that_raises(error)) == status
    assert capsys.readouterr() == ("", line + "\n")


@pytest.mark.parametrize("error", [BadBundle("no model"), ZeroDivisionError("by zero")])
def test_debug_shows_the_traceback_as_well(capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    exit_status(work_that_raises(error), debug=True)
    output = capsys.readouterr().err
    assert output.startswith("Traceback")
    assert "in work" in output
    assert output.splitlines()[-1].startswith("tool: ")


def test_ctrl_c_ends_with_130_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(work_that_raises(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_went_away_is_no_fault(lines: int) -> None:
    code = (
        "from cuelens_models.command import finish\n"
        f"def work():\n  for _ in range({lines}): print('a line')\n  return 0\n"
        "input(); finish('tool', work, debug=False)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(b"go\n")
    process.stdin.close()
    output = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), output) == (141, b"")


def test_the_missing_extra_is_named_with_the_command_that_brings_it() -> None:
    assert str(command.require("keras", "train")) == f"keras is not installed: run `{command.install('train')}`"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"url": "file://PLACE", "dir_info": {"editable": true}}', "pip install -e 'PLACE[train]'"),
        ('{"url": "file://PLACE", "dir_info": {}}', "pip install 'PLACE[train]'"),
        ('{"url": "file://PLACE", "archive_info": {}}', "pip install 'PLACE[train]'"),
        ('{"url": "file:///gone/cuelens.whl", "archive_info": {}}', "pip install 'CHECKOUT_OR_WHEEL[train]'"),
        ('{"url": "https://example.org/cuelens.whl"}', "pip install 'CHECKOUT_OR_WHEEL[train]'"),
        (None, "pip install 'CHECKOUT_OR_WHEEL[train]'"),
    ],
)
def test_an_extra_comes_from_the_place_of_this_installation_never_from_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, expected: str
) -> None:
    place = tmp_path / "a checkout"
    place.mkdir()
    installed = tmp_path / "site" / "cuelens-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: cuelens\nVersion: 0.1.0\n")
    if content:
        (installed / "direct_url.json").write_text(content.replace("PLACE", str(place).replace(" ", "%20")))
    monkeypatch.syspath_prepend(installed.parent)
    assert command.install("train") == f"{sys.executable} -m {expected.replace('PLACE', f'{place}')}"


def test_every_command_knows_its_version_and_says_its_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    parser = command.parser("tool", "Does one thing.", "example:\n  tool it")
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as exit_:
            parser.parse_args([option])
        assert exit_.value.code == 0
    output = capsys.readouterr().out
    assert output.startswith(f"tool (cuelens) {__version__}")
    assert "exit status: 0 done" in output
    assert "\n  tool it" in output
    assert parser.parse_args(["--debug"]).debug


def test_in_the_journal_an_error_has_its_level(tmp_path: Path) -> None:
    code = (
        "import os, sys; from cuelens_models.command import finish; from cuelens_models.errors import BadInput\n"
        "s = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}'\n"
        "def work(): raise BadInput('no file')\n"
        "finish('tool', work, debug=False)"
    )
    with (tmp_path / "journal").open("w") as journal:
        done = subprocess.run([sys.executable, "-c", code], stderr=journal, check=False)
    assert (done.returncode, (tmp_path / "journal").read_text()) == (3, "<3>tool: no file\n")


def test_a_command_without_standard_output_ends_with_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as caught:
        command.finish("cuelens", lambda: 3, debug=False)
    assert caught.value.code == 3


def in_a_shell(code: str, words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the work of a command. code: of it. words: of the shell, behind the command."""
    whole = f"""
import sys
from cuelens_models import command
def work():
    {code}
command.finish("tool", work, debug=False)
"""
    return subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {words}', sys.executable, whole],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
    )


def test_what_must_arrive_whole_is_refused_where_standard_output_is_closed() -> None:
    code = "command.standard_output().write(b'table'); return 0"
    assert in_a_shell(code, "").stdout == b"table"
    done = in_a_shell(code, ">&-")
    assert (done.returncode, done.stderr) == (3, b"tool: standard output is closed: give the name of a file\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_file_never_gets_what_is_printed_to_a_closed_stream(tmp_path: Path, closed: str) -> None:
    file = tmp_path / "file"
    code = (
        f"opened = open({str(file)!r}, 'w'); print('words'); print('words', file=sys.stderr);"
        " opened.write(f'{opened.fileno() > 2} {sys.stdout.isatty()} {sys.stdin.read()}'); return 4"
    )
    done = in_a_shell(code, f"{closed} {'' if '<' in closed else '</dev/null'}")
    assert (done.returncode, file.read_text()) == (4, "True False ")
    assert done.stdout == (b"" if " >&-" in f" {closed}" else b"words\n")


def test_a_name_that_cannot_be_encoded_is_printed_with_escapes() -> None:
    done = in_a_shell("print('caf\\udce9'); return 0", "")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"caf\\udce9\n", b"")
