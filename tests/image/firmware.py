"""A stand-in for the firmware of the Raspberry Pi: reads the FAT of a card as the firmware does.

It knows what the image uses of https://www.raspberrypi.com/documentation/computers/config_txt.html: `include`,
`os_prefix`, `auto_initramfs`, `arm_64bit`, sections of boards, and `tryboot.txt` in place of `config.txt`, once, after
a reboot that asked for it.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.image.programs import program

_FAT_AT = 4 * 1024 * 1024
"""Where the FAT begins in the image, in bytes."""


@dataclass(frozen=True)
class Boot:
    """What the firmware hands to a processor: kernel, initramfs, and the words on the kernel's command line."""

    kernel: Path
    initramfs: Path
    command_line: str


class Card:
    """The FAT of a card's image. Reads and writes it from outside, as a computer does that the card is put into."""

    def __init__(self, image: Path) -> None:
        """image: the file of the whole card."""
        self._of = f"{image}@@{_FAT_AT}"

    def read(self, name: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""
        done = subprocess.run(program("mtype", "-i", self._of, f"::{name}"), capture_output=True, check=False)
        if done.returncode:
            raise FileNotFoundError(name)
        return done.stdout

    def write(self, name: str, content: bytes | Path) -> None:
        """Write a file."""
        source = content if isinstance(content, Path) else "-"
        subprocess.run(
            program("mcopy", "-o", "-i", self._of, str(source), f"::{name}"),
            input=None if isinstance(content, Path) else content, check=True,
        )  # fmt: skip

    def names(self, folder: str = "") -> list[str]:
        """Return the names in a folder."""
        done = subprocess.run(program("mdir", "-b", "-i", self._of, f"::{folder}"), capture_output=True, check=True)
        return [line.removeprefix("::").strip("/") for line in done.stdout.decode().splitlines()]


def settings(card: Card, file: str, board: str) -> dict[str, str]:
    """Return the settings in a configuration file for a board ("pi3", "pi02"), files that it includes among them."""
    found: dict[str, str] = {}
    section = "all"
    for line in card.read(file).decode().splitlines():
        text = line.partition("#")[0].strip()
        if header := re.fullmatch(r"\[(.*)\]", text):
            section = header[1]
        elif section not in {"all", board} or not text:
            continue
        elif text.startswith("include "):
            found |= settings(card, text.split()[1], board)
        else:
            name, _, value = text.partition("=")
            found[name.strip()] = value.strip()
    return found


def boot(card: Card, into: Path, *, tryboot: bool = False, board: str = "pi02") -> Boot:
    """Return what the firmware would start, its files copied into a folder.

    Raises FileNotFoundError if a file that the configuration names is missing: such a board shows a blinking light.
    """
    config = settings(card, "tryboot.txt" if tryboot else "config.txt", board)
    if config.get("arm_64bit") != "1":
        raise ValueError("a kernel of 64 bits is not asked for")
    prefix = config.get("os_prefix", "")
    into.mkdir(parents=True, exist_ok=True)
    names = {"kernel": config.get("kernel", "kernel8.img")}
    if config.get("auto_initramfs") == "1":
        names["initramfs"] = names["kernel"].removesuffix(".img").replace("kernel", "initramfs")
    for role, name in names.items():
        (into / role).write_bytes(card.read(prefix + name))
    words = card.read(prefix + config.get("cmdline", "cmdline.txt")).decode().split("\n")[0].strip()
    return Boot(into / "kernel", into / "initramfs", words)
