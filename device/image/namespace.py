"""Programs of the tools tree as root of a user namespace of their own: no right on this machine is asked for.

In the namespace, programs for 64-bit Arm run under the emulator of the tools tree. The kernel (6.7 and later) has a
table of binary formats for each user namespace; that of the machine stays as it is.
"""

import os
import pwd
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from image.failure import Failure

_AARCH64: Final = (
    ":qemu-aarch64:M:"
    r":\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
    ":/usr/bin/qemu-aarch64:FPC"
)
_IDS: Final = 65536


def run(
    script: str,
    *arguments: str | Path,
    tools: Path | None,
    binds: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> str:
    """Run a shell script as root of a new namespace, and return its standard output.

    Args:
        script: Commands of a POSIX shell; `set -eu` stands before them. "$1" and so on are `arguments`.
        arguments: Words for the script.
        tools: Tree that becomes the root folder; None for this machine's own.
        binds: Folders of this machine, which are under the same names in the tree.
        environment: Variables of the script, besides PATH, LC_ALL and HOME.
        log: File that standard error is added to; None for this process's.

    Raises Failure if a command of the script fails, or if no namespace can be made.
    """
    inner = ["set -eu", "mount --make-rprivate /"]
    if tools:
        root = shlex.quote(str(tools))
        inner += [
            f"mount --rbind /dev {root}/dev",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /sys {root}/sys",
        ]
        for folder in binds:
            place = shlex.quote(f"{tools}{folder}")
            inner += [f"mkdir -p {place}", f"mount --rbind {shlex.quote(str(folder))} {place}"]
        inner += [f"cat /etc/resolv.conf > {root}/etc/resolv.conf", f"cat /etc/hosts > {root}/etc/hosts"]
        inner += [f'exec chroot {root} /bin/sh -c {shlex.quote(_emulated(script))} image "$@"']
    else:
        inner.append(f'exec /bin/sh -c {shlex.quote(f"set -eu; {script}")} image "$@"')
    variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root", **(environment or {})}
    waiting = 'echo apart && read -r go && exec unshare --mount --pid --fork --kill-child --mount-proc /bin/sh -c "$@"'
    command = ["unshare", "--user", "/bin/sh", "-c", waiting, "image", "\n".join(inner), "image", *map(str, arguments)]
    errors = log.open("a") if log else None
    try:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=variables
        )
        try:
            if child.stdout is None or child.stdout.readline() != "apart\n":
                raise Failure("no namespace of users can be made: the kernel or its administrator forbids it")
            _map_ids(child.pid)
            out, _ = child.communicate("go\n")
        except BaseException:
            child.send_signal(signal.SIGKILL)
            child.wait()
            raise
    finally:
        if errors:
            errors.close()
    if child.returncode:
        told = f"; {log} says why" if log else ""
        raise Failure(f"a step of the build ended with status {child.returncode}{told}")
    return out


def _emulated(script: str) -> str:
    return "\n".join(
        [
            "set -eu",
            "if [ -x /usr/bin/qemu-aarch64 ]; then",
            "    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc",
            f"    printf %s '{_AARCH64}' > /proc/sys/fs/binfmt_misc/register",
            "fi",
            script,
        ]
    )


def _map_ids(process: int) -> None:
    """Make this user root of the namespace of a process. Root lends it the first 65,536 numbers as they are."""
    if os.geteuid() == 0:
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{process}/{kind}").write_text(f"0 0 {_IDS}\n")
        return
    for program, file, own in (("newuidmap", "/etc/subuid", os.getuid()), ("newgidmap", "/etc/subgid", os.getgid())):
        first, count = _subordinate(Path(file))
        ids = ["0", str(own), "1", "1", str(first), str(min(count, _IDS - 1))]
        made = subprocess.run([program, str(process), *ids], capture_output=True, text=True, check=False)
        if made.returncode:
            raise Failure(f"no namespace of users can be made: {made.stderr.strip()}")


def _subordinate(file: Path) -> tuple[int, int]:
    """Return the first number that is lent to this user, and how many are."""
    name = pwd.getpwuid(os.getuid()).pw_name
    for line in file.read_text().splitlines() if file.exists() else []:
        user, first, count = line.split(":")
        if user in {name, str(os.getuid())}:
            return int(first), int(count)
    remedy = f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}"
    raise Failure(f"{file} lends no numbers to {name}: run `{remedy}`")
