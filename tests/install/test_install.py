"""`apt install` of the package on both releases of Raspberry Pi OS: emulated, in roots that `make arm64-roots` made.

The roots are Debian's; roots.py says what stands in for packages of Raspberry Pi. pip gets the wheels from a folder.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from cuelens.adapters.demo_scene import photograph

sys.path.insert(0, str(Path(__file__).parent))

import roots
from arm64 import Ended, Machine, lacking
from roots import RELEASES, Release

ROOT = Path(__file__).parents[2]
PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
HUNG_S = 1200.0
WHEELS = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
NO_WHEELS = {"PIP_NO_INDEX": "1"}
# The Pi's own packages that Debian lacks are there as files only, and those of the page's network are not needed here.
CONFIGURE = "dpkg --force-depends --install /packages/cuelens_*.deb"
AS_THE_GLASSES = (
    "cd /var/lib/cuelens && exec setpriv --reuid=cuelens --regid=cuelens --init-groups env HOME=/var/lib/cuelens"
)
LOOK = """
import importlib, importlib.metadata, json, sys
names = "numpy cv2 ai_edge_litert msgspec gpiozero lgpio simplejpeg soundfile starlette uvicorn cuelens".split()
found = {name: importlib.import_module(name).__file__ for name in names}
import numpy, simplejpeg
picture = numpy.full((48, 64, 3), 128, numpy.uint8)
print(json.dumps({
    "python": "%d.%d" % sys.version_info[:2],
    "numpy": numpy.__version__,
    "files": found,
    "jpeg": simplejpeg.decode_jpeg(simplejpeg.encode_jpeg(picture)).shape,
    "venv": sorted(
        one.name.lower() for one in importlib.metadata.distributions() if str(one.locate_file("")).startswith("/opt/")
    ),
}))
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Board:
    """A release on which the package was installed."""

    release: Release
    machine: Machine

    def run(self, script: str, *arguments: object, **environment: str) -> Ended:
        return self.machine.run(script, *arguments, timeout_s=HUNG_S, **environment)

    def does(self, script: str, *arguments: object, **environment: str) -> str:
        return self.run(script, *arguments, **environment).well()

    def copy(self, folder: Path) -> "Board":
        return Board(self.release, self.machine.copy(folder))


def _skip_without(*releases: Release) -> None:
    if absent := [path for path in roots.parts(*releases) if not path.exists()]:
        pytest.skip(f"{absent[0]} is not there: run `make arm64-roots`")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the packages of this tree."""
    if reason := lacking("dpkg-deb"):
        pytest.skip(reason)
    _skip_without()
    folder = tmp_path_factory.mktemp("made")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(
        build, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(roots.wheel_builder())}, capture_output=True, check=True
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([ROOT / "packaging" / "make-deb", wheel, folder / "packages"], capture_output=True, check=True)
    return folder / "packages"


@pytest.fixture(scope="module", params=RELEASES)
def board(request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A board of each release with the package, and with a photograph in /photograph."""
    release = RELEASES[request.param]
    _skip_without(release)
    folder = tmp_path_factory.mktemp(release.name)
    (folder / "photograph").mkdir()
    cv2.imwrite(str(folder / "photograph" / "collins.png"), photograph("astronaut.png")[20:420, 25:425])
    binds = {package: "/packages", folder / "photograph": "/photograph"}
    board = Board(release, roots.board(release).seeing(binds)).copy(folder / "changes")
    board.does(CONFIGURE, **WHEELS)
    yield board
    shutil.rmtree(folder)


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[Path]:
    """A folder for the changes of one test, which are large."""
    folder = tmp_path / "changes"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def seen(board: Board) -> dict[str, Any]:
    """What the interpreter of /opt/cuelens imports, as the user of the service."""
    return json.loads(board.does(f'{AS_THE_GLASSES} /opt/cuelens/bin/python -c "$1"', LOOK))


def test_the_interpreter_and_numpy_are_those_of_the_distribution(board: Board, seen: dict[str, Any]) -> None:
    (pinned,) = (line for line in board.release.constraints.read_text().splitlines() if line.startswith("numpy=="))
    of_debian = board.does("dpkg-query --show --showformat '${Version}' python3-numpy")
    assert seen["python"] == PYTHON[board.release.name]
    assert seen["files"]["numpy"] == "/usr/lib/python3/dist-packages/numpy/__init__.py"
    assert f"numpy=={seen['numpy']}" == pinned
    assert of_debian.partition(":")[2].startswith(seen["numpy"])
    changed = board.does("dpkg --verify python3-numpy").splitlines()
    assert [line for line in changed if "/usr/share/" not in line] == []  # the roots have no documentation


def test_everything_that_pip_brings_is_in_the_environment(seen: dict[str, Any]) -> None:
    for name in ("cv2", "ai_edge_litert", "gpiozero", "soundfile", "starlette", "cuelens"):
        assert seen["files"][name].startswith("/opt/cuelens"), name
    assert {"numpy", "lgpio", "picamera2", "simplejpeg"}.isdisjoint(seen["venv"])


def test_what_picamera2_is_compiled_for_works_beside_it(seen: dict[str, Any]) -> None:
    assert seen["files"]["simplejpeg"].startswith("/usr/lib/python3/dist-packages/")
    assert seen["files"]["lgpio"] == "/usr/lib/python3/dist-packages/lgpio.py"
    assert seen["jpeg"] == [48, 64, 3]


def test_picamera2_asks_libcamera_for_cameras(board: Board) -> None:
    if board.release.name == "bookworm":
        pytest.skip("Debian bookworm has no Python bindings of libcamera")
    ask = "import picamera2, libcamera; print(libcamera.__file__, picamera2.Picamera2.global_camera_info())"
    said = board.does(f'{AS_THE_GLASSES} /opt/cuelens/bin/python -c "$1"', ask)
    assert said == "/usr/lib/python3/dist-packages/libcamera/__init__.py []\n"


def test_doctor_finds_every_part_that_needs_no_hardware_well(board: Board) -> None:
    done = board.run(f"{AS_THE_GLASSES} cuelens doctor --json")
    found = {each["part"]: (each["result"], each["detail"]) for each in json.loads(done.out)}
    for part in ("settings", "python", "model", "detector", "profile", "voice", "disk"):
        assert found[part][0] == "ok", found[part]
    assert "(ai-edge-litert)" in found["model"][1]
    assert {found[part][0] for part in ("camera", "light", "button", "capture")} == {"not here"}


def test_a_face_is_read(board: Board) -> None:
    said = board.does(f"{AS_THE_GLASSES} cuelens run --source /photograph/collins.png --as-fast --events -")
    told = [json.loads(line) for line in said.splitlines()]
    assert {event.get("expression") for event in told} & {"happy"}


def test_the_commands_help(board: Board) -> None:
    assert board.does("cuelens --help").startswith("usage: cuelens")
    version = board.does("dpkg-query --show --showformat '${Version}' cuelens")
    assert version in board.does("cuelens --version")


def test_users_folders_and_units_are_those_of_the_glasses(board: Board) -> None:
    assert board.does("stat --format '%U %a' /var/lib/cuelens/profiles /etc/cuelens") == "cuelens 755\nroot 755\n"
    assert set(board.does("id --name --groups cuelens").split()) == {"cuelens", "video", "render", "audio", "gpio"}
    programs = board.does("sed -n 's/^ExecStart=[-+!@]*//p' /usr/lib/systemd/system/cuelens*.service | cut -d ' ' -f 1")
    own = {program for program in programs.split() if "cuelens" in program}
    assert {"/opt/cuelens/bin/cuelens", "/opt/cuelens/bin/python", "/usr/lib/cuelens/set-clock"} <= own
    assert board.does('for program; do test -x "$program" || echo "$program"; done', *sorted(own)) == ""
    board.does("systemctl enable cuelens cuelens-page.path cuelens-clock.path cuelens-access-point-setup")
    board.does("systemctl enable cuelens-card cuelens-country")


def test_without_the_constraints_pip_breaks_picamera2(board: Board, changes: Path) -> None:
    """What pip was held back from: this says that the tests above can fail."""
    if board.release.name == "trixie":
        pytest.skip("nothing needs a newer numpy than that of trixie yet")
    other = board.copy(changes)
    other.does("/opt/cuelens/bin/pip install --quiet --no-compile --upgrade 'opencv-python-headless<5'", **WHEELS)
    broken = other.run("/opt/cuelens/bin/python -c 'import simplejpeg'")
    assert broken.status != 0
    assert "numpy.dtype size changed" in broken.err


def test_an_update_that_fails_leaves_the_glasses_as_they_were(board: Board, changes: Path) -> None:
    if board.release.name == "trixie":
        pytest.skip("tried on bookworm: it is the same shell program")
    updated = board.copy(changes)
    look = "readlink /opt/cuelens; ls -d /opt/*; cuelens --version"
    before = updated.does(look)
    failed = updated.run(CONFIGURE, **NO_WHEELS)
    assert failed.status != 0
    assert "sudo dpkg --configure -a" in failed.err
    assert updated.does(look) == before


def test_an_update_takes_the_place_of_what_was_there(board: Board, changes: Path) -> None:
    if board.release.name == "bookworm":
        pytest.skip("tried on trixie: it is the same shell program")
    updated = board.copy(changes)
    before = updated.does("readlink /opt/cuelens")
    updated.does(CONFIGURE, **WHEELS, PIP_NO_COMPILE="1")
    after = updated.does("readlink /opt/cuelens")
    assert after != before
    assert updated.does("ls -d /opt/*") == f"/opt/cuelens\n{after}"
    updated.does("cuelens --version")


def test_it_goes_away_whole(board: Board, changes: Path) -> None:
    """`remove` leaves what the glasses and their caregiver made, `purge` nothing."""
    gone = board.copy(changes)
    gone.does("systemctl enable cuelens cuelens-page.path cuelens-card && touch /var/lib/cuelens/wearer.json")
    gone.does("dpkg --remove --force-depends cuelens")
    left = "ls -d /opt/cuelens* /usr/lib/cuelens /usr/share/cuelens /etc/systemd/system/*/cuelens* /usr/bin/cuelens"
    assert gone.run(f"{left} 2>/dev/null").out == ""
    gone.does("test -e /var/lib/cuelens/wearer.json")
    gone.does("dpkg --purge --force-depends cuelens")
    assert gone.run(f"{left} /var/lib/cuelens /etc/cuelens /etc/NetworkManager 2>/dev/null").out == ""


@pytest.fixture
def bare(package: Path, changes: Path) -> Callable[[str], Machine]:
    """Gives a machine of a release without the package, which is in /packages."""

    def machine(name: str) -> Machine:
        _skip_without(RELEASES[name])
        return roots.board(RELEASES[name]).seeing({package: "/packages"}).copy(changes)

    return machine


@pytest.mark.parametrize("name", RELEASES)
def test_the_wheel_alone_shows_the_demo_in_a_clean_environment(bare: Callable[[str], Machine], name: str) -> None:
    """Without extras, and without the packages of the system. The scene's first eight seconds: emulation is slow."""
    shown = bare(name).run(
        """
        dpkg-deb --extract /packages/cuelens_*.deb /tmp/package
        python3 -m venv --without-pip /tmp/clean
        # That of the release, which `ensurepip` would unpack again.
        pip=$(echo /usr/share/python-wheels/pip-*.whl)
        PYTHONPATH=$pip /tmp/clean/bin/python -m pip install --quiet --no-compile --only-binary :all: \\
            /tmp/package/usr/share/cuelens/cuelens-*.whl
        cd /tmp
        clean/bin/cuelens --version
        clean/bin/cuelens demo --as-fast --seconds 8
        """,
        timeout_s=HUNG_S,
        **WHEELS,
    )
    assert shown.well().startswith("cuelens (cuelens) ")
    assert "looks happy" in shown.out


@pytest.mark.parametrize("name", RELEASES)
def test_apt_has_what_the_package_asks_for(bare: Callable[[str], Machine], name: str) -> None:
    """All but what the archive of Raspberry Pi has."""
    asked = bare(name).run(
        """
        names=$(dpkg-deb --field /packages/cuelens_*.deb Depends | tr , '\\n' | sed 's/(.*//' | sort -u)
        apt-get --simulate --no-install-recommends install $(echo "$names" | grep -v -e picamera2 -e lgpio)
        """,
        timeout_s=HUNG_S,
    )
    assert "Inst network-manager" in asked.well()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("sed -i s/trixie/forky/ /etc/os-release", "bookworm or trixie"),
        ("mkdir -p /etc/systemd/system; touch /etc/systemd/system/cuelens.service", "make uninstall-units"),
        ("printf '#!/bin/sh\necho armhf\n' > /usr/local/bin/dpkg; chmod +x /usr/local/bin/dpkg", "64-bit"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_there(
    bare: Callable[[str], Machine], changes: Path, change: str, words: str
) -> None:
    refused = bare("trixie").run(
        f"{change}; PATH=/usr/local/bin:$PATH /usr/bin/dpkg --force-depends --install /packages/cuelens_*.deb",
        timeout_s=HUNG_S,
    )
    assert refused.status != 0
    assert words in refused.err
    assert not [path for path in (changes / "new").rglob("*cuelens*") if "systemd" not in path.parts]
