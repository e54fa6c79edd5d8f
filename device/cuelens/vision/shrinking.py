"""Shrinking a picture by a whole factor."""

import cv2

from cuelens.frame import Grey


def shrink_into(small: Grey, picture: Grey, factor: int) -> None:
    """Write the means of blocks of a picture, `factor` pixels each way.

    It halves as long as it can: OpenCV averages blocks of two by two pixels seven times as fast as larger ones.

    Args:
        small: uint8 (rows, columns), written to.
        picture: uint8 (rows * factor, columns * factor).
        factor: 2 or more.
    """
    while factor > 2 and factor % 2 == 0:
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        factor //= 2
    cv2.resize(picture, (small.shape[1], small.shape[0]), dst=small, interpolation=cv2.INTER_AREA)
