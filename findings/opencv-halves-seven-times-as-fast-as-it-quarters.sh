#!/usr/bin/env bash
# OpenCV shrinks a picture by a whole factor with INTER_AREA to the means of its blocks. By two it has code of its own
# for grey pictures. By four it takes several times as long as halving twice does, for the same picture but for
# rounding: halving rounds .5 up each time, so the twice halved picture is a quarter of a grey level brighter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "opencv-python-headless==4.11.0.86" "numpy==2.2.6" 2>/dev/null
venv/bin/python - <<'PYTHON'
import platform
import sys
import time

import cv2
import numpy as np

cv2.setNumThreads(1)
picture = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
means = picture.reshape(120, 4, 160, 4).mean(axis=(1, 3))


def shrunk(whole, factor):
    size = whole.shape[1] // factor, whole.shape[0] // factor
    return cv2.resize(whole, size, interpolation=cv2.INTER_AREA)


def quarter():
    return shrunk(picture, 4)


def halves():
    return shrunk(shrunk(picture, 2), 2)


def least_ms(call):
    times = []
    for _ in range(200):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


once, twice = least_ms(quarter), least_ms(halves)
off = [float((way() - means).mean()) for way in (quarter, halves)]
print(f"Python {platform.python_version()}, OpenCV {cv2.__version__}, {platform.machine()}, 640x480 grey to 160x120")
print(f"by four: {once:.3f} ms, {off[0]:+.2f} grey levels from the mean; by two twice: {twice:.3f} ms, {off[1]:+.2f}")
print(f"halving twice is {once / twice:.1f} times as fast")
sys.exit(not (once > 3 * twice and abs(off[0]) < 0.05 and 0.15 < off[1] < 0.35))
PYTHON
