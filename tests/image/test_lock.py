"""The lock files, the lists of packages, and the bill of materials."""

import io
import re
import tarfile
from pathlib import Path

import pytest
from tests.image import firmware

from image import archive, bill, closure, python_packages, root, tools
from image.failure import Failure

ROOT = Path(__file__).resolve().parents[2]
CARD = ROOT / "device" / "image" / "card"


def test_every_package_that_is_asked_for_is_locked() -> None:
    for layer in ("base", "emulator"):
        locked = {package.name for package in [*archive.locked("base"), *archive.locked(layer)]}
        assert set(tools.packages(layer)) <= locked
    assert not {package.name for package in archive.locked("emulator")} & set(tools.packages("without"))
    for package in [*archive.locked("base"), *archive.locked("emulator")]:
        assert re.fullmatch("[0-9a-f]{64}", package.sha256)


def test_glasses_carry_no_mesa_no_llvm_and_no_qt() -> None:
    names = " ".join(package.name for layer in ("base", "emulator") for package in archive.locked(layer))
    assert not re.search(r"llvm|mesa|libqt", names)


def test_the_placeholder_of_lgpio_is_in_no_lock() -> None:
    assert "lgpio" not in {name for name, _, _ in python_packages.locked("application")}


def test_numpy_is_the_one_that_the_systems_camera_is_compiled_for() -> None:
    (numpy,) = (package for package in archive.locked("base") if package.name == "python3-numpy")
    (pinned,) = re.findall(r"^numpy==(.*)$", (ROOT / "constraints" / "trixie.txt").read_text(), re.MULTILINE)
    assert re.search(rf"\b{re.escape(pinned)}\b", numpy.version)


def test_a_board_without_the_archive_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUELENS_RASPBERRY_ARCHIVE", raising=False)
    with pytest.raises(Failure, match=r"^packages-board\.lock is missing: run `make image-lock FLAVOUR=board`$"):
        archive.locked("board")


@pytest.mark.parametrize("unit", root.UNITS)
def test_every_unit_that_is_enabled_exists(unit: str) -> None:
    places = [ROOT / "systemd", ROOT / "device" / "image" / "rootfs" / "usr" / "lib" / "systemd" / "system"]
    assert any((place / unit).exists() for place in places)


def _tar(file: Path, content: dict[str, str]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, text in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return file


def test_the_bill_names_what_is_there_and_the_check_what_differs(tmp_path: Path) -> None:
    status = "\n\n".join(
        f"Package: {one.name}\nStatus: install ok installed\nArchitecture: {one.architecture}\nVersion: {one.version}"
        for layer in ("base", "emulator")
        for one in archive.locked(layer)
    )
    content = {"./var/lib/dpkg/status": status}
    for layer in ("application", "emulator"):
        for name, version, _ in python_packages.locked(layer):
            place = f"./opt/cuelens/lib/python3.13/site-packages/{name}-{version}.dist-info/METADATA"
            content[place] = f"Name: {name}\nVersion: {version}\n\n"
    bill.write(_tar(tmp_path / "root.tar", content), tmp_path / "bill.json")
    assert bill.check(tmp_path / "bill.json", "emulator") > 250

    content["./var/lib/dpkg/status"] = status.replace("Package: busybox\n", "").replace(
        "Package: bash\n", "Package: fish\n"
    )
    bill.write(_tar(tmp_path / "root.tar", content), tmp_path / "bill.json")
    with pytest.raises(Failure, match=r"differ: bash .*, fish "):
        bill.check(tmp_path / "bill.json", "emulator")


class Folder(firmware.Card):
    """A card as a folder."""

    def __init__(self, content: dict[str, str]) -> None:
        self._content = content

    def read(self, name: str) -> bytes:
        if name not in self._content:
            raise FileNotFoundError(name)
        return self._content[name].encode()


@pytest.fixture
def folder() -> Folder:
    files = {file.name: file.read_text() for file in CARD.iterdir()}
    files |= {"slot.txt": f"{'os_prefix=A/':31}\n", "try.txt": f"{'os_prefix=B/':31}\n"}
    for slot in "AB":
        files |= {f"{slot}/{name}": f"{name} of {slot}" for name in ("kernel8.img", "initramfs8", "cmdline.txt")}
    return Folder(files)


@pytest.mark.parametrize(("tryboot", "slot"), [(False, "A"), (True, "B")])
def test_the_firmware_starts_the_good_root_and_once_the_other(
    folder: Folder, tmp_path: Path, tryboot: bool, slot: str
) -> None:
    started = firmware.boot(folder, tmp_path, tryboot=tryboot)
    assert started.kernel.read_text() == f"kernel8.img of {slot}"
    assert started.initramfs.read_text() == f"initramfs8 of {slot}"
    assert started.command_line == f"cmdline.txt of {slot}"


def test_a_section_of_another_board_is_passed_over() -> None:
    card = Folder({"config.txt": "[pi3]\nkernel=three.img\n[all]\nkernel=all.img # for all\n"})
    assert firmware.settings(card, "config.txt", "pi02") == {"kernel": "all.img"}
    assert firmware.settings(Folder({"config.txt": "[pi02]\nkernel=own.img"}), "config.txt", "pi02") == {
        "kernel": "own.img"
    }


def test_what_only_a_left_out_package_asks_for_is_left_out_too() -> None:
    described = """
Package: camera
Pre-Depends: loader (>= 2)
Depends: numbers:any, pictures | drawings, mail-agent

Package: loader

Package: numbers

Package: pictures
Depends: films (= 1:2)

Package: drawings

Package: films
Depends: cinema, numbers

Package: cinema

Package: postman
Provides: mail-agent (= 1), letters
Description: brings letters
 and goes on
"""
    everything = {"camera", "loader", "numbers", "pictures", "drawings", "postman"}
    assert closure.needed(["camera"], described, ["films"]) == everything
    assert closure.needed(["camera"], described, []) == everything | {"films", "cinema"}
    assert closure.needed(["camera", "nowhere"], described, ["camera"]) == set()
