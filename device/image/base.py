"""The base layer: the system of the glasses as one tar, from the locked packages and nothing else.

Its programs are configured under emulation, which takes five minutes and more. So the tar is kept, by the hash of what
it is made from.
"""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from image import archive, namespace, tools
from image.places import cache

_RECIPE: Final = """
    work="$1" pool="$2" names="$3"; shift 3
    rm -rf "$work" && mkdir -p "$work/repo"
    for file in "$@"; do ln "$pool/$file" "$work/repo/$file" 2>/dev/null || cp "$pool/$file" "$work/repo/$file"; done
    cd "$work/repo"
    apt-ftparchive packages . > Packages
    cd /
    mmdebstrap --mode=root --variant=essential --architectures=arm64 --skip=check/qemu \\
        --include="$names" \\
        --aptopt='APT::Install-Recommends "false"' \\
        --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-include=/usr/share/doc/*/copyright \\
        --dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/info/* \\
        --dpkgopt=path-exclude=/usr/share/locale/* --dpkgopt=path-exclude=/usr/share/lintian/* \\
        --dpkgopt=path-exclude=/usr/share/bug/* \\
        "" "$work/base.tar" "deb [trusted=yes] copy:$work/repo ./" >&2
    rm -rf "$work/repo"
"""


def tar() -> Path:
    """Return the file of the base layer, made or not."""
    inputs = [*map(repr, archive.locked("base")), *tools.packages("base"), _RECIPE, str(archive.DATE)]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:12]
    return cache() / f"base-{key}.tar"


def make() -> Path:
    """Make the base layer if it is not there, and return its file. Raises Failure if that fails."""
    ready = tar()
    if ready.exists():
        return ready
    packages = archive.locked("base")
    files = archive.fetch(packages)
    log = ready.with_suffix(".log")
    log.unlink(missing_ok=True)
    print(f"making the base layer, five minutes or more; {log} says how far it is", flush=True)
    began = time.monotonic()
    work = cache() / "base.new"
    names = ",".join(tools.packages("base"))
    arguments: Sequence[str | Path] = [work, files[0].parent, names, *(file.name for file in files)]
    variables = {"SOURCE_DATE_EPOCH": str(archive.DATE)}
    namespace.run(_RECIPE, *arguments, tools=tools.make(), binds=[cache()], environment=variables, log=log)
    (work / "base.tar").rename(ready)
    print(f"  {(time.monotonic() - began) / 60:.0f} minutes")
    return ready
