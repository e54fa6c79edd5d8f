"""Files and folders that root makes in another user's folder belong to that user, who could not use them otherwise."""

import os
from pathlib import Path


def hand_over(*paths: Path) -> None:
    """Give each path the owner and the group of the folder that it lies in, if root runs this. Raises OSError.

    paths: a folder stands before what lies in it.
    """
    if os.geteuid() != 0:
        return
    for path in paths:
        folder = path.parent.stat()
        # A user may have put a link in its place meanwhile.
        os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def missing(folder: Path) -> list[Path]:
    """Return the folders that would be made with a folder, outermost first: its missing parents, and itself."""
    return [path for path in (*reversed(folder.parents), folder) if not os.path.lexists(path)]
