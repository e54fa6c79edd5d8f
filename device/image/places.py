"""Where the parts of the image lie."""

import os
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
REPOSITORY: Final = HERE.parents[1]
OUTPUT: Final = REPOSITORY / "build" / "image"


def cache() -> Path:
    """Return the folder of what is slow to make: CUELENS_CACHE, else `cuelens` in the user's cache."""
    given = os.environ.get("CUELENS_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else home / "cuelens"
