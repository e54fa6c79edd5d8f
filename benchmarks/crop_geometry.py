"""Measure the ratio between faces of FER2013 and boxes of the Haar detector: the source of the crop rule.

    python benchmarks/crop_geometry.py --data DATA

Training faces (never held-out ones) are enlarged, padded, and scanned by the detector of the glasses. The crop rule's
`scale` is the median of side(face picture) / side(box). Its `shift_y` is the median downward offset of the picture's
centre, in picture sides.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from cuelens.adapters.haar import NAME, HaarDetector
from cuelens_models.data.load import load

ENLARGED = 144
BORDER = 72


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=2000)
    options = parser.parse_args()
    faces = load(options.data).training.pixels[: options.faces]
    detector = HaarDetector()
    scales, shifts_x, shifts_y = [], [], []
    for face in faces:
        large = cv2.resize(face, (ENLARGED, ENLARGED), interpolation=cv2.INTER_LINEAR)
        picture = cv2.copyMakeBorder(large, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
        boxes = detector.detect(picture, ENLARGED // 2, 2 * ENLARGED)
        if boxes:
            x, y, side, _ = boxes[0]
            scales.append(ENLARGED / side)
            shifts_x.append((BORDER + ENLARGED / 2 - x - side / 2) / ENLARGED)
            shifts_y.append((BORDER + ENLARGED / 2 - y - side / 2) / ENLARGED)
    print(f"{NAME} finds {len(scales)} of {len(faces)} faces ({len(scales) / len(faces):.0%})")
    for name, values in (("scale", scales), ("shift_x", shifts_x), ("shift_y", shifts_y)):
        low, middle, high = np.percentile(values, (10, 50, 90))
        print(f"{name:8s} median {middle:6.3f}   80 % between {low:6.3f} and {high:6.3f}")


if __name__ == "__main__":
    main()
