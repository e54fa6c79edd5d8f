"""A board in an emulator: a card's image in its slot, a console, and a door for the tests.

The door is a unit that systemd takes from the firmware (a credential): a shell on a port of virtio. Nothing in the
image is changed for it.
"""

import base64
import re
import select
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.image import firmware
from tests.image.programs import TREE, program

_DOOR = """[Unit]
DefaultDependencies=no
After=local-fs.target systemd-udevd.service
Before=cuelens-card.service cuelens.service
[Service]
TimeoutStartSec=infinity
ExecStartPre=/bin/sh -c 'mkdir -p /run/tests; mount -r /dev/disk/by-id/virtio-tests /run/tests; sh /run/tests/setup'
ExecStart=/bin/sh /run/tests/door
Restart=always
"""
_END = b"\x1d"
"""Ends an answer, with the exit status behind it."""


def _qemu() -> list[str]:
    data = [TREE / "usr" / "share" / "qemu", TREE / "usr" / "lib" / "ipxe" / "qemu"]
    return program("qemu-system-aarch64", "-L", data[0], "-L", data[1])


def _device_tree(parts: Sequence[str], file: Path) -> Path:
    """Write the emulator's device tree with a board's name and revision in it: by these the glasses know their pins."""
    dump = [f"{part},dumpdtb={file}" if part == "virt" else part for part in parts]
    subprocess.run([*_qemu(), *dump], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    for words in (
        ["-t", "s", file, "/", "model", "Raspberry Pi Zero 2 W Rev 1.0"],
        ["-c", file, "/system"],
        ["-t", "x", file, "/system", "linux,revision", "0x902120"],
    ):
        subprocess.run(program("fdtput", *words), check=True)
    return file


class Dead(Exception):
    """The board does not answer: it was switched off, hangs, or was too slow."""


class Board:
    """A board that is switched on. Use it as a context: it is switched off at the end."""

    def __init__(
        self,
        card: Path,
        work: Path,
        *,
        tests: Path | None = None,
        tryboot: bool = False,
        words: Sequence[str] = (),
        machine: Sequence[str] = (),
    ) -> None:
        """Switch it on.

        Args:
            card: the file of the card, which is written to.
            work: a folder for kernel, sockets and the console's log.
            tests: a file system with the shell's script and what tests need; None for no door.
            tryboot: whether the firmware was asked for the one-time configuration.
            words: more words for the kernel's command line.
            machine: more arguments for the emulator.
        """
        work.mkdir(parents=True, exist_ok=True)
        started = firmware.boot(firmware.Card(card), work, tryboot=tryboot)
        self.log = work / "console.log"
        self._door = work / "door.sock"
        self._door.unlink(missing_ok=True)
        # On a busy machine the emulated processor stands still for longer than the 15 s of the hardware's watchdog.
        line = [started.command_line, "console=ttyAMA0", "systemd.watchdog_sec=120", *words]
        if tests:
            door = base64.b64encode(_DOOR.encode()).decode()
            line += [f"systemd.set_credential_binary=systemd.extra-unit.tests-door.service:{door}"]
            line += ["systemd.wants=tests-door.service"]
        parts = [
            "-M", "virt", "-cpu", "cortex-a53", "-smp", "2", "-m", "512", "-no-reboot", "-nographic", "-nodefaults",
            "-drive", f"file={card},if=none,id=card,format=raw,cache=writethrough",
            "-device", "virtio-blk-pci,drive=card,serial=card", "-device", "i6300esb", "-device", "virtio-rng-pci",
            *machine,
        ]  # fmt: skip
        if tests:
            parts += [
                "-drive", f"file={tests},if=none,id=tests,format=raw,readonly=on",
                "-device", "virtio-blk-pci,drive=tests,serial=tests", "-device", "virtio-serial-pci",
                "-chardev", f"socket,path={self._door},server=on,wait=off,id=door",
                "-device", "virtserialport,chardev=door,name=tests",
            ]  # fmt: skip
        command = [*_qemu(), *parts, "-dtb", str(_device_tree(parts, work / "board.dtb"))]
        command += ["-serial", f"file:{self.log}", "-append", " ".join(line)]
        command += ["-kernel", str(started.kernel), "-initrd", str(started.initramfs)]
        with (work / "emulator.log").open("w") as told:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
        self._talk: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def pull(self) -> None:
        """Pull the battery."""
        if self._talk:
            self._talk.close()
        self.process.kill()
        self.process.wait()

    def console(self) -> str:
        """Return what the console has shown."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def run(self, script: str, within_s: float = 120) -> str:
        """Run a shell script on the board as root, and return what it prints.

        Raises AssertionError if its exit status is not 0, Dead if no answer comes in time.
        """
        status, said = self.attempt(script, within_s)
        assert status == 0, f"status {status} of:\n{script}\n{said}"
        return said

    def attempt(self, script: str, within_s: float = 120) -> tuple[int, str]:
        """Run a shell script on the board, and return its exit status and what it prints."""
        end = time.monotonic() + within_s
        answer = b""
        talk = self._connection(end)
        talk.sendall(base64.b64encode(script.encode()) + b"\n")
        while not (found := re.search(_END + rb"(\d+)\n", answer)):
            if not select.select([talk], [], [], 1.0)[0]:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Dead(
                        f"no answer to:\n{script}\n{answer.decode('utf-8', 'replace')}\n{self.console()[-2000:]}"
                    )
                continue
            if not (part := talk.recv(65536)):
                raise Dead(f"switched off during:\n{script}")
            answer += part
        return int(found[1]), answer[: found.start()].decode("utf-8", "replace").removeprefix("ready\n")

    def _connection(self, end: float) -> socket.socket:
        while self._talk is None:
            talk = socket.socket(socket.AF_UNIX)
            try:
                talk.connect(str(self._door))
                # The script says that it is there once it has opened the port.
                if select.select([talk], [], [], max(0.0, end - time.monotonic()))[0] and talk.recv(6) == b"ready\n":
                    self._talk = talk
                    break
            except OSError:
                pass
            talk.close()
            if time.monotonic() > end or self.process.poll() is not None:
                raise Dead(f"the board did not come up:\n{self.console()[-3000:]}")
            time.sleep(0.2)
        return self._talk

    def off(self, script: str) -> None:
        """Run a shell script that switches the board off, and wait until it is off."""
        self._connection(time.monotonic() + 60).sendall(base64.b64encode(script.encode()) + b"\n")
        self.ended(120)

    def ended(self, within_s: float) -> str:
        """Wait until the board is switched off or resets, and return the console. Raises Dead if it does not."""
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired as error:
            raise Dead(f"still on after {within_s} s:\n{self.console()[-2000:]}") from error
        return self.console()
