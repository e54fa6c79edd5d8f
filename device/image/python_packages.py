"""Python packages of the glasses as wheels: which, by a lock file with hashes, and their files in the cache.

Wheels are chosen for 64-bit Arm and for the Python of the release, whatever Python runs this.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from image.failure import Failure
from image.places import HERE, REPOSITORY, cache

PYTHON: Final = "3.13"
LOCK: Final = HERE / "wheels.lock"
_FOR_GLASSES: Final = [
    "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}",
    # The newest of them is the C library of trixie, 2.41.
    *(f"--platform=manylinux_2_{minor}_aarch64" for minor in (41, 39, 38, 35, 34, 31, 28, 27, 24, 17)),
    "--platform=manylinux2014_aarch64",
]  # fmt: skip
_OF_THE_SYSTEM: Final = {"cuelens", "numpy", "pip", "setuptools"}
"""Not from the lock: the glasses themselves, and what the base layer has."""


def pip(*words: str | Path) -> None:
    """Run pip. Raises Failure with its last line if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise Failure(f"pip {words[0]} failed: {last[0]}")


def wheel(folder: Path) -> Path:
    """Build the wheel of this repository into a folder, and return its file."""
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, REPOSITORY)
    (file,) = folder.glob("cuelens-*.whl")
    return file


def write_lock() -> None:
    """Resolve what the glasses and the emulator's camera need, and write the lock file."""
    with tempfile.TemporaryDirectory() as folder:
        ours = wheel(Path(folder))
        layers = {
            "application": _resolved([f"{ours}[pi,web]"], Path(folder)),
            "emulator": _resolved(["--no-deps", *_lines("emulator-python")], Path(folder)),
        }
    lines = ["# Made by `make image-lock`: layer, package, version, SHA-256 of its wheel."]
    known: set[str] = set()
    for layer, found in layers.items():
        lines += [f"{layer} {name} {version} {digest}" for name, version, digest in found if name not in known]
        known |= {name for name, _, _ in found}
    LOCK.write_text("\n".join([*lines, ""]))


def _lines(name: str) -> list[str]:
    lines = (HERE / "packages" / f"{name}.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _resolved(requirements: Sequence[str], folder: Path) -> list[tuple[str, str, str]]:
    report = folder / "report.json"
    constraints = REPOSITORY / "constraints" / "trixie.txt"
    pip(
        "install", "--quiet", "--dry-run", "--ignore-installed", "--report", report, "--target", folder / "none",
        *_FOR_GLASSES, "--constraint", constraints, *requirements,
    )  # fmt: skip
    found = [
        (
            one["metadata"]["name"].lower().replace("_", "-").replace(".", "-"),
            one["metadata"]["version"],
            one["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for one in json.loads(report.read_text())["install"]
    ]
    return sorted(package for package in found if package[0] not in _OF_THE_SYSTEM)


def locked(layer: str) -> list[tuple[str, str, str]]:
    """Return name, version and SHA-256 of the wheels of a layer."""
    lines = [line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return [(name, version, digest) for kind, name, version, digest in lines if kind == layer]


def install(layer: str, site: Path, *extra: Path) -> None:
    """Unpack the locked wheels of a layer, and other wheels, into a folder. No emulation, no bytecode."""
    wheels = cache() / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version} --hash=sha256:{digest}\n" for name, version, digest in locked(layer))
        file.flush()
        # pip asks which Python runs it, not for which one it unpacks.
        common = ["--quiet", "--no-deps", "--ignore-requires-python", *_FOR_GLASSES]
        pip("download", *common, "--require-hashes", "--dest", wheels, "--find-links", wheels, "-r", file.name)
        offline = ["--no-index", "--find-links", str(wheels), "--no-compile", "--target", str(site)]
        pip("install", *common, "--require-hashes", *offline, "-r", file.name)
    if extra:
        pip("install", *common, "--no-index", "--no-compile", "--target", site, "--upgrade", *extra)
    _forget_this_machine(site)


def _forget_this_machine(site: Path) -> None:
    """Take away what pip wrote of this machine: commands that name its Python, and where a wheel lay."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for file in site.glob("*.dist-info/direct_url.json"):
        file.unlink()
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not re.match(r"(\.\./)*bin/|[^,]*/direct_url\.json,", line)]
        record.write_text("".join(kept))


def download_source(name: str, version: str, sha256: str, folder: Path) -> None:
    """Download the source of a package. Raises Failure if it is not the file of that hash."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{name}=={version} --hash=sha256:{sha256}\n")
        file.flush()
        words = ["--quiet", "--no-deps", "--no-binary=:all:", "--require-hashes"]
        pip("download", *words, "--dest", folder, "-r", file.name)
