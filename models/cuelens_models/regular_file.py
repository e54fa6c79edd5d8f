"""The guard before a file is read: a device or a FIFO may never end, and a huge file may take all memory."""

import stat
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 4_000_000_000
"""Largest file that any reader takes."""


def fault(path: Path, most_bytes: int = MOST_BYTES) -> str:
    """Return why a path should not be opened, to follow its name in a sentence; "" if nothing speaks against it.

    A path that is missing, a folder or not accessible is left to the reader, which knows what it expects.

    Args:
        path: to be read. A link counts as what it points to.
        most_bytes: size of the largest file to read.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(status.st_mode):
        return f"is over {most_bytes // 1_000_000} MB" if status.st_size > most_bytes else ""
    return "" if stat.S_ISDIR(status.st_mode) else "is a device or a pipe, no regular file"
