"""The photographs of the demo scene, as cuelens ships them: grey copies of sample pictures of two other packages.

    .venv/bin/python tools/photographs.py

writes them into device/cuelens/adapters/photographs. NOTICE says who took them, and that anybody may pass them on.
"""

from pathlib import Path
from typing import Final

import cv2
import matplotlib
import numpy as np
import skimage

FOLDER: Final = Path(__file__).resolve().parents[1] / "device" / "cuelens" / "adapters" / "photographs"
SOURCES: Final = {
    "astronaut.png": Path(skimage.data_dir),
    "coffee.png": Path(skimage.data_dir),
    "grace_hopper.jpg": Path(matplotlib.get_data_path()) / "sample_data",
    "gravel.png": Path(skimage.data_dir),
}


def content(name: str) -> bytes:
    """Return a file as it is shipped: a JPEG as it is, of a PNG the grey levels."""
    source = SOURCES[name] / name
    if source.suffix == ".jpg":
        # A grey PNG of it would be three times as large.
        return source.read_bytes()
    grey = np.asarray(cv2.imread(str(source), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    return cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()


if __name__ == "__main__":
    for name in SOURCES:
        (FOLDER / name).write_bytes(content(name))
        print(FOLDER / name)
