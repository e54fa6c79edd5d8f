"""The type of a grey picture, which needs numpy but not OpenCV."""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""Luminance 0-255, uint8 (height, width), or (n, height, width) for several faces."""
