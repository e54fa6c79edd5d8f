"""Everything that a release needs: a line for each, with a tick or with what is missing.

    make release-check                                                # everything: half an hour, most of it tests
    .venv/bin/python tools/release.py --only tree version tag         # some of it

It publishes nothing and makes no tag. What it makes lies in build/release: wheel, source distribution, bill of
materials and checksums. Where nothing is missing, it says how to go on.

exit status: 0 nothing is missing; 1 something is; 2 usage
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import distribution
from distribution import ROOT, Made

_VERSION: Final = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_SEMANTIC: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)((a|b|rc)\d+)?")
"""Of https://semver.org, with pre-releases as pip reads them."""
_HEADING: Final = re.compile(r"^## \[(.+?)\](?: - (\S+))?$", re.MULTILINE)


def version() -> str:
    """Return the version of the tree."""
    found = _VERSION.search((ROOT / "models" / "cuelens_models" / "version.py").read_text())
    return found[1] if found else "none"


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else [done.stderr.strip()]


def tree(_: Made) -> Iterator[str]:
    """Everything is committed."""
    for line in _git("status", "--porcelain"):
        yield f"not committed: {line}"


def numbered(_: Made) -> Iterator[str]:
    """The version is a semantic one, and CHANGELOG.md has it, with its day, above all others."""
    ours = version()
    if not _SEMANTIC.fullmatch(ours):
        yield f"version.py says {ours}: a version is such as 1.2.3, or 1.2.3rc1"
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = list(_HEADING.finditer(text))
    names = [heading[1] for heading in headings]
    if names[:1] != ["Unreleased"]:
        yield "CHANGELOG.md does not begin with [Unreleased]"
        return
    if names[1:2] != [ours]:
        yield f"version.py says {ours}, and CHANGELOG.md {'none' if len(names) < 2 else names[1]}"
        return
    if text[headings[0].end() : headings[1].start()].strip():
        yield f"CHANGELOG.md has something under [Unreleased]: it belongs to {ours}, or to a later version"
    yield from _wrong_day(headings[1][2])


def _wrong_day(day: str | None) -> Iterator[str]:
    try:
        if date.fromisoformat(day or "") > datetime.now(UTC).date():
            yield f"CHANGELOG.md: {day} is yet to come"
    except ValueError:
        yield f"CHANGELOG.md: {day} is no day such as 2026-11-29"


def tag(_: Made) -> Iterator[str]:
    """Nobody has released this version before."""
    if taken := _git("tag", "--list", f"v{version()}"):
        yield f"the tag {taken[0]} is there already: raise the version"


def _make(target: str) -> Iterator[str]:
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        yield f"make {target} failed: {' | '.join(said[-3:])}"


def check(_: Made) -> Iterator[str]:
    """Lint and types: `make check`."""
    yield from _make("check")


def tests(_: Made) -> Iterator[str]:
    """All tests: `make test`."""
    yield from _make("test")


CHECKS: Final[dict[str, Callable[[Made], Iterator[str]]]] = {
    "tree": tree,
    "version": numbered,
    "tag": tag,
    "check": check,
    "tests": tests,
    "build": distribution.build,
    "contents": distribution.contents,
    "size": distribution.size,
    "metadata": distribution.metadata,
    "install": distribution.install,
    "bill": distribution.bill,
    "licences": distribution.licences,
    "checksums": distribution.checksums,
}
_NEXT: Final = """
nothing is missing. To release it:
  git tag --annotate v{version} --message 'cuelens {version}'
  git push origin v{version}
and attach what is in {folder}."""


def main() -> int:
    """Run the checks, and print a line for each. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CHECKS, metavar="NAME", help=", ".join(CHECKS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "release", metavar="DIR", help="(build/release)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    made = Made(options.out.resolve())
    print(f"cuelens {version()}")
    lacking = 0
    for name, look in CHECKS.items():
        if options.only and name not in options.only:
            continue
        began = time.monotonic()
        try:
            missing = list(look(made))
        except (OSError, subprocess.CalledProcessError) as error:
            missing = [str(error)]
        lacking += len(missing)
        about = (look.__doc__ or "").splitlines()[0]
        print(f"{'✗' if missing else '✓'} {name:9} {about} ({time.monotonic() - began:.0f} s)", flush=True)
        for line in missing:
            print(f"    {line}", flush=True)
    if lacking:
        return 1
    if not options.only:
        print(_NEXT.format(version=version(), folder=made.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
