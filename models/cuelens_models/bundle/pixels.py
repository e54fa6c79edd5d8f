"""What a picture is, for whoever needs no OpenCV."""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""Luminance 0-255, uint8 (height, width); of several faces (n, height, width)."""
