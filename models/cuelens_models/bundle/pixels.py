"""What a picture and a box are, for whoever needs no OpenCV."""

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""Luminance 0-255, uint8 (height, width); of several faces (n, height, width)."""
Box = tuple[int, int, int, int]
"""x, y, width, height, in pixels of the frame; it may reach beyond the frame's border."""
