"""cuelens on the same frames: our_peer.py FRAMES.raw. Prints JSON; `crop_ms` is the time from one crop to scores."""

import json
import resource
import sys
import time

import cv2
import numpy as np

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame
from cuelens.runtime.build import assemble
from cuelens.vision.classifier import Reader
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter

WIDTH, HEIGHT, WARM = 640, 480, 5
CROPS = 2_000


def main() -> None:
    cv2.setNumThreads(1)
    interpreter, watch = Interpreter(load(SHIPPED)), StageTimes()
    beats = assemble(HaarDetector(), interpreter, watch)
    frames = np.fromfile(sys.argv[1], np.uint8).reshape(-1, HEIGHT, WIDTH)
    times_ms, detections, first_s = [], 0, 0.0
    # The frames are played twice, forwards and backwards. The first pass is the warm-up, in which the face is found.
    for number, grey in enumerate([*frames, *frames[::-1]]):
        frame = Frame(grey, number / 15, 0)
        start = time.process_time()
        faces = beats.process(frame).faces
        end = time.process_time()
        if faces and not first_s:
            first_s = end
        if number >= len(frames):
            times_ms.append(1e3 * (end - start))
            detections += bool(faces)
    face, reader = faces[0], Reader(interpreter, watch)
    start = time.process_time()
    for _ in range(CROPS):
        reader.read(frame, face)
    crop_ms = 1e3 * (time.process_time() - start) / CROPS
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "ms": float(np.mean(times_ms)),
        "found": detections / len(times_ms),
        "rss_mb": rss_mb,
        "start_s": first_s,
    }
    print(json.dumps(figures | {"crop_ms": crop_ms}))


if __name__ == "__main__":
    main()
