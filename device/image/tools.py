"""The tools tree: the programs that build and boot the image, of one release of Debian whatever this machine runs."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from image import namespace
from image.failure import Failure
from image.places import HERE, cache

RELEASE = "trixie"


def packages(name: str) -> list[str]:
    """Return the packages in a list of the folder `packages`."""
    lines = (HERE / "packages" / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def mirror() -> str:
    """Return the Debian mirror: CUELENS_MIRROR, else the one from which this machine's own packages come.

    Raises Failure if neither is known.
    """
    if given := os.environ.get("CUELENS_MIRROR"):
        return given.rstrip("/")
    if shutil.which("apt-get"):
        command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
        for site in found:
            if not site.endswith("-security"):
                return site.rstrip("/")
    raise Failure("no Debian mirror is known: set CUELENS_MIRROR to the address of one")


def tree() -> Path:
    """Return the folder of the tools tree, made or not."""
    key = hashlib.sha256("\n".join([RELEASE, *packages("tools")]).encode()).hexdigest()[:12]
    return cache() / f"tools-{key}"


def make() -> Path:
    """Make the tools tree if it is not there, and return its folder. It takes about a minute and 1.5 GB.

    Raises Failure if mmdebstrap is missing, or fails.
    """
    ready = tree()
    if ready.exists():
        return ready
    if not shutil.which("mmdebstrap"):
        raise Failure("mmdebstrap is missing: run `sudo apt install mmdebstrap uidmap`")
    ready.parent.mkdir(parents=True, exist_ok=True)
    unfinished = ready.with_name(f"{ready.name}.new")
    namespace.run(
        """
        rm -rf "$1"
        mmdebstrap --quiet --mode=root --variant=apt --include="$2" \\
            --aptopt='APT::Install-Recommends "false"' \\
            --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/man/* \\
            --dpkgopt=path-exclude=/usr/share/locale/* "$3" "$1" "deb $4 $3 main" >&2
        """,
        unfinished, ",".join(packages("tools")), RELEASE, mirror(), tools=None,
    )  # fmt: skip
    unfinished.rename(ready)
    return ready
