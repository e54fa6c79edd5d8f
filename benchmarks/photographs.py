"""Photographs of people, each with the place of its face, to be put before a camera."""

from dataclasses import dataclass

import cv2
import numpy as np

from cuelens.adapters.demo_scene import Actor, Place
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Grey
from cuelens.types import Box


@dataclass(frozen=True)
class Photograph:
    """A person in a photograph. picture: grey, uint8 (height, width). mark: the detector's box of the face."""

    picture: Grey
    mark: Box

    def actor(self, path: tuple[Place, ...]) -> Actor:
        """Return an actor that follows a path."""
        scale = 120 / self.mark[2]
        picture = cv2.resize(self.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        middle, reach = (picture.shape[1] // 2, picture.shape[0] // 2), min(picture.shape) // 2 - 8
        mask = cv2.circle(np.zeros(picture.shape, np.float32), middle, reach, 1.0, -1)
        left, top = round(self.mark[0] * scale), round(self.mark[1] * scale)
        return Actor(picture, cv2.GaussianBlur(mask, (0, 0), 3.0), (left, top, 120, 120), is_face=True, path=path)


def marked(picture: Grey) -> Photograph | None:
    """Return a photograph with the largest face that a scan of 80 to 320 pixels finds, None if it finds none.

    picture: grey, uint8 (height, width).
    """
    boxes = HaarDetector().detect(picture, 80, 320)
    return Photograph(picture, boxes[0]) if boxes else None
