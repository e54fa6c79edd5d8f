"""Faults of a face picture that its grey levels show: dark, bright, flat or blurred."""

import cv2
import numpy as np

from cuelens_models.bundle.pixels import Grey

_DARK, _BRIGHT, _FLAT, _BLURRED = 50.0, 205.0, 25.0, 0.35
"""Thresholds. At most one in a hundred of FER2013's training faces lies beyond each."""


def faults(face: Grey) -> list[str]:
    """Return the faults of a face, uint8 (48, 48): any of dark, bright, flat, blurred.

    Blurred: the deviation of its Laplacian is small against its contrast (Pech-Pacheco et al. 2000).
    """
    mean, deviation = float(face.mean()), float(face.std())
    edges = cv2.Laplacian(face.astype(np.float32), cv2.CV_32F).std()
    present = {
        "dark": mean < _DARK,
        "bright": mean > _BRIGHT,
        "flat": deviation < _FLAT,
        "blurred": edges < _BLURRED * max(deviation, 1.0),
    }
    return [fault for fault, there in present.items() if there]
