"""The `fer` package on frames, with its defaults. Run by its own Python: fer_peer.py FRAMES.raw. Prints JSON."""

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
    spent, found, first_s = [], 0, 0.0
    for number, grey in enumerate(frames):
        began = time.process_time()
        faces = detector.detect_emotions(np.repeat(grey[..., None], 3, axis=2))
        ended = time.process_time()
        first_s = first_s or ended
        if number >= WARM:
            spent.append(1e3 * (ended - began))
            found += bool(faces)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"ms": float(np.mean(spent)), "found": found / len(spent), "rss_mb": rss_mb, "start_s": first_s}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
