"""How every command of cuelens ends: one sentence for the user, one documented exit status for the caller."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn, TextIO

from cuelens_models.errors import BadInput, CuelensError, MissingExtra, Unwritable
from cuelens_models.version import __version__

EXIT_STATUSES = """\
exit status: 0 done; 1 a check failed; 2 usage; 3 bad input, a missing package or device, an unwritable output;
4 the result was refused by a gate; 70 a fault inside; 130 after Ctrl-C"""


def parser(name: str, summary: str, examples: str = "") -> argparse.ArgumentParser:
    """Return an argument parser with what every command has: --version, --debug, examples, exit statuses."""
    made = argparse.ArgumentParser(
        prog=name,
        description=summary,
        epilog=f"{examples}\n\n{EXIT_STATUSES}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"{name} (cuelens) {__version__}")
    made.add_argument("--debug", action="store_true", help="show a traceback when something goes wrong")
    return made


def require(package: str, extra: str) -> MissingExtra:
    """Return the error for a package that is not installed, naming the extra that brings it."""
    return MissingExtra(f"{package} is not installed: run `pip install 'cuelens[{extra}]'`")


def finish(name: str, work: Callable[[], int], *, debug: bool) -> NoReturn:
    """Run `work` and leave the process with its exit status, or with the status of what it raised.

    An error prints as one line on standard error. A traceback is shown only with `debug`.
    """
    try:
        status = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nobody is left to tell.
        _forget_output()
        status = 128 + signal.SIGPIPE
    except CuelensError as error:
        _explain(name, str(error), debug=debug)
        status = error.exit_status
    except OSError as error:
        # A full disk under our output, a folder that may not be entered: the world's fault, not ours.
        _explain(name, f"{error.filename or 'output'}: {error.strerror or error}", debug=debug)
        status = Unwritable.exit_status
        _forget_output()
    except Exception as error:
        _explain(name, f"a fault inside: {type(error).__name__}: {error} (--debug shows where)", debug=debug)
        status = CuelensError.exit_status
    sys.exit(status)


def refuse_overwriting(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise BadInput if writing `output` would replace one of the inputs, or a file in an input folder."""
    if not output.exists():
        return
    for given in inputs:
        if given is None or not given.exists():
            continue
        if output.samefile(given):
            raise BadInput(f"{output} would overwrite {given}: choose another file")
        if given.is_dir() and output.parent.samefile(given):
            raise BadInput(f"{output} would overwrite a file of {given}: choose another folder")


def _forget_output() -> None:
    """Drop what could not be printed, so that it is not tried again, and complained about, at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def journal_level(output: TextIO, level: int) -> str:
    """Return what a line begins with so that systemd's journal knows its level; nothing if `output` is no journal.

    level: as syslog(3) numbers them: 3 is an error, 4 a warning, 6 information. systemd.exec(5) says how a program
    knows the journal: JOURNAL_STREAM names the device and inode of the stream.
    """
    try:
        stream = os.fstat(output.fileno())
    except (OSError, ValueError):
        return ""
    return f"<{level}>" if os.environ.get("JOURNAL_STREAM") == f"{stream.st_dev}:{stream.st_ino}" else ""


def _explain(name: str, sentence: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"{journal_level(sys.stderr, 3)}{name}: {' '.join(sentence.split())}", file=sys.stderr)
