"""What a program did to files and sockets, by the kernel's own account: strace, one file a thread.

Two ways past it would be no system call: a mapping of a file that is shared and can be written, which is listed, and a
device that a driver reads from memory (the camera's and the sound card's, which this machine lacks).
"""

import os
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg")
UNSEEN = ("sendfile", "copy_file_range", "splice", "tee", "vmsplice", "io_uring_setup", "process_vm_writev")
"""Calls that move bytes without showing them."""
CALLS = ",".join(("%file", "%network", *WRITES, *UNSEEN, "mmap", "memfd_create", "ftruncate", "fchmod", "fchown"))
CHANGES = re.compile(
    r"rename|link|unlink|symlink|mkdir|rmdir|mknod|truncate|l?chown|chmod|fchmodat|fchownat|utime|futimesat"
    r"|l?setxattr|l?removexattr|mount|umount|pivot_root|swapon"
)
OPENS = ("open", "openat", "openat2", "creat")
_LINE = re.compile(r"(\w+)\((.*)\)\s+= (.*)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_PLACE = re.compile(r"<((?:\\x[0-9a-f]{2})+|[\w-]+:\[[^\]]*\])(?:<[^<>]*>)?>")


def why_not() -> str:
    """Return why nothing can be traced here; "" if it can."""
    if not shutil.which("strace"):
        return "needs strace (apt install strace)"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine lets nobody trace"


def traced(command: Sequence[str], folder: Path) -> list[str]:
    """Return a command that traces another, with everything that it starts, into a folder."""
    folder.mkdir()
    options = ["-ff", "-qq", "-y", "-yy", "-xx", "-s", "16000000", "-e", "signal=none", "-e", f"trace={CALLS}"]
    return ["strace", *options, "-o", str(folder / "thread"), "--", *command]


def on_read_only_root(command: Sequence[str], writable: Sequence[Path]) -> list[str]:
    """Return a command that runs another where only some folders can be written to. It needs root."""
    binds = "".join(f"mount --bind '{folder}' '{folder}'\n" for folder in writable)
    script = f'set -e\nmount --make-rprivate /\n{binds}mount -o remount,bind,ro /\nexec "$@"'
    return ["unshare", "-m", "sh", "-c", script, "sh", *command]


@dataclass
class Trace:
    """What was done.

    Attributes:
        changed: paths that were made, opened for writing, renamed, removed or given other rights, with the call.
        sent: bytes by where they were written: a path, or a kind of socket or pipe with its numbers.
        sockets: families of the sockets that were made.
        connected: families that were connected to, or bound.
        mapped: files that were mapped so that they can be written.
        unseen: calls that move bytes without showing them.
        refused: changes that were tried in vain, with the error.
        programs: that were started.
    """

    changed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    sent: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    sockets: set[str] = field(default_factory=set)
    connected: set[str] = field(default_factory=set)
    mapped: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    programs: list[str] = field(default_factory=list)


def read(folder: Path) -> Trace:
    """Read what `traced` has left."""
    trace = Trace()
    for file in sorted(folder.iterdir()):
        for call, given, result in _calls(file):
            _note(trace, call, given, result)
    return trace


def _calls(file: Path) -> Iterator[tuple[str, str, str]]:
    for line in file.read_text("ascii", "replace").splitlines():
        if match := _LINE.fullmatch(line):
            yield match[1], match[2], match[3]


def _note(trace: Trace, call: str, given: str, result: str) -> None:
    failed = _failed(result)
    if call in OPENS:
        if call == "creat" or re.search(r"O_WRONLY|O_RDWR|O_CREAT", given):
            _change(trace, call, [_strings(given)[0].decode()] if failed else [_place(result)], result)
    elif call in ("ftruncate", "fchmod", "fchown"):
        _change(trace, call, [_place(given)], result)
    elif CHANGES.match(call):
        _change(trace, call, [_absolute(one.decode(), given) for one in _strings(given)], result)
    elif call in ("socket", "socketpair", "connect", "bind"):
        _note_socket(trace, call, given, result)
    elif call in UNSEEN:
        trace.unseen.add(call)
    elif call in WRITES and not failed:
        # What stands before is the name of the other end.
        trace.sent[_place(given)] += _bytes(_PLACE.sub("", given, count=1), result)
    elif call == "mmap" and "MAP_SHARED" in given and "PROT_WRITE" in given and "<" in given:
        trace.mapped.add(_place(given))
    elif call == "execve" and not failed:
        trace.programs.append(_strings(given)[0].decode())


def _note_socket(trace: Trace, call: str, given: str, result: str) -> None:
    """Note a socket, even if it could not be had."""
    if call in ("socket", "socketpair"):
        trace.sockets.add(given.partition(",")[0])
        return
    family = re.search(r"sa_family=(\w+)", given)
    trace.connected.add(f"{call} {family[1] if family else given}")
    if call == "bind" and family and family[1] == "AF_UNIX":
        _change(trace, call, [one.decode() for one in _strings(given)], result)


def _change(trace: Trace, call: str, paths: Sequence[str], result: str) -> None:
    for path in paths:
        if _failed(result):
            trace.refused.add(f"{call} {path}: {result}")
        else:
            trace.changed[path].add(call)


def _failed(result: str) -> bool:
    """Whether a call failed, or never returned, as its thread was ended."""
    return result.startswith(("-1", "?"))


def _absolute(path: str, given: str) -> str:
    """Return a path from the root on. A relative one belongs to the folder that stands before it."""
    if path.startswith("/"):
        return path
    folder = _place(given)
    return f"{folder}/{path}" if folder.startswith("/") else path


def _strings(given: str) -> list[bytes]:
    found = []
    for text, cut in _STRING.findall(given):
        assert not cut, "the trace is cut short"
        found.append(bytes.fromhex(text.replace("\\x", "")))
    return found


def _bytes(given: str, result: str) -> bytes:
    """Return what a call wrote, of that as much as the kernel took."""
    count = int(result.split(maxsplit=1)[0])
    return b"".join(_strings(given))[: count if count > 0 else None]


def _place(given: str) -> str:
    """Return the path or the kind of the first descriptor in the arguments."""
    match = _PLACE.search(given)
    assert match, given
    place = match[1]
    return bytes.fromhex(place.replace("\\x", "")).decode("utf-8", "replace") if place.startswith("\\x") else place
