#!/usr/bin/env bash
# OpenCV's Haar cascade has a window of 20 pixels. Windows of up to 40 pixels are tried at every second pixel of a
# picture that was scaled to the window, larger ones at every pixel: four times as many. So a face of about 40 pixels has
# more hits from windows that are too large for it than from those that are too small. The box is their mean: the same
# face is measured up to a tenth too large there, and rightly when it has 30 pixels, or 60.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "opencv-python-headless==4.12.0.88" "scikit-image==0.25.2" 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
from skimage import data

print("Python", sys.version.split()[0], "OpenCV", cv2.__version__)
picture = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:256, 100:356]
cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
FACE = 98
"""Side of the face in the whole picture, where all its windows are far larger than 40 pixels."""


def measured(side):
    """Return hits of windows up to 40 pixels and beyond, and the side of the box, for a face of this side."""
    share = side / FACE
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    largest = round(1.5 * side)
    hits = [w for _, _, w, _ in cascade.detectMultiScale(small, 1.05, 0, 0, (20, 20), (largest, largest))]
    boxes = cascade.detectMultiScale(small, 1.05, 3, 0, (20, 20), (largest, largest))
    return sum(w <= 40 for w in hits), sum(w > 40 for w in hits), max(int(box[2]) for box in boxes)


ratio = {}
for side in (30, 36, 40, 44, 60, 80):
    up_to, beyond, box = measured(side)
    ratio[side] = box / side
    print(f"a face of {side}: hits of windows up to 40 {up_to}, of larger ones {beyond}; box {box}, {box / side:.2f} x")
too_large = min(ratio[36], ratio[40]) > 1.05
right = all(abs(ratio[side] - 1) < 0.04 for side in (30, 60, 80))
sys.exit(not (too_large and right))
PYTHON
