"""Packages of Debian for the glasses: which versions, by a lock file, and fetching just those."""

import hashlib
import os
import shutil
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import unquote

from image import closure, namespace, tools
from image.failure import Failure
from image.places import HERE, cache
from image.python_packages import PYTHON

DATE: Final = 1795737600
"""The time of every file in the image, in seconds of the epoch: 2026-11-27."""
ESSENTIAL: Final = "?and(?essential,?not(?exact-name(apt)))"
_NEWER: Final = f"{tools.RELEASE}-backports"
"""Later than the release: libcamera for newer boards, and the kernel that knows them."""
_ALONE: Final = {"headers": f"libpython{PYTHON}-dev", "initramfs": "busybox-static"}
"""Layers of one package, without what it asks for."""
_OPTIONS: Final = """
    options="-qq -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$apt/lists
        -o Dir::State::status=$apt/status -o Dir::Cache=$apt -o APT::Architecture=arm64 -o APT::Architectures=arm64
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root
        -o Acquire::Languages=none -o Acquire::ForceHash=SHA256"
"""
_UPDATE: Final = f"""
    apt="$1" lines="$2"; shift 2
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    : > "$apt/status"
    printf '%s\\n' "$lines" > "$apt/sources.list"
    {_OPTIONS}
    apt-get $options update >&2
"""
_APT: Final = f"""
    {_UPDATE}
    release="$1"; shift
    apt-get $options --print-uris --target-release "$release" install "$@"
"""
_EXACTLY: Final = f"""
    {_UPDATE}
    apt-get $options --print-uris download "$@"
"""
_SHOW: Final = f"""
    apt="$1"; shift
    {_OPTIONS}
    apt-cache $options show "$@"
"""


@dataclass(frozen=True, order=True)
class Package:
    """One package of the lock: where it belongs to, what it is, and the SHA-256 of its file."""

    layer: str
    name: str
    version: str
    architecture: str
    sha256: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.architecture}.deb"


def lock_file(layer: str) -> Path:
    """Return the file that names the packages of a layer. What boards have of their own has a file of its own."""
    return HERE / ("packages-board.lock" if layer == "board" else "packages.lock")


def locked(layer: str) -> list[Package]:
    """Return the packages of a layer, by name. Raises Failure if they were never locked."""
    file = lock_file(layer)
    if not file.exists():
        raise Failure(f"{file.name} is missing: run `make image-lock FLAVOUR={layer}`")
    every = [Package(*line.split()) for line in file.read_text().splitlines() if not line.startswith("#")]
    return [package for package in every if package.layer == layer]


def resolve(flavour: str) -> dict[Package, str]:
    """Return the packages of a flavour's layers as the archives have them now, with the address of each.

    A board's layer stands on the base as it is locked; the emulator's is resolved together with the base.
    Raises Failure if an archive cannot be reached, or has no such package.
    """
    if flavour == "board":
        lines = _lines("board")
        try:
            return _kernel("board", locked("base"), tools.RELEASE, lines)
        except Failure as failure:
            raise Failure(
                "apt says above what it does not find. If it is a version of packages.lock, the archive has moved on:"
                " run `make image-lock`, then `make image-lock FLAVOUR=board`"
            ) from failure
    found = _resolved("base", tools.RELEASE, tools.packages("base"), _debian())
    for layer, name in _ALONE.items():
        with_others = _resolved(layer, tools.RELEASE, [name], _debian())
        found |= {package: address for package, address in with_others.items() if package.name == name}
    base = [package for package in found if package.layer == "base"]
    return found | _kernel("emulator", base, _NEWER, _lines("emulator"))


def _kernel(flavour: str, base: Sequence[Package], release: str, lines: Sequence[str]) -> dict[Package, str]:
    """Return the packages of kernel and camera, without those of the base and those that only left-out ones ask for."""
    pinned = [f"{package.name}={package.version}" for package in base]
    every = _resolved(flavour, release, [*pinned, *tools.packages(flavour)], lines)
    wanted = closure.needed(tools.packages(flavour), _described(flavour, every), tools.packages("without"))
    wanted -= {package.name for package in base}
    return {package: address for package, address in every.items() if package.name in wanted}


def _debian() -> list[str]:
    site = tools.mirror()
    release = tools.RELEASE
    return [
        f"deb {site} {release} main non-free-firmware",
        f"deb {site} {release}-updates main",
        f"deb {site}-security {release}-security main",
    ]


def _lines(flavour: str) -> list[str]:
    """Return the lines of the archives of all layers of a flavour."""
    return [*_debian(), _raspberry() if flavour == "board" else f"deb {tools.mirror()} {_NEWER} main"]


def _raspberry() -> str:
    """Return the line of the archive of Raspberry Pi OS, as CUELENS_RASPBERRY_ARCHIVE gives it. Raises Failure."""
    if line := os.environ.get("CUELENS_RASPBERRY_ARCHIVE"):
        return line
    raise Failure(
        "a board's kernel comes from the archive of Raspberry Pi OS: set CUELENS_RASPBERRY_ARCHIVE to its line, as it"
        f" stands in /etc/apt/sources.list.d of such a system (deb [signed-by=...] ... {tools.RELEASE} main)"
    )


def _resolved(layer: str, release: str, names: Sequence[str], lines: Sequence[str]) -> dict[Package, str]:
    told = _apt(_APT, layer, lines, [release, ESSENTIAL, *names])
    return dict(_offered(layer, line) for line in told if line.startswith("'"))


def _apt(script: str, layer: str, lines: Sequence[str], words: Sequence[str]) -> list[str]:
    """Run a script with an apt of its own for a layer, and return the lines that it prints."""
    apt = cache() / f"apt-{layer}"
    apt.mkdir(parents=True, exist_ok=True)
    return namespace.run(script, apt, "\n".join(lines), *words, tools=tools.make(), binds=[cache()]).splitlines()


def _described(layer: str, packages: Iterable[Package]) -> str:
    """Return the stanzas of packages that were resolved for a layer."""
    names = [f"{package.name}={package.version}" for package in packages]
    return namespace.run(_SHOW, cache() / f"apt-{layer}", *names, tools=tools.make(), binds=[cache()])


def _offered(layer: str, line: str) -> tuple[Package, str]:
    """Read a line of `apt-get --print-uris`: address in quotes, file, bytes, SHA256 of the file."""
    address, file, _, digest = line.split()
    name, version, architecture = unquote(file.removesuffix(".deb")).split("_")
    return Package(layer, name, version, architecture, digest.removeprefix("SHA256:")), address.strip("'")


def write_lock(packages: Iterable[Package]) -> None:
    """Write the lock files of some layers."""
    head = "# Made by `make image-lock`: layer, package, version, architecture, SHA-256 of its file."
    for file in {lock_file(package.layer) for package in packages}:
        lines = [
            f"{one.layer} {one.name} {one.version} {one.architecture} {one.sha256}"
            for one in sorted(packages)
            if lock_file(one.layer) == file
        ]
        file.write_text("\n".join([head, *lines, ""]))


def fetch(packages: Sequence[Package]) -> list[Path]:
    """Return the files of locked packages, all of one layer, from the cache or the archive.

    What others in the archive ask for by now makes no difference.
    Raises Failure if the archive has another version by now, or a file is not the one that was locked.
    """
    pool = cache() / "debs"
    pool.mkdir(parents=True, exist_ok=True)
    absent = [package for package in packages if not (pool / package.file).exists()]
    addresses = _addresses(absent) if absent else {}
    for number, package in enumerate(absent, start=1):
        print(f"\r  package {number} of {len(absent)}: {package.name:50}", end="", flush=True)
        _download(addresses[package], pool / package.file, package.sha256)
    if absent:
        print()
    return [pool / package.file for package in packages]


def _addresses(packages: Sequence[Package]) -> dict[Package, str]:
    """Return the address of each of some locked packages. Raises Failure if the archive has one of them no more."""
    layer = packages[0].layer
    flavour = "board" if layer == "board" else "emulator"
    command = "make image-lock" + (" FLAVOUR=board" if flavour == "board" else "")
    try:
        exact = [f"{package.name}={package.version}" for package in packages]
        told = _apt(_EXACTLY, flavour, _lines(flavour), exact)
    except Failure as failure:
        raise Failure(
            f"apt says above what it does not find. If it is a version of {lock_file(layer).name}, the archive has"
            f" moved on: run `{command}`"
        ) from failure
    found = dict(_offered(layer, line) for line in told if line.startswith("'"))
    for package in packages:
        if package not in found:
            raise Failure(
                f"{package.name} {package.version} in the archive is not the one that was locked: run `{command}`"
            )
    return found


def _download(address: str, file: Path, sha256: str) -> None:
    part = file.with_suffix(".part")
    try:
        # The address is of the archive that apt was given.
        with urllib.request.urlopen(address, timeout=60) as source, part.open("wb") as target:  # noqa: S310
            shutil.copyfileobj(source, target)
    except (URLError, OSError) as error:
        raise Failure(f"{file.name} cannot be fetched: {error}") from error
    if hashlib.sha256(part.read_bytes()).hexdigest() != sha256:
        raise Failure(f"{file.name} is not the file that was locked")
    part.rename(file)
