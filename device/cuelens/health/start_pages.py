"""Memory that only a start needed.

A start reads the tables of symbols and the set-up code of all libraries, half of what the process holds by its end.
"""

import ctypes
import re
from pathlib import Path
from typing import Final

_FILES: Final = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \d+ +/.*\n(?:(?!Anonymous:).*\n)*Anonymous: +(\d+) kB$", re.MULTILINE
)
"""The mappings of files: where they begin and end, what is allowed there, and how much of each was changed. The kernel
documents the lines in Documentation/filesystems/proc.rst."""
_MADV_DONTNEED: Final = 4
"""Of linux/mman.h, on every processor that cuelens runs on."""


def give_back(smaps: Path = Path("/proc/self/smaps")) -> None:
    """Hand the pages of files back to the kernel. What is used again comes from its cache, mostly 16 pages at a time.

    Call it while no other thread loads a library: the linker maps a file for reading before it changes pages of it.

    Pages that were changed stay: the linker has changed those of a library's pointers.

    smaps: the mappings of this process. Without such a file nothing is done, nor with one that cannot be relied on.
    """
    try:
        mappings = smaps.read_bytes()
    except OSError:
        return
    files = _FILES.findall(mappings)
    if not any(int(changed_kb) for *_, changed_kb in files):
        # No program runs without changed pages. QEMU's emulation of programs says 0 of every file.
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for begin, end, allowed, changed_kb in files:
        if re.fullmatch(b"r-.p", allowed) and not int(changed_kb):
            # A refusal costs nothing but the pages.
            madvise(int(begin, 16), int(end, 16) - int(begin, 16), _MADV_DONTNEED)
