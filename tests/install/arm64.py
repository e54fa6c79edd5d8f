"""Programs for 64-bit Arm on this machine: as root of a user namespace, with QEMU in its own table of binary formats.

The kernel (6.7 and later) has such a table for each user namespace, so that of this machine stays as it is. Root lends
its own numbers to the namespace: files there belong to the users that the root folder knows.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

_FORMAT: Final = (
    r":qemu-aarch64:M:"
    r":\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)
_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_ENTER: Final = "unshare --mount --pid --fork --kill-child --mount-proc"


def lacking(*programs: str) -> str:
    """Return why no machine can be had here, or which of these programs is not installed; nothing if all is well."""
    if os.geteuid() != 0:
        return "only root lends its numbers to a namespace"
    if absent := [program for program in ("unshare", *programs) if not shutil.which(program)]:
        return f"not installed: {', '.join(absent)}"
    return ""


@dataclass(frozen=True)
class Machine:
    """What a program sees.

    Attributes:
        qemu: the emulator; None if nothing is emulated.
        root: its root folder; None for this machine's own.
        changes: folders that took what was written, the newest first; the first takes what is written now. Without any,
            `root` does.
        binds: files and folders of this machine, and where they are in the root folder.
    """

    qemu: Path | None = None
    root: Path | None = None
    changes: tuple[Path, ...] = ()
    binds: Mapping[Path, str] = field(default_factory=dict)

    def copy(self, folder: Path) -> "Machine":
        """Return the same machine, whose changes go to a new folder."""
        return replace(self, changes=(folder, *self.changes))

    def seeing(self, binds: Mapping[Path, str]) -> "Machine":
        """Return the same machine, which sees more of this one."""
        return replace(self, binds={**self.binds, **binds})

    def run(self, script: str, *arguments: object, timeout_s: float, **environment: str) -> "Ended":
        """Run a script of a POSIX shell in it.

        Args:
            script: "$1" and so on are `arguments`.
            arguments: words for the script.
            timeout_s: seconds after which it is killed; then it hangs.
            environment: variables of the script, besides PATH, LC_ALL and HOME.
        """
        outer = "\n".join(["set -eu", "mount --make-rprivate /", *self._prepared()])
        waiting = f'echo apart && read -r go && exec {_ENTER} /bin/sh -c "$@"'
        words = [outer, "arm64", f"set -eu\n{script}", "script", *map(str, arguments)]
        child = subprocess.Popen(
            ["unshare", "--user", "/bin/sh", "-c", waiting, "arm64", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": _PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", **environment},
        )
        try:
            assert child.stdout
            assert child.stdout.readline() == "apart\n", "no user namespace can be made"
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{child.pid}/{kind}").write_text("0 0 65536\n")
            out, err = child.communicate("go\n", timeout=timeout_s)
        except BaseException:
            child.kill()
            child.wait()
            raise
        return Ended(child.returncode, out, err)

    def _prepared(self) -> list[str]:
        """Return the lines of a shell that make the machine and begin the script."""
        lines = []
        if self.qemu:
            lines.append("mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc")
            lines.append(f"printf %s '{_FORMAT}:{self.qemu}:FPC' > /proc/sys/fs/binfmt_misc/register")
        if self.root is None:
            return [*lines, 'exec /bin/sh -c "$@"']
        place = shlex.quote(str(self.root))
        if self.changes:
            lower = ":".join([*(f"{folder}/new" for folder in self.changes[1:]), str(self.root)])
            top, place = self.changes[0], shlex.quote(f"{self.changes[0]}/whole")
            layers = shlex.quote(f"userxattr,lowerdir={lower},upperdir={top}/new,workdir={top}/work")
            lines.append(f"mkdir -p {shlex.quote(f'{top}/new')} {shlex.quote(f'{top}/work')} {place}")
            lines.append(f"mount -t overlay overlay -o {layers} {place}")
        lines += [f"mount --rbind /{name} {place}/{name}" for name in ("proc", "dev")]
        for source, inside in self.binds.items():
            begin = "mkdir -p" if source.is_dir() else f"mkdir -p $(dirname {place}{inside}) && touch"
            lines.append(f"{begin} {place}{inside} && mount --rbind {shlex.quote(str(source))} {place}{inside}")
        return [*lines, f'exec chroot {place} /bin/sh -c "$@"']


@dataclass(frozen=True)
class Ended:
    """How a program ended, and what it said."""

    status: int
    out: str
    err: str

    def well(self) -> str:
        """Return what it said. It must have succeeded."""
        assert self.status == 0, f"status {self.status}: {self.out[-4000:]}{self.err[-4000:]}"
        return self.out
