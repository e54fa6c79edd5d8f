"""`fer`'s int8 network on plain LiteRT behind OpenCV's default cascade: the best to be made of it in thirty lines.

plain_peer.py FRAMES.raw NETWORK.tflite. Prints JSON; `crop_ms` is one ready crop to scores.
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
    given, answer = network.get_input_details()[0], network.get_output_details()[0]
    side = given["shape"][1]

    def scores(face: np.ndarray) -> np.ndarray:
        levels = cv2.resize(face, (side, side)).astype(np.float32)
        network.set_tensor(given["index"], ((levels / 255 - 0.5) * 2)[None, :, :, None])
        network.invoke()
        return network.get_tensor(answer["index"])[0]

    frames = np.fromfile(sys.argv[1], np.uint8).reshape(-1, HEIGHT, WIDTH)
    spent, found, first_s = [], 0, 0.0
    for number, grey in enumerate(frames):
        began = time.process_time()
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        for x, y, width, height in boxes:
            scores(grey[y : y + height, x : x + width])
        ended = time.process_time()
        first_s = first_s or ended
        if number >= WARM:
            spent.append(1e3 * (ended - began))
            found += len(boxes) > 0
    x, y, width, height = boxes[0]
    face = grey[y : y + height, x : x + width].copy()
    began = time.process_time()
    for _ in range(CROPS):
        scores(face)
    crop_ms = 1e3 * (time.process_time() - began) / CROPS
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"ms": float(np.mean(spent)), "found": found / len(spent), "rss_mb": rss_mb, "start_s": first_s}
    print(json.dumps(told | {"crop_ms": crop_ms}))


if __name__ == "__main__":
    main()
