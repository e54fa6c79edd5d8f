"""The `fer` package with its defaults on frames. Run with its own Python: fer_peer.py FRAMES.raw. Prints JSON."""

import json
import resource
import sys
import time

import numpy as np

WIDTH, HEIGHT, WARM = 640, 480, 5


def main() -> None:
    from fer.fer import FER

    detector = FER()
    frames = np.fromfile(sys.argv[1], np.uint8).reshape(-1, HEIGHT, WIDTH)
    times_ms, detections, first_s = [], 0, 0.0
    for number, grey in enumerate(frames):
        start = time.process_time()
        faces = detector.detect_emotions(np.repeat(grey[..., None], 3, axis=2))
        end = time.process_time()
        first_s = first_s or end
        if number >= WARM:
            times_ms.append(1e3 * (end - start))
            detections += bool(faces)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "ms": float(np.mean(times_ms)),
        "found": detections / len(times_ms),
        "rss_mb": rss_mb,
        "start_s": first_s,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
