"""Memory that only a start needed.

A start reads the tables of symbols and the set-up code of all libraries, half of what the process holds by its end.
"""

import ctypes
import re
from pathlib import Path
from typing import Final

_UNCHANGED: Final = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ \d+ +/.*\n(?:(?!Anonymous:).*\n)*Anonymous: +0 kB$", re.MULTILINE
)
"""A mapping of a file for reading in which no page was changed; the linker has changed pages of a library's pointers.
The kernel documents the lines in Documentation/filesystems/proc.rst."""
_MADV_DONTNEED: Final = 4
"""Of linux/mman.h, on every processor that cuelens runs on."""


def give_back(smaps: Path = Path("/proc/self/smaps")) -> None:
    """Hand the pages of files back to the kernel. What is used again comes from its cache, mostly 16 pages at a time.

    Call it while no other thread loads a library: the linker maps a file for reading before it changes pages of it.

    smaps: the mappings of this process. Without such a file nothing is done.
    """
    try:
        mappings = smaps.read_bytes()
    except OSError:
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    for begin, end in _UNCHANGED.findall(mappings):
        # A refusal costs nothing but the pages.
        madvise(int(begin, 16), int(end, 16) - int(begin, 16), _MADV_DONTNEED)
