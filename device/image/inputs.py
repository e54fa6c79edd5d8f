"""What an image is made from, as one number: the same number is the same image."""

import hashlib
import subprocess
from pathlib import Path
from typing import Final

from image.places import REPOSITORY, cache

_INPUTS: Final = (
    "device",
    "models",
    "convert",
    "systemd",
    "constraints",
    "examples/card.toml",
    "pyproject.toml",
    "tests/image",
)


def tried() -> Path:
    """Return the file that is there once the emulator has tried these inputs."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--", *_INPUTS], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    total = hashlib.sha256()
    for name in sorted(filter(None, files)):
        total.update(name.encode())
        total.update((REPOSITORY / name).read_bytes())
    return cache() / "tried" / total.hexdigest()[:16]
