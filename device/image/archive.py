"""Packages of Debian for the glasses: which versions, by a lock file, and fetching just those."""

import hashlib
import shutil
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.parse import unquote

from image import namespace, tools
from image.python_packages import PYTHON
from image.failure import Failure
from image.places import HERE, cache

DATE: Final = 1795737600
"""The time of every file in the image, in seconds of the epoch: 2026-11-27."""
ESSENTIAL: Final = "?and(?essential,?not(?exact-name(apt)))"
_BACKPORTS: Final = f"{tools.RELEASE}-backports"
_APT: Final = """
    apt="$1" release="$2" lines="$3"; shift 3
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    : > "$apt/status"
    printf '%s\\n' "$lines" > "$apt/sources.list"
    options="-qq -o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$apt/lists
        -o Dir::State::status=$apt/status -o Dir::Cache=$apt -o APT::Architecture=arm64 -o APT::Architectures=arm64
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::ForceHash=SHA256"
    apt-get $options update >&2
    apt-get $options --print-uris --target-release "$release" install "$@"
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


def lock_file() -> Path:
    """Return the file that names every package of the image."""
    return HERE / "packages.lock"


def locked(layer: str) -> list[Package]:
    """Return the packages of a layer, by name."""
    lines = lock_file().read_text().splitlines()
    every = [Package(*line.split()) for line in lines if line and not line.startswith("#")]
    return [package for package in every if package.layer == layer]


def resolve() -> dict[Package, str]:
    """Return the packages of all layers as the archive has them now, with the address of each.

    Raises Failure if the archive cannot be reached, or has no such package.
    """
    base = _resolved("base", tools.RELEASE, tools.packages("base"))
    both = _resolved("emulator", _BACKPORTS, [*_pinned(base), *tools.packages("emulator")])
    alone = {"headers": f"libpython{PYTHON}-dev", "initramfs": "busybox-static"}
    for layer, name in alone.items():
        found = _resolved(layer, tools.RELEASE, [name])
        base |= {package: address for package, address in found.items() if package.name == name}
    known = {package.name for package in base} | set(tools.packages("emulator-without"))
    return base | {package: address for package, address in both.items() if package.name not in known}


def _pinned(packages: Iterable[Package]) -> list[str]:
    return [f"{package.name}={package.version}" for package in packages]


def _resolved(layer: str, release: str, names: Sequence[str]) -> dict[Package, str]:
    site = tools.mirror()
    lines = [f"deb {site} {tools.RELEASE} main non-free-firmware", f"deb {site} {tools.RELEASE}-updates main"]
    lines += [f"deb {site}-security {tools.RELEASE}-security main", f"deb {site} {_BACKPORTS} main"]
    apt = cache() / f"apt-{layer}"
    apt.mkdir(parents=True, exist_ok=True)
    words = [apt, release, "\n".join(lines), ESSENTIAL, *names]
    told = namespace.run(_APT, *words, tools=tools.make(), binds=[cache()])
    return dict(_offered(layer, line) for line in told.splitlines() if line.startswith("'"))


def _offered(layer: str, line: str) -> tuple[Package, str]:
    """Read a line of `apt-get --print-uris`: address in quotes, file, bytes, SHA256 of the file."""
    address, file, _, digest = line.split()
    name, version, architecture = unquote(file.removesuffix(".deb")).split("_")
    return Package(layer, name, version, architecture, digest.removeprefix("SHA256:")), address.strip("'")


def write_lock(packages: Iterable[Package]) -> None:
    """Write the lock file."""
    lines = [f"{one.layer} {one.name} {one.version} {one.architecture} {one.sha256}" for one in sorted(packages)]
    head = "# Made by `make image-lock`: layer, package, version, architecture, SHA-256 of its file."
    lock_file().write_text("\n".join([head, *lines, ""]))


def fetch(packages: Sequence[Package]) -> list[Path]:
    """Return the files of locked packages, from the cache or the archive.

    Raises Failure if the archive has another version by now, or a file is not the one that was locked.
    """
    pool = cache() / "debs"
    pool.mkdir(parents=True, exist_ok=True)
    absent = [package for package in packages if not (pool / package.file).exists()]
    addresses = resolve() if absent else {}
    for number, package in enumerate(absent, start=1):
        if package not in addresses:
            raise Failure(f"{package.name} {package.version} is no more in the archive: run `make image-lock`")
        print(f"\r  package {number} of {len(absent)}: {package.name:50}", end="", flush=True)
        _download(addresses[package], pool / package.file, package.sha256)
    if absent:
        print()
    return [pool / package.file for package in packages]


def _download(address: str, file: Path, sha256: str) -> None:
    part = file.with_suffix(".part")
    try:
        with urllib.request.urlopen(address, timeout=60) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
    except (URLError, OSError) as error:
        raise Failure(f"{file.name} cannot be fetched: {error}") from error
    if hashlib.sha256(part.read_bytes()).hexdigest() != sha256:
        raise Failure(f"{file.name} is not the file that was locked")
    part.rename(file)
