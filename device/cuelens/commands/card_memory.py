"""What `cuelens card` remembers: the card's file that it answered last, and what it gave to the glasses.

`systemd/card-changed` reads the same folder without Python, at every boot.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from cuelens_models import regular_file
from cuelens_models.atomic_file import make_folder, sync_folder, write_whole
from cuelens_models.errors import BadInput

MOST_BYTES: Final = 1_000_000
"""Of a card's file. A longer one is no settings, and is not copied."""


class Memory:
    """The folder. Methods that write raise Unwritable or another OSError."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet. folder: it need not exist."""
        self._folder = folder
        self._seen = folder / "cuelens.toml"
        self._odd = folder / "odd"
        self._unfinished = folder / "unfinished"

    def knows(self, sight: bytes | str) -> bool:
        """Tell whether this was answered last, to the end."""
        file, content = self._place(sight)
        return read(file) == content and not self._unfinished.exists()

    def remember(self, sight: bytes | str) -> None:
        """Note that the answer to this begins.

        A power cut before `finish` leads to another answer, but to one only: what hangs once may hang each time, and
        the glasses wait for it.
        """
        make_folder(self._folder)
        again = self._unfinished.exists() and self.is_of(sight)
        if again:
            self.finish()
        else:
            write_whole(self._unfinished, b"")
        file, content = self._place(sight)
        other = self._odd if file == self._seen else self._seen
        other.unlink(missing_ok=True)
        write_whole(file, content)

    def is_of(self, sight: bytes | str) -> bool:
        """Tell whether this is what was remembered last, answered to its end or not."""
        file, content = self._place(sight)
        return read(file) == content

    def finish(self) -> None:
        """Note that the answer is complete."""
        self._unfinished.unlink(missing_ok=True)
        sync_folder(self._folder)

    def given(self, name: str) -> bytes | None:
        """Return what the card gave last for a file of the glasses' settings; None if nothing."""
        return read(self._folder / "given" / name)

    def give(self, name: str, content: bytes) -> None:
        """Remember what the card gives for a file."""
        if self.given(name) != content:
            make_folder(self._folder / "given")
            write_whole(self._folder / "given" / name, content)

    def _place(self, sight: bytes | str) -> tuple[Path, bytes]:
        return (self._seen, sight) if isinstance(sight, bytes) else (self._odd, sight.encode() + b"\n")


def look(file: Path) -> bytes | str:
    """Return the content of a card's file; a text that is another after a change, if it is nothing to be read.

    The text is what `stat -c '%f %s %Y'` prints.
    """
    status = file.stat()
    if not regular_file.fault(file, MOST_BYTES):
        with suppress(OSError):
            return file.read_bytes()
    return f"{status.st_mode:x} {status.st_size} {int(status.st_mtime)}"


def copy_beside(file: Path, content: bytes) -> Path:
    """Write what a file holds into the first free one of NAME-1, NAME-2, ... beside it, or find it there. Returns it.

    Raises Unwritable.
    """
    number = 1
    while os.path.lexists(kept := file.with_name(f"{file.stem}-{number}{file.suffix}")):
        if read(kept) == content:
            return kept
        number += 1
    write_whole(kept, content)
    return kept


def read(file: Path) -> bytes | None:
    """Return the content of a small file; None if it is missing. Raises BadInput if it cannot be read."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error
