"""`python -m cuelens.page`: serves the caregiver's page beside running glasses."""

import argparse
import sys
from pathlib import Path

from cuelens.link import address
from cuelens_models.command import require
from cuelens_models.errors import CuelensError


def main() -> int:
    """Read the options, and serve. Returns the exit status."""
    try:
        from cuelens.page.serve import IDLE_MINUTES, PORT, serve
    except ImportError as error:
        return _refused(require(error.name or "starlette", "web"))
    parser = argparse.ArgumentParser(prog="python -m cuelens.page", description=__doc__)
    parser.add_argument("--host", default="localhost", help="address of one interface (default: localhost)")
    parser.add_argument("--port", type=int, default=PORT, help="(default: %(default)s)")
    parser.add_argument("--link", type=Path, action="append", metavar="SOCKET", help="of the glasses")
    parser.add_argument("--idle-minutes", type=float, default=IDLE_MINUTES, help="(default: %(default)s)")
    parser.add_argument("--print-code", action="store_true", help="print the pairing code too")
    options = parser.parse_args()
    paths = options.link or address.known(Path.home() / ".local" / "state" / "cuelens")
    shown = (lambda code: print(f"pairing code: {code}", flush=True)) if options.print_code else (lambda _code: None)
    try:
        return serve(options.host, options.port, paths, idle_minutes=options.idle_minutes, show_code=shown)
    except CuelensError as error:
        return _refused(error)


def _refused(error: CuelensError) -> int:
    print(f"cuelens: {error}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
