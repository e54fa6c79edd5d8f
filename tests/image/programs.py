"""Programs of the image's tools tree, run without entering it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "device"))

from image import tools

TREE = tools.tree()


def program(name: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs a program of the tools tree with its own libraries."""
    (loader,) = TREE.glob("lib64/ld-linux-*.so.*")
    libraries = ":".join(str(folder) for folder in sorted(TREE.glob("usr/lib/*-linux-gnu")))
    return [str(loader), "--library-path", libraries, str(TREE / "usr" / "bin" / name), *map(str, arguments)]
