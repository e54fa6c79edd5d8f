"""Atomic writes: a power cut at any instant leaves the old file or the new one, never a part."""

import contextlib
import os
import threading
from pathlib import Path

from cuelens_models import regular_file
from cuelens_models.errors import Unwritable


def sync(path: Path) -> None:
    """Flush a finished file to its disk (fsync)."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, sync it, and rename it to `path`.

    A link is replaced, and what it points to is left alone. Raises Unwritable, for a device or a pipe too: the new file
    would stand in its place.
    """
    if fault := regular_file.fault(path):
        raise Unwritable(f"{path} {fault}: give the name of a file")
    # Of this thread alone: another may write the same file now.
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        # The temporary file is absent if its folder is missing or is no folder.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Unwritable(f"{path} cannot be written: {error.strerror}") from error


def make_folder(path: Path) -> None:
    """Make a folder with its parents, unless it exists. Raises Unwritable if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written to: {error.strerror}") from error
