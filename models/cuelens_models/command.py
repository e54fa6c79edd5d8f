"""The shared frame of all commands: arguments, exit status, and one sentence for each error."""

import argparse
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn, TextIO

from cuelens_models.errors import BadInput, CuelensError, MissingExtra, Unwritable
from cuelens_models.version import __version__

EXIT_STATUSES = """\
exit status: 0 done; 1 a check failed; 2 usage; 3 bad input, a missing package or device, an unwritable output;
4 the result was refused by a gate; 70 a fault inside; 130 after Ctrl-C"""

_NAMES: Final = {"skimage": "scikit-image", "sklearn": "scikit-learn"}
"""Names under which packages are installed, by those under which they are imported, where these are other words."""


def parser(name: str, summary: str, examples: str = "") -> argparse.ArgumentParser:
    """Return an argument parser with the options of every command: --version and --debug.

    Args:
        name: of the command.
        summary: first paragraph of --help.
        examples: shown at the end of --help, before the exit statuses.
    """
    options = argparse.ArgumentParser(
        prog=name,
        description=summary,
        epilog=f"{examples}\n\n{EXIT_STATUSES}".strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--version", action="version", version=f"{name} (cuelens) {__version__}")
    options.add_argument("--debug", action="store_true", help="show a traceback when something goes wrong")
    return options


def require(package: str, extra: str) -> MissingExtra:
    """Return the error for a package that is not installed, naming the extra that brings it. package: as imported."""
    name = _NAMES.get(package, package.replace("_", "-"))
    return MissingExtra(f"{name} is not installed: run `{install(extra)}`")


def need(extra: str, *packages: str) -> None:
    """Raise MissingExtra for the first package that is not installed. For the start of a command: data take minutes.

    Nothing is imported, so that it takes no time.

    Args:
        extra: brings them.
        packages: as they are imported.
    """
    for package in packages:
        try:
            missing = find_spec(package) is None
        except ValueError:  # None stands in sys.modules
            missing = True
        if missing:
            raise require(package, extra)


def install(extra: str) -> str:
    """Return the command that installs an extra from the checkout or the wheel that this installation came from.

    It never names the distribution alone: no index has one of this name, and whoever registered it would be installed.
    It names this very interpreter: a bare pip would be that of the system while no environment is activated.
    """
    # Imported here: every start of the glasses would pay for them.
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from shlex import quote
    from urllib.parse import unquote, urlsplit

    try:
        content = distribution("cuelens").read_text("direct_url.json") or "{}"
    except PackageNotFoundError:
        content = "{}"
    pip = f"{quote(sys.executable)} -m pip"
    source = json.loads(content)
    path = Path(unquote(urlsplit(source.get("url", "")).path))
    if not path.is_absolute() or not path.exists():
        return f"{pip} install 'CHECKOUT_OR_WHEEL[{extra}]'"
    editable = "-e " if source.get("dir_info", {}).get("editable") else ""
    return f"{pip} install {editable}{quote(f'{path}[{extra}]')}"


def finish(name: str, work: Callable[[], int], *, debug: bool) -> NoReturn:
    """Run `work` and exit with the status that it returns, or with that of the error that it raises.

    Args:
        name: of the command, printed before the error.
        work: returns an exit status.
        debug: show a traceback too. Without it an error is one line on standard error.
    """
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # Names of files may have bytes that are no UTF-8. Standard error escapes them by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = work()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:
        # The reader of standard output is gone (`| head`), so there is nobody to print an error for.
        _discard_output()
        status = 128 + signal.SIGPIPE
    except CuelensError as error:
        _explain(name, str(error), debug=debug)
        status = error.exit_status
    except ImportError as error:
        # A package that every installation has: what misses an extra is told above.
        _explain(name, f"{error}: install cuelens again", debug=debug)
        status = MissingExtra.exit_status
    except OSError as error:
        # A full disk or a forbidden folder is no fault inside.
        _explain(name, f"{error.filename or 'output'}: {error.strerror or error}", debug=debug)
        status = Unwritable.exit_status
        _discard_output()
    except Exception as error:
        _explain(name, f"a fault inside: {type(error).__name__}: {error} (--debug shows where)", debug=debug)
        status = CuelensError.exit_status
    sys.exit(status)


def standard_output() -> BinaryIO:
    """Return standard output, for what must arrive whole. Raises Unwritable if it was closed before the start."""
    if sys.__stdout__ is None:
        raise Unwritable("standard output is closed: give the name of a file")
    return sys.stdout.buffer


def to_json(report: Any) -> str:
    """Return a report as every command prints it with --json: indented by two, keys in their order."""
    # Imported here: without it a command still says what is missing.
    import msgspec

    return msgspec.json.format(msgspec.json.encode(report).decode())


def refuse_overwriting(output: Path, inputs: Iterable[Path | None]) -> None:
    """Raise BadInput if writing `output` would overwrite one of the inputs, or a file in a folder of inputs."""
    if not output.exists():
        return
    for source in inputs:
        if source is None or not source.exists():
            continue
        if output.samefile(source):
            raise BadInput(f"{output} would overwrite {source}: choose another file")
        if source.is_dir() and output.resolve().is_relative_to(source.resolve()):
            raise BadInput(f"{output} would overwrite a file of {source}: choose another folder")


def _open_closed_streams() -> None:
    """Open each standard stream that was closed before the start (`>&-`) to nowhere. Python has None in its place.

    Otherwise the next file that is opened gets the number of the stream, and what is printed by number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # It gets the lowest number that is free.
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _discard_output() -> None:
    """Send unprinted output to nowhere. Without this Python tries again at exit, and complains."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def journal_level(output: TextIO, level: int) -> str:
    """Return the prefix that gives a line its level in systemd's journal; empty if `output` is no journal.

    level: of syslog(3): 3 is an error, 4 a warning, 6 information. A program recognises the journal by JOURNAL_STREAM,
    the device and inode of the stream (systemd.exec(5)).
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
