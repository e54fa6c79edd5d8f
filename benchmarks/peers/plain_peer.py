"""`fer`'s int8 network on plain LiteRT with OpenCV's default cascade: a baseline of thirty lines.

plain_peer.py FRAMES.raw NETWORK.tflite. Prints JSON; `crop_ms` is the time from one crop to scores.
"""

import json
import resource
import sys
import time

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

WIDTH, HEIGHT, WARM = 640, 480, 5
CROPS = 2_000


def main() -> None:
    cv2.setNumThreads(1)
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    network = Interpreter(sys.argv[2], num_threads=1)
    network.allocate_tensors()
    source, target = network.get_input_details()[0], network.get_output_details()[0]
    side = source["shape"][1]

    def scores(face: np.ndarray) -> np.ndarray:
        levels = cv2.resize(face, (side, side)).astype(np.float32)
        network.set_tensor(source["index"], ((levels / 255 - 0.5) * 2)[None, :, :, None])
        network.invoke()
        return network.get_tensor(target["index"])[0]

    frames = np.fromfile(sys.argv[1], np.uint8).reshape(-1, HEIGHT, WIDTH)
    times_ms, detections, first_s = [], 0, 0.0
    for number, grey in enumerate(frames):
        start = time.process_time()
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        for x, y, width, height in boxes:
            scores(grey[y : y + height, x : x + width])
        end = time.process_time()
        first_s = first_s or end
        if number >= WARM:
            times_ms.append(1e3 * (end - start))
            detections += len(boxes) > 0
    x, y, width, height = boxes[0]
    face = grey[y : y + height, x : x + width].copy()
    start = time.process_time()
    for _ in range(CROPS):
        scores(face)
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
