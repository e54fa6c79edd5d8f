"""docs/demo.png: the picture that `cuelens demo` writes, in few colours.

    python tools/demo_picture.py

The demo runs as fast as it can, so each run draws the same picture. What it shows may be shown: two portraits in the
public domain (NASA, US Navy), a cup and gravel (CC0).
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image

PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "demo.png"
MOST_BYTES: Final = 150_000
"""Largest picture that a reader of the README should wait for."""
_COLOURS: Final = 128


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "demo.png")
        command = [sys.executable, "-m", "cuelens", "demo", "--as-fast", "-o", str(drawn)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        # An octree keeps the few colours of lines and text; a median cut spends them on the greys of the frames.
        few = Image.open(drawn).convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)
    size = PICTURE.stat().st_size
    if size > MOST_BYTES:
        sys.exit(f"{PICTURE} has {size} bytes, more than {MOST_BYTES}: take fewer colours")
    print(f"{PICTURE}: {size} bytes")


if __name__ == "__main__":
    main()
