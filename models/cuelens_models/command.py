"""How every command of cuelens ends: one sentence for the user, one documented exit status for the caller."""

import argparse
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from cuelens_models.errors import CuelensError, MissingExtra
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
        sys.stderr.close()
        status = 128 + signal.SIGPIPE
    except CuelensError as error:
        _explain(name, str(error), debug=debug)
        status = error.exit_status
    except Exception as error:
        _explain(name, f"a fault inside: {type(error).__name__}: {error} (--debug shows where)", debug=debug)
        status = CuelensError.exit_status
    sys.exit(status)


def _explain(name: str, sentence: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"{name}: {' '.join(sentence.split())}", file=sys.stderr)
