"""Updates, on one card: what is installed is tried once, and what does not work is left again."""

import os
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


def _tried(log: str) -> bool:
    """Whether the board reset itself and asked the firmware for the one-time configuration."""
    return "Restarting system with command '0 tryboot'" in log


def _answer(board: Board) -> str:
    """Return what the board answers to the update on its card."""
    board.run("systemctl stop cuelens; systemctl start --wait cuelens-update", 900)
    return board.run("cat /boot/firmware/update-answer.txt")


@pytest.fixture(scope="module")
def refused(card: Path, guest: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The answer to the update of a stranger, put on the card as a person does it.

    The board is then given an update of ours that cannot start.
    """
    work = tmp_path_factory.mktemp("refused")
    Card(card).write("update.raucb", _bundle(work / "stranger", os.urandom(1 << 16), stranger=True))
    Card(card).write("broken.raucb", _bundle(work / "broken", _without_programs(card, work)))
    with Board(card, work / "board", tests=guest) as board:
        answer = _answer(board)
        assert "update.raucb" not in Card(card).names()
        board.run("mv /boot/firmware/broken.raucb /boot/firmware/update.raucb")
        assert "Switch the glasses off and on" in _answer(board)
    return answer


@pytest.fixture(scope="module")
def left(card: Path, guest: Path, refused: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What the board tells that has left the broken update again, and its answer to a good one on its card."""
    assert refused
    work = tmp_path_factory.mktemp("left")
    # Switched on again: A asks for the trial of B.
    with Board(card, work / "asks") as board:
        assert _tried(board.ended(400))
    with Board(card, work / "tries", tryboot=True) as board:
        log = board.ended(400)
    assert not _tried(log)
    # The firmware comes back to A by itself, and A says what came of it.
    good = OUTPUT / "cuelens.raucb"
    if good.exists():
        Card(card).write("update.raucb", good)
    with Board(card, work / "back", tests=guest) as board:
        said = board.run("journalctl -b -u cuelens-try-slot --no-pager; cat /proc/cmdline; ls /data/rauc", 400)
        return said, _answer(board) if good.exists() else ""


def test_an_update_of_a_stranger_is_refused(refused: str) -> None:
    assert "was not installed" in refused
    assert "signature" in refused.lower() or "verif" in refused.lower(), refused


def test_an_update_that_does_not_start_is_left_again(left: tuple[str, str]) -> None:
    said, _ = left
    assert "did not come to a first minute" in said
    assert "rauc.slot=A" in said
    assert not re.search(r"^try$", said, re.MULTILINE)


def test_an_update_that_works_is_kept(card: Path, guest: Path, left: tuple[str, str], tmp_path: Path) -> None:
    _, answer = left
    if not answer:
        pytest.skip("no update is built: run `make update-bundle`")
    assert "Switch the glasses off and on" in answer
    with Board(card, tmp_path / "asks") as board:
        assert _tried(board.ended(400))
    with Board(card, tmp_path / "tries", tests=guest, tryboot=True) as board:
        assert "rauc.slot=B" in board.run("cat /proc/cmdline", 400)
        end = time.monotonic() + 500
        while "os_prefix=B/" not in Card(card).read("slot.txt").decode():
            assert time.monotonic() < end, board.run("journalctl -b --no-pager -n 60; cuelens status || true")
            time.sleep(5)
        board.run("sync")
    with Board(card, tmp_path / "stays", tests=guest) as board:
        assert "rauc.slot=B" in board.run("cat /proc/cmdline", 400)


def _without_programs(card: Path, folder: Path) -> bytes:
    """Return a root with a kernel in it, and nothing that the kernel could start."""
    boot = folder / "root" / "usr" / "lib" / "cuelens-image"
    (boot / "boot").mkdir(parents=True)
    for name in ("kernel8.img", "initramfs8"):
        (boot / "boot" / name).write_bytes(Card(card).read(f"A/{name}"))
    (boot / "cmdline-B.txt").write_bytes(Card(card).read("A/cmdline.txt").replace(b"-02", b"-03").replace(b"=A", b"=B"))
    root = folder / "broken.erofs"
    subprocess.run(program("mkfs.erofs", "--quiet", root, folder / "root"), check=True)
    return root.read_bytes()


def _bundle(folder: Path, root: bytes, *, stranger: bool = False) -> Path:
    """Return an update with a root, signed with the key of the image or with another one."""
    folder.mkdir()
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
