"""The packages that a maker installs, as files: what they hold, and what they ask of the system."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from roots import requirements

ROOT = Path(__file__).parents[2]
MAKE = ROOT / "packaging" / "make-deb"

pytestmark = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not installed")


def made(folder: Path, version: str = "1.2.0", **environment: str) -> list[Path]:
    """Make both packages of something in place of a wheel: what is in it does not matter here."""
    wheel = folder / f"cuelens-{version}-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    command = [MAKE, wheel, folder / "packages"]
    environment |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return sorted((folder / "packages").iterdir())


def told(*command: object) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, timeout=60).stdout


def files(package: Path, folder: Path) -> dict[str, bytes]:
    told("dpkg-deb", "--extract", package, folder)
    return {f"/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unit_files(folder: Path, reboot: str) -> dict[str, bytes]:
    """Return what `make install-units` puts into an image, with the places that a package has."""
    command = ["make", "-s", "install-units", f"DESTDIR={folder}", f"REBOOT={reboot}"]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    names = {path: f"/{path.relative_to(folder)}" for path in folder.rglob("*") if path.is_file()}
    return {name.replace("/etc/systemd/", "/usr/lib/systemd/"): path.read_bytes() for path, name in names.items()}


def test_the_packages_hold_the_wheel_the_constraints_and_what_install_units_puts(tmp_path: Path) -> None:
    cuelens, reboot = (files(package, tmp_path / package.stem) for package in reversed(made(tmp_path)))
    units = unit_files(tmp_path / "units", "")
    assert len(units) > 10
    assert {name: cuelens.pop(name) for name in units} == units
    held = {f"/usr/share/cuelens/constraints/{path.name}": path.read_bytes() for path in ROOT.glob("constraints/*")}
    held |= {"/usr/share/cuelens/cuelens-1.2.0-py3-none-any.whl": b"a wheel"}
    held |= {"/usr/share/cuelens/card.toml": (ROOT / "examples" / "card.toml").read_bytes()}
    held |= {"/usr/share/doc/cuelens/copyright": b"".join((ROOT / name).read_bytes() for name in ("NOTICE", "LICENSE"))}
    completions = ROOT / "device" / "cuelens" / "commands" / "completions"
    held |= {"/usr/share/bash-completion/completions/cuelens": (completions / "cuelens.bash").read_bytes()}
    assert cuelens == held
    assert (tmp_path / "cuelens_1.2.0_all/usr/bin/cuelens").readlink() == Path("/opt/cuelens/bin/cuelens")
    with_reboot = unit_files(tmp_path / "all", "1")
    del reboot["/usr/share/doc/cuelens-reboot/copyright"]
    assert reboot == {name: text for name, text in with_reboot.items() if name not in units}
    assert len(reboot) > 3


def test_what_is_in_etc_is_the_makers(tmp_path: Path) -> None:
    package = made(tmp_path)[1]
    assert told("dpkg-deb", "--info", package, "conffiles") == "/etc/NetworkManager/dnsmasq-shared.d/cuelens.conf\n"


def test_the_same_wheel_gives_the_same_packages(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    assert [path.read_bytes() for path in made(first, SOURCE_DATE_EPOCH="1790000000", TZ="Asia/Tokyo")] == [
        path.read_bytes() for path in made(second, SOURCE_DATE_EPOCH="1790000000", HOME="/nowhere")
    ]


@pytest.mark.parametrize(
    ("python", "debian", "older"),
    [("1.2.0.dev3", "1.2.0~dev3", True), ("1.2.0rc1", "1.2.0~rc1", True), ("1.2.1", "1.2.1", False)],
)
def test_a_version_before_the_release_is_an_older_one(tmp_path: Path, python: str, debian: str, older: bool) -> None:
    package = made(tmp_path, python)[1]
    assert package.name == f"cuelens_{debian}_all.deb"
    assert told("dpkg-deb", "--field", package, "Version").strip() == debian
    compared = subprocess.run(["dpkg", "--compare-versions", debian, "lt", "1.2.0"], check=False)
    assert (compared.returncode == 0) is older


def test_what_pip_must_not_bring_comes_from_apt(tmp_path: Path) -> None:
    """Of lgpio, pip has an empty package for Python 3.13; picamera2 fits the libcamera of the system only."""
    by_pip = {re.split(r"[^A-Za-z0-9-]", each)[0].lower() for each in requirements()}
    depends = told("dpkg-deb", "--field", made(tmp_path)[1], "Depends")
    by_apt = {each.split()[0] for each in depends.split(", ")}
    assert by_pip.isdisjoint({"lgpio", "picamera2", "libcamera", "rpi-lgpio"})
    assert {"python3-lgpio", "python3-picamera2", "python3-numpy"} <= by_apt
