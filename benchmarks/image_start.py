"""What a start of the image costs: instructions from the kernel's first to the daemon's READY, on the emulated board.

    python -m benchmarks.image_start

It needs `make image`, and the header that benchmarks/a53/prepare.sh fetches. The measure is a start of the same root
that reaches multi-user.target without the glasses. Both cores and the kernel count; they repeat to a few percent.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.image.conftest import OUTPUT
from tests.image.emulator import Board
from tests.image.programs import program

_HERE = Path(__file__).resolve().parent
_OURS = ("cuelens.service", "cuelens-card.service", "cuelens-access-point-setup.service", "cuelens-page.path")
# The order of the board's own units is left alone: the door waits beside them.
_DOOR = Path(__file__).resolve().parents[1] / "tests" / "image" / "guest" / "door"


def main() -> None:
    """Boot twice each, and print the smaller count of each and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--header", type=Path, default=Path("build/a53"), help="folder of qemu-plugin.h")
    parser.add_argument("--runs", type=int, default=2)
    words = parser.parse_args()
    if not (OUTPUT / "cuelens.img").exists():
        sys.exit("image_start: no image is built: run make image")
    if not (words.header / "qemu-plugin.h").exists():
        sys.exit(f"image_start: {words.header} has no qemu-plugin.h: run benchmarks/a53/prepare.sh")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        plugin = work / "total.so"
        glib = subprocess.run(
            ["pkg-config", "--cflags", "glib-2.0"], capture_output=True, text=True, check=False
        ).stdout
        command = ["gcc", "-O2", "-shared", "-fPIC", f"-I{words.header}", *glib.split(), "-o", str(plugin)]
        subprocess.run([*command, str(_HERE / "a53" / "total.c")], check=True)
        (work / "disk").mkdir()
        shutil.copy(_DOOR, work / "disk" / "door")
        (work / "disk" / "setup").write_text("")
        subprocess.run(program("mkfs.erofs", "--quiet", work / "tests.erofs", work / "disk"), check=True)
        # The first start of a card makes more: it is not what is asked for.
        card = work / "card.img"
        subprocess.run(["cp", "--sparse=always", OUTPUT / "cuelens.img", card], check=True)
        os.truncate(card, 2 << 30)
        with Board(card, work / "first", tests=work / "tests.erofs") as board:
            board.run("systemctl is-system-running --wait || true; sync", 600)
        bare = min(_count(card, work, plugin, bare=True) for _ in range(words.runs))
        ours = min(_count(card, work, plugin, bare=False) for _ in range(words.runs))
    print(f"multi-user.target without the glasses  {bare / 1e9:6.2f} G instructions")
    print(f"READY of the glasses                   {ours / 1e9:6.2f} G instructions, {ours / bare:.2f} x")


def _count(card: Path, work: Path, plugin: Path, *, bare: bool) -> int:
    out = work / "count"
    out.unlink(missing_ok=True)
    masks = [f"systemd.mask={unit}" for unit in _OURS] if bare else []
    until = "multi-user.target" if bare else "cuelens.service"
    with Board(
        card, work / "board", tests=work / "tests.erofs", words=masks, machine=["-plugin", f"{plugin},out={out}"]
    ) as board:
        board.run(f"until systemctl is-active --quiet {until}; do sleep 1; done", 900)
        board.off("systemctl poweroff --force --force")
    return int(out.read_text())


if __name__ == "__main__":
    main()
