"""Where a story lies: the names of its files. Whoever keeps no story need not load SQLite for them."""

from pathlib import Path
from typing import Final

FILE: Final = "story.sqlite"
_JOURNALS: Final = ("-wal", "-shm")


def files_of(path: Path) -> list[Path]:
    """Return every file of a story: the database, and SQLite's two journal files."""
    return [path, *(path.with_name(path.name + ending) for ending in _JOURNALS)]
