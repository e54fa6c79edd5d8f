"""Atomic writes: a power cut at any instant leaves the old file or the new one, never a part.

What a function has written when it returns is there after a power cut. A process that was killed leaves its temporary
file; the next write of the same file deletes it, and so does `clear`.
"""

import contextlib
import glob
import os
import re
import threading
from pathlib import Path
from typing import Final

from cuelens_models import regular_file
from cuelens_models.errors import Unwritable

_TEMPORARY: Final = re.compile(r"\..+\.\d{1,9}\.tmp", re.DOTALL)
"""Name of a temporary file, with the number of the thread that writes it."""


def sync(path: Path) -> None:
    """Flush a finished file to its disk (fsync)."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to its disk: without it a power cut takes back the renames of some seconds."""
    # Some file systems, as those of a network, sync no folder. The files themselves are whole all the same.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def clear(folder: Path, name: str = "*") -> None:
    """Delete the temporary files that killed processes left in a folder.

    A file stays whose thread has a number that is in use now: it may be writing. So does one that this user may not
    delete.

    Args:
        folder: it need not exist.
        name: of the file whose temporary files these are, as a pattern of `glob`.
    """
    # A folder that this user may not enter is left to whoever writes in it.
    with contextlib.suppress(OSError):
        left = [file for file in folder.glob(f".{name}.*.tmp") if _TEMPORARY.fullmatch(file.name)]
        for file in left:
            if not _is_running(int(file.name.split(".")[-2])):
                with contextlib.suppress(OSError):
                    file.unlink()


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to a temporary file beside `path`, sync it, rename it to `path`, and sync the folder.

    A link is replaced, and what it points to is left alone. Raises Unwritable, for a device or a pipe too: the new file
    would stand in its place. An empty path is this folder.
    """
    if fault := regular_file.fault(path) if path.name else "is a folder":
        raise Unwritable(f"{path} {fault}: give the name of a file")
    # Of this thread alone: another may write the same file now.
    temporary = path.with_name(f".{path.name}.{threading.get_native_id()}.tmp")
    clear(path.parent, glob.escape(path.name))
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        # The temporary file is absent if its folder is missing or is no folder.
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise Unwritable(f"{path} cannot be written: {error.strerror}") from error


def _is_running(thread: int) -> bool:
    try:
        # The kernel takes the number of any thread for that of its process.
        os.kill(thread, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        # It belongs to another user.
        return True
    return True


def make_folder(path: Path) -> None:
    """Make a folder with its parents, unless it exists. Raises Unwritable if that fails."""
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            sync_folder(folder.parent)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written to: {error.strerror}") from error
