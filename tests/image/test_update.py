"""Updates and power cuts, on one card: what is installed is tried once, and what does not work is left again."""

import os
import random
import re
import subprocess
import time
from pathlib import Path

import pytest
from tests.image.conftest import OUTPUT
from tests.image.emulator import Board
from tests.image.firmware import Card
from tests.image.programs import program

from image import update

pytestmark = pytest.mark.usefixtures("boots")


@pytest.fixture(scope="module")
def used(card: Path) -> Path:
    """A card in use."""
    return card


def _tried(log: str) -> bool:
    """Whether the board reset itself and asked the firmware for the one-time configuration."""
    return "Restarting system with command '0 tryboot'" in log


def _install(card: Path, guest: Path, work: Path, bundle: Path) -> str:
    """Put an update on the card as a person does, switch on, and return the answer on the card."""
    Card(card).write("update.raucb", bundle)
    with Board(card, work, tests=guest) as board:
        board.run("systemctl stop cuelens; systemctl start --wait cuelens-update", 900)
        return board.run("cat /boot/firmware/update-answer.txt")


def test_power_cuts_at_random_moments_leave_a_board_that_starts(used: Path, guest: Path, tmp_path: Path) -> None:
    cuts = int(os.environ.get("CUELENS_POWER_CUTS", "5"))
    seed = int(os.environ.get("CUELENS_SEED", "1969"))
    moments = random.Random(seed)  # noqa: S311
    for number in range(cuts):
        with Board(used, tmp_path / str(number), tests=guest) as board:
            time.sleep(moments.uniform(4, 90))
            assert board.process.poll() is None, board.console()[-2000:]
    with Board(used, tmp_path / "after", tests=guest) as board:
        board.run("systemctl is-system-running --wait || true", 400)
        assert board.run("systemctl is-active cuelens").strip() == "active"
        assert board.run("systemctl --failed --no-legend --plain").strip() == ""
        assert "error" not in board.run("dmesg | grep EXT4-fs || true")
        assert len(board.run("ls /data/last").split()) == 2
    print(f"\npower cuts survived: {cuts} of {cuts} (seed {seed})")


def test_an_update_of_a_stranger_is_refused(used: Path, guest: Path, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, os.urandom(1 << 16), stranger=True)
    answer = _install(used, guest, tmp_path / "board", bundle)
    assert "was not installed" in answer
    assert "signature" in answer.lower() or "verif" in answer.lower(), answer
    assert "update.raucb" not in Card(used).names()


def test_an_update_that_does_not_start_is_left_again(used: Path, guest: Path, tmp_path: Path) -> None:
    # A root with a kernel in it, and nothing that the kernel could start.
    boot = tmp_path / "root" / "usr" / "lib" / "cuelens-image"
    (boot / "boot").mkdir(parents=True)
    for name in ("kernel8.img", "initramfs8"):
        (boot / "boot" / name).write_bytes(Card(used).read(f"A/{name}"))
    (boot / "cmdline-B.txt").write_bytes(Card(used).read("A/cmdline.txt").replace(b"-02", b"-03").replace(b"=A", b"=B"))
    broken = tmp_path / "broken.erofs"
    subprocess.run(program("mkfs.erofs", "--quiet", broken, tmp_path / "root"), check=True)
    answer = _install(used, guest, tmp_path / "first", _bundle(tmp_path, broken.read_bytes()))
    assert "Switch the glasses off and on" in answer, answer

    # Switched on again: A asks for the trial of B.
    with Board(used, tmp_path / "second") as board:
        assert _tried(board.ended(400))
    with Board(used, tmp_path / "third", tryboot=True) as board:
        log = board.ended(400)
    assert not _tried(log)
    # The firmware comes back to A by itself, and A says what came of it.
    with Board(used, tmp_path / "fourth", tests=guest) as board:
        said = board.run("journalctl -b -u cuelens-try-slot --no-pager; cat /proc/cmdline; ls /data/rauc", 400)
    assert "did not come to a first minute" in said
    assert "rauc.slot=A" in said
    assert not re.search(r"^try$", said, re.MULTILINE)


def test_an_update_that_works_is_kept(used: Path, guest: Path, tmp_path: Path) -> None:
    if not (OUTPUT / "cuelens.raucb").exists():
        pytest.skip("no update is built: run `make update-bundle`")
    assert "Switch the glasses off and on" in _install(used, guest, tmp_path / "first", OUTPUT / "cuelens.raucb")
    with Board(used, tmp_path / "second") as board:
        assert _tried(board.ended(400))
    with Board(used, tmp_path / "third", tests=guest, tryboot=True) as board:
        assert "rauc.slot=B" in board.run("cat /proc/cmdline", 400)
        end = time.monotonic() + 500
        while "os_prefix=B/" not in Card(used).read("slot.txt").decode():
            assert time.monotonic() < end, board.run("journalctl -b --no-pager -n 60; cuelens status || true")
            time.sleep(5)
        board.run("sync")
    with Board(used, tmp_path / "fourth", tests=guest) as board:
        assert "rauc.slot=B" in board.run("cat /proc/cmdline", 400)


def _bundle(folder: Path, root: bytes, *, stranger: bool = False) -> Path:
    """Return an update with a root, signed with the key of the image or with another one."""
    file = folder / "root.img"
    file.write_bytes(root)
    target = folder / "update.raucb"
    with pytest.MonkeyPatch.context() as patch:
        if stranger:
            key, certificate = folder / "key.pem", folder / "certificate.pem"
            update.make_key(key, certificate)
            patch.setenv("CUELENS_KEY", str(key))
            patch.setenv("CUELENS_CERTIFICATE", str(certificate))
        update.bundle(file, folder, target, "0")
    return target
