"""Optics: the sizes of faces to search for, from the lens and their distance."""

import math
from typing import Final

import msgspec

_FACE_M: Final = 0.15
"""Side of the detector's box around an adult face, in metres: 40 pixels of 640 at 2 m behind a 62 degree lens."""


class Optics(msgspec.Struct, frozen=True, kw_only=True):
    """The lens, and the distances at which people talk.

    Attributes:
        horizontal_degrees: field of view along the sensor's width.
        farthest_m: distance of the smallest face.
        nearest_m: distance of the largest face.
        sideways: a rotation of 90 or 270 degrees makes the sensor's width the frame's height.
    """

    horizontal_degrees: float = 62.0
    farthest_m: float = 2.0
    nearest_m: float = 0.25
    sideways: bool = False

    def smallest_face(self, width: int, height: int) -> float:
        """Return the side of the smallest face to search for, in pixels of an upright frame of this size."""
        return self._face(width, height, self.farthest_m)

    def largest_face(self, width: int, height: int) -> float:
        """Return the side of the largest face to search for, in pixels. A tracked face may come nearer still."""
        return min(self._face(width, height, self.nearest_m), float(min(width, height)))

    def _face(self, width: int, height: int, distance_m: float) -> float:
        across = height if self.sideways else width
        focal = across / 2 / math.tan(math.radians(self.horizontal_degrees) / 2)
        return focal * _FACE_M / distance_m
