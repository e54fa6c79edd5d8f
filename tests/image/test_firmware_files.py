"""What the firmware of a board finds on a card: its programs, device trees and overlays, from a made-up root."""

import re
from pathlib import Path

import pytest

from image import namespace, root
from image.failure import Failure

CARD = Path(__file__).resolve().parents[2] / "device" / "image" / "card"
PROGRAMS = ("bootcode.bin", "fixup.dat", "fixup4.dat", "start.elf", "start4.elf")
TREES = ("bcm2710-rpi-zero-2-w.dtb", "bcm2710-rpi-3-b.dtb", "bcm2711-rpi-4-b.dtb", "bcm2712-rpi-5-b.dtb")


def _arranged(work: Path, *files: str) -> list[str]:
    """Return what is for the card, and what is left, of a root with some files."""
    for name in files:
        file = work / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    try:
        namespace.run(root.FIRMWARE, work, tools=None)
    except Failure as failure:
        if "namespace" in str(failure):
            pytest.skip(str(failure))
        raise
    found = (file for file in (work / "root").rglob("*") if file.is_file())
    return sorted(str(file.relative_to(work / "root")).removeprefix("usr/lib/") for file in found)


@pytest.mark.parametrize("trees", ["usr/lib/linux-image-6.18-rpi-v8", "usr/lib/modules/6.18-rpi-v8/dtb"])
def test_a_card_has_all_that_the_firmware_of_a_board_reads(tmp_path: Path, trees: str) -> None:
    settings = "".join(file.read_text() for file in CARD.glob("*.txt"))
    named = set(re.findall(r"^dtoverlay=([^,\n]+)", settings, re.MULTILINE))
    assert named
    overlays = [f"overlays/{name}.dtbo" for name in named] + ["overlays/README"]
    given = [f"usr/lib/raspi-firmware/{name}" for name in (*PROGRAMS, "start4db.elf")]
    given += [f"{trees}/broadcom/{name}" for name in (*TREES, "bcm2837-rpi-3-b.dtb")]
    given += [f"{trees}/{name}" for name in overlays]
    given += [f"{trees}/qcom/telephone.dtb", "usr/lib/modules/6.18-rpi-v8/kernel/fs/overlay.ko"]
    assert _arranged(tmp_path, *given) == sorted(
        [
            *(f"cuelens-image/firmware/{name}" for name in PROGRAMS),
            *(f"cuelens-image/boot/{name}" for name in (*TREES, *overlays)),
            "modules/6.18-rpi-v8/kernel/fs/overlay.ko",
        ]
    )


def test_an_emulator_needs_none_of_it(tmp_path: Path) -> None:
    assert _arranged(tmp_path, "usr/lib/modules/7/kernel/fs/overlay.ko") == ["modules/7/kernel/fs/overlay.ko"]
    assert (tmp_path / "root" / "usr" / "lib" / "cuelens-image" / "firmware").is_dir()
