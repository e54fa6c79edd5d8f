"""Writing a file whole or not at all: a power cut at any instant leaves the old one or the new one."""

import contextlib
import os
from pathlib import Path

from cuelens_models.errors import Unwritable


def sync(path: Path) -> None:
    """Return once a file that somebody else wrote is safe on its disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write to a temporary beside `path`, sync it, and rename it into place. Raises Unwritable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # The folder itself may be missing, or no folder at all.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Unwritable(f"{path} cannot be written: {error.strerror}") from error


def writable(path: Path) -> None:
    """Make the folder. Raises Unwritable if that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written to: {error.strerror}") from error
