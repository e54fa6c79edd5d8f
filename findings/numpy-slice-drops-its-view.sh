#!/usr/bin/env bash
# A pool of frame buffers hands out views, and takes the memory back when a view was collected (weakref.finalize).
# numpy shortens chains of views: the base of a slice is the array that owns the memory, not the view that was sliced.
# So the view dies while a crop of it is in use, and the pool would write over that crop. An array over memory that is no
# array (a bytearray) is where the chain ends, and it lives as long as any slice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numpy==2.2.6" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import gc
import sys
import weakref

import numpy as np

print("Python", sys.version.split()[0], "numpy", np.__version__)


def lives_while_its_crop_does(frame):
    """Return whether the frame is alive after all but a crop of it was dropped."""
    crop, alive = frame[10:20, 10:20], weakref.ref(frame)
    del frame
    gc.collect()
    return crop.size > 0 and alive() is not None


owner = np.zeros((48, 48), np.uint8)
memory = bytearray(48 * 48)
seen = {
    "a view of an array": lives_while_its_crop_does(owner[:]),
    "an array over a bytearray": lives_while_its_crop_does(np.ndarray((48, 48), np.uint8, buffer=memory)),
    "a reshaped view over a bytearray": lives_while_its_crop_does(np.frombuffer(memory, np.uint8).reshape(48, 48)),
}
for what, lives in seen.items():
    print(f"{what}: {'lives' if lives else 'is gone'} while a crop of it is in use")
expected = dict(zip(seen, (False, True, False)))
sys.exit(seen != expected)
PYTHON
