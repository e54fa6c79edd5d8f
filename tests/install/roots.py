"""What the tests of the installation need and none of them fetches: roots of both releases for 64-bit Arm, and wheels.

    make arm64-roots

fills `roots` in CUELENS_CACHE (else `cuelens` in the user's cache). Each folder there is named after a hash of what it
was made from, so a changed constraint or dependency asks for a new one.

The archive of Raspberry Pi cannot be counted on to be in reach, so other things stand in for its packages: Debian's
libcamera, and picamera2, simplejpeg and lgpio from PyPI, of the kind that the release has (compiled for its numpy).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

from arm64 import Machine, lacking

ROOT: Final = Path(__file__).resolve().parents[2]
WHEEL_BUILDER: Final = "hatchling==1.27.0"
_CERTIFICATES: Final = "/etc/ssl/certs/ca-certificates.crt"
_EMULATOR_OF: Final = "trixie"
"""QEMU 7.2, of bookworm, crashes in LiteRT; version 10 does not."""
_EVERYWHERE: Final = (
    *("python3", "python3-venv", "python3-numpy", "systemd", "espeak-ng", "alsa-utils", "gpiod"),
    # Of picamera2.
    *("python3-jsonschema", "python3-pil", "python3-piexif", "python3-libarchive-c", "python3-prctl", "python3-tqdm"),
)
_DEBSTRAP: Final = """
    work="$1"; rm -rf "$work"
    mmdebstrap --quiet --mode=root --variant="$2" --architectures="$3" --include="$4" \\
        --skip=check/qemu,cleanup/apt/lists --aptopt='APT::Install-Recommends "false"' \\
        --aptopt='Acquire::Languages "none"' --dpkgopt=path-exclude=/usr/share/doc/* \\
        --dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/locale/* \\
        --dpkgopt=path-exclude=/usr/share/ca-certificates/* "$5" "$work" "deb $6 $5 main"
"""
_DOWNLOADS: Final = """
    constraints="$1" stand_ins="$2"; shift 2
    python3 -m venv --system-site-packages /tmp/maker
    # Debian's own packages look like this: in a folder that the interpreter of the system sees.
    /tmp/maker/bin/pip install --no-deps --no-compile --target /usr/lib/python3/dist-packages $stand_ins
    /tmp/maker/bin/pip download --only-binary :all: --dest /wheels --constraint "$constraints" "$@"
    # What pip would take without the constraints: a test shows what that breaks.
    /tmp/maker/bin/pip download --only-binary :all: --dest /wheels "$@"
    rm -r /tmp/maker
"""


_FORMATS: Final = """
from enum import Enum
PixelFormat = Enum("PixelFormat", "RGB888 BGR888 XRGB8888 XBGR8888 YUV420 YVU420")
"""


@dataclass(frozen=True)
class Release:
    """A release of Raspberry Pi OS.

    Attributes:
        name: as in VERSION_CODENAME.
        packages: of Debian, besides those of every release.
        stand_ins: from PyPI, for packages that the archive of Raspberry Pi has.
        files: modules that stand in for packages without a wheel for this release, and what is in them.
    """

    name: str
    packages: tuple[str, ...]
    stand_ins: tuple[str, ...]
    files: Mapping[str, str]

    @property
    def constraints(self) -> Path:
        """What holds pip."""
        return ROOT / "constraints" / f"{self.name}.txt"


RELEASES: Final = {
    release.name: release
    for release in (
        Release("bookworm", (), ("simplejpeg==1.6.6", "lgpio==0.2.2.0"), {}),
        Release(
            "trixie",
            ("python3-libcamera",),
            ("simplejpeg==1.8.2", "picamera2==0.3.31", "videodev2==0.0.4", "av==15.1.0"),
            {
                "lgpio.py": "",
                "pykms.py": _FORMATS,
                "pidng/core.py": "PICAM2DNG = None\n",
                "pidng/camdefs.py": "Picamera2Camera = None\n",
            },
        ),
    )
}


def requirements() -> list[str]:
    """Return what cuelens with the extras of the glasses asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["pi"], *extras["web"]]


def _place(name: str, *inputs: object) -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cuelens"
    key = hashlib.sha256(repr(inputs).encode()).hexdigest()[:12]
    return Path(os.environ.get("CUELENS_CACHE") or home).absolute() / "roots" / f"{name}-{key}"


def debian(release: Release) -> Path:
    """Return the root folder of a release, made or not."""
    return _place(f"{release.name}-root", release.name, _EVERYWHERE, release.packages, _DEBSTRAP)


def additions(release: Release) -> Path:
    """Return the folder of what PyPI has: `wheels`, and the layer `stand-ins` over the root folder; filled or not."""
    inputs = (debian(release).name, repr(release), _DOWNLOADS, requirements(), release.constraints.read_text())
    return _place(release.name, *inputs)


def board(release: Release) -> Machine:
    """Return an emulated machine of a release, with the wheels in /wheels."""
    place = additions(release)
    return Machine(emulator(), debian(release), (place / "stand-ins",), {place / "wheels": "/wheels"})


def emulator() -> Path:
    """Return QEMU, there or not."""
    return _place("qemu-aarch64", _EMULATOR_OF)


def wheel_builder() -> Path:
    """Return the folder with the packages that build the wheel, filled or not."""
    return _place("wheel-builder", WHEEL_BUILDER)


def parts(*releases: Release) -> list[Path]:
    """Return everything that the tests of these releases need."""
    return [emulator(), wheel_builder(), *map(debian, releases), *map(additions, releases)]


def _mirror() -> str:
    """Return the mirror of this machine's own packages, or CUELENS_MIRROR."""
    if given := os.environ.get("CUELENS_MIRROR"):
        return given
    asked = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian"]
    sites = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    return next(site for site in sites if not site.endswith("-security"))


def _pip_settings() -> tuple[dict[str, str], dict[Path, str]]:
    """Return this machine's settings of pip as variables, and the file of certificates that they name."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    pairs = (line.partition("=")[::2] for line in listed)
    known = {name.rpartition(".")[2].replace("-", "_").upper(): value.strip("'\"") for name, value in pairs}
    # Folders and files of this machine are not in the root.
    kept = {
        f"PIP_{name}": value
        for name, value in known.items()
        if name in {"INDEX_URL", "EXTRA_INDEX_URL", "TRUSTED_HOST", "PROXY", "DEFAULT_TIMEOUT", "TIMEOUT"}
        and "file:" not in value
    }
    certificates = Path(known.get("CERT") or _CERTIFICATES)
    return kept, {certificates: _CERTIFICATES} if certificates.exists() else {}


def _fill_emulator() -> None:
    work = emulator().with_name("emulator.new")
    words = (work, "extract", "amd64", "qemu-user", _EMULATOR_OF, _mirror())
    Machine().run(_DEBSTRAP, *words, timeout_s=600).well()
    (work / "usr" / "bin" / "qemu-aarch64").rename(emulator())
    shutil.rmtree(work)


def _fill_wheel_builder() -> None:
    work = wheel_builder().with_name(f"{wheel_builder().name}.new")
    shutil.rmtree(work, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", work, WHEEL_BUILDER], check=True)
    work.rename(wheel_builder())


def _fill_root(release: Release) -> None:
    target = debian(release)
    work = target.with_name(f"{target.name}.new")
    packages = ",".join((*_EVERYWHERE, *release.packages))
    words = (work, "apt", "arm64", packages, release.name, _mirror())
    Machine(emulator()).run(_DEBSTRAP, *words, timeout_s=3600).well()
    work.rename(target)


def _fill_additions(release: Release) -> None:
    target = additions(release)
    work = target.with_name(f"{target.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    modules = work / "stand-ins" / "new" / "usr" / "lib" / "python3" / "dist-packages"
    (work / "wheels").mkdir(parents=True)
    for name, text in release.files.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(text)
    settings, certificates = _pip_settings()
    binds = {work / "wheels": "/wheels", release.constraints: "/constraints.txt", **certificates}
    machine = Machine(emulator(), debian(release), (work / "stand-ins",), binds)
    words = ("/constraints.txt", " ".join(release.stand_ins), *requirements())
    machine.run(_DOWNLOADS, *words, timeout_s=3600, **settings).well()
    work.rename(target)


def main() -> None:
    """Fill what is not there."""
    if reason := lacking("mmdebstrap"):
        sys.exit(f"arm64-roots: {reason}")
    emulator().parent.mkdir(parents=True, exist_ok=True)
    works = {emulator(): _fill_emulator, wheel_builder(): _fill_wheel_builder}
    for release in RELEASES.values():
        works |= {debian(release): partial(_fill_root, release), additions(release): partial(_fill_additions, release)}
    for path, fill in works.items():
        if not path.exists():
            began = time.monotonic()
            fill()
            print(f"{path}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
