"""The wheel and the source distribution of a release: made, compared, weighed, installed, and described.

Each check yields what is missing, one sentence each.
"""

import configparser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TOOLS: Final = ROOT / "build" / "release-tools" / "bin"
PACKAGES: Final = {"cuelens": "device", "cuelens_models": "models", "cuelens_convert": "convert"}
"""Each package, and the folder of the repository that it is in."""
MOST: Final = {".whl": 4_000_000, ".tar.gz": 10_000_000}
"""Bytes."""
_LEFT_OUT: Final = {".keras"}
"""What a wheel leaves out of its packages."""
_WORDS: Final = {".py", ".toml", ".json", ".html", ".css", ".js", ".svg", ".bash", ".zsh", ".typed"}
"""What people wrote for cuelens; everything else in a wheel is named in NOTICE."""
_TOLD_ELSEWHERE: Final = {"protobuf": "BSD-3-Clause"}
"""Licences that a package's metadata do not tell."""
_REFUSED: Final = ("AGPL", "GPL-2", "GPL-3", "General Public License", "Proprietary")


@dataclass(frozen=True)
class Made:
    """A folder of what was made."""

    folder: Path

    def one(self, ending: str) -> Path:
        """Return the one file with an ending. Raises FileNotFoundError if it is not made."""
        for file in sorted(self.folder.glob(f"cuelens-*{ending}")):
            return file
        raise FileNotFoundError(f"there is no {ending} in {self.folder}: it was not built")


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[-1] if lines else f"status {done.returncode}"


def _run(*words: str | Path, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # What is installed must be found, and not this checkout.
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    return subprocess.run([*map(str, words)], cwd=folder, env=clean, capture_output=True, text=True, check=False)


def build(made: Made) -> Iterator[str]:
    """Wheel and source distribution are made, and the one gives the other."""
    for old in made.folder.glob("cuelens-*"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        backend = [sys.executable, "-m", "build", "--no-isolation"]
        # The second makes the source distribution, and a wheel from that.
        for words in (["--wheel", "--outdir", folder], ["--outdir", str(made.folder)]):
            done = subprocess.run([*backend, *words, str(ROOT)], capture_output=True, text=True, check=False)
            if done.returncode:
                yield f"the build failed: {_said(done)}"
                return
        (ours,) = Path(folder).glob("*.whl")
        theirs = made.one(".whl")
        if ours.read_bytes() == theirs.read_bytes():
            return
        here, there = (set(zipfile.ZipFile(wheel).namelist()) for wheel in (ours, theirs))
        for name in sorted(here ^ there):
            yield f"{name} is in the wheel {'of the tree' if name in here else 'of the source distribution'} only"
        if here == there:
            yield "the wheel of the tree and that of the source distribution hold the same files, and differ"


def _tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


def contents(made: Made) -> Iterator[str]:
    """Both hold what git knows, nothing more and nothing less."""
    tracked = _tracked()
    with tarfile.open(made.one(".tar.gz")) as archive:
        held = {member.name.partition("/")[2] for member in archive if member.isfile()}
    yield from _differing("the source distribution", held, tracked | {"PKG-INFO"})
    wanted = {
        name.removeprefix(f"{folder}/")
        for name in tracked
        for package, folder in PACKAGES.items()
        if name.startswith(f"{folder}/{package}/") and Path(name).suffix not in _LEFT_OUT
    }
    with zipfile.ZipFile(made.one(".whl")) as wheel:
        about = {name.partition(".dist-info/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
        held = set(wheel.namelist()) - set(about.values())
        yield from _differing("the wheel", held, wanted)
        notes = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"}
        yield from _differing("the wheel's .dist-info", set(about), notes)
        commands = configparser.ConfigParser()
        commands.read_string(wheel.read(about["entry_points.txt"]).decode() if "entry_points.txt" in about else "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed = dict(commands["console_scripts"]) if commands.has_section("console_scripts") else {}
    yield from _differing("the wheel's list of commands", set(installed), set(project["scripts"]))


def _differing(whose: str, held: set[str], wanted: set[str]) -> Iterator[str]:
    for name in sorted(wanted - held):
        yield f"{whose} lacks {name}"
    for name in sorted(held - wanted):
        yield f"{whose} holds {name}, which does not belong there"


def size(made: Made) -> Iterator[str]:
    """Neither is larger than it may be: 4 MB of wheel, 10 MB of source."""
    for ending, most in MOST.items():
        file = made.one(ending)
        if (bytes_ := file.stat().st_size) > most:
            yield f"{file.name} has {bytes_ / 1e6:.1f} MB, and may have {most / 1e6:.0f}"


def metadata(made: Made) -> Iterator[str]:
    """`twine check --strict` and `check-wheel-contents` find no fault."""
    for words in (
        ["twine", "--no-color", "check", "--strict", made.one(".whl"), made.one(".tar.gz")],
        ["check-wheel-contents", "--toplevel", ",".join(PACKAGES), made.one(".whl")],
    ):
        tool, *rest = map(str, words)
        if not (TOOLS / tool).exists():
            yield f"{tool} is not there: `make release-check` installs it"
        elif (done := _run(TOOLS / tool, *rest)).returncode:
            yield f"{tool}: {_said(done)}"


def install(made: Made) -> Iterator[str]:
    """The wheel alone, in a clean environment, shows the demo on Python 3.11, 3.12 and 3.13."""
    for minor in (11, 12, 13):
        if not (python := _python(f"3.{minor}")):
            yield f"Python 3.{minor} is not installed here"
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            _run(python, "-m", "venv", place / "venv")
            pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
            for words in (
                ["python", *pip, str(made.one(".whl"))],
                ["cuelens", "--version"],
                ["cuelens", "demo", "--as-fast"],
            ):
                done = _run(place / "venv" / "bin" / words[0], *words[1:], folder=place)
                if done.returncode:
                    yield f"Python 3.{minor}: {' '.join(words[:3])}: {_said(done)}"
                    break


def _python(version: str) -> str | None:
    """Return an interpreter of that version, from PATH or from pyenv."""
    found = [shutil.which(f"python{version}")]
    found += sorted(
        map(str, Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    )
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    # A shim of pyenv is there for a version that is not chosen, too.
    return next((python for python in found if python and _run(python, "-c", tell).stdout.strip() == version), None)


def bill(made: Made) -> Iterator[str]:
    """A bill of materials (CycloneDX) of what glasses run: the wheel with `pi` and `web`, as their image locks it."""
    if not (TOOLS / "cyclonedx-py").exists():
        yield "cyclonedx-py is not there: `make release-check` installs it"
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        locked = _locked()
        (place / "lock.txt").write_text("".join(f"{name}=={number}\n" for name, number in locked.items()))
        done = _run(sys.executable, "-m", "venv", "--without-pip", place / "venv")
        pip = [sys.executable, "-m", "pip", "--python", place / "venv", "install", "--quiet"]
        done = _run(*pip, "--only-binary", ":all:", "-c", place / "lock.txt", f"{made.one('.whl')}[pi,web]")
        if done.returncode:
            yield f"what is locked cannot be installed: {_said(done)}"
            return
        file = made.folder / made.one(".whl").name.replace("-py3-none-any.whl", ".cdx.json")
        words = ["environment", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible", "--output-file", file]
        done = _run(TOOLS / "cyclonedx-py", *words, place / "venv")
        if done.returncode:
            yield f"cyclonedx-py: {_said(done)}"
            return
    listed = {_normal(one["name"]): one["version"] for one in json.loads(file.read_text())["components"]}
    for name, number in locked.items():
        if listed.get(name) != number:
            yield f"{name} is locked at {number}, and the bill has {listed.get(name, 'none')}"


def _locked() -> dict[str, str]:
    """Return the versions of the packages of the image, which device/image locks."""
    lines = (ROOT / "device" / "image" / "wheels.lock").read_text().splitlines()
    found = dict(line.split()[1:3] for line in lines if line.startswith("application "))
    numpy = (ROOT / "constraints" / "trixie.txt").read_text().split("numpy==")[1].split()[0]
    return {_normal(name): number for name, number in found.items()} | {"numpy": numpy}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def licences(made: Made) -> Iterator[str]:
    """Whatever ships has its licence told, and none forbids what Apache-2.0 allows."""
    notice = (ROOT / "NOTICE").read_text("utf-8")
    with zipfile.ZipFile(made.one(".whl")) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
    for name in names:
        if Path(name).suffix not in _WORDS and "/".join(Path(name).parts[-2:]) not in notice:
            yield f"NOTICE does not say where {name} comes from"
    for file in made.folder.glob("cuelens-*.cdx.json"):
        for one in json.loads(file.read_text())["components"]:
            told = json.dumps(one.get("licenses", [])) if "licenses" in one else _TOLD_ELSEWHERE.get(one["name"], "")
            if not told:
                yield f"{one['name']} {one['version']} tells no licence: look it up, and add it to _TOLD_ELSEWHERE"
            elif any(word in told for word in _REFUSED):
                yield f"{one['name']} {one['version']} is under {told}"


def checksums(made: Made) -> Iterator[str]:
    """SHA256SUMS, for `sha256sum --check`."""
    files = [made.one(".whl"), made.one(".tar.gz"), *made.folder.glob("cuelens-*.cdx.json")]
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    (made.folder / "SHA256SUMS").write_text("".join(lines))
    if len(files) < 3:
        yield "there is no bill of materials"
