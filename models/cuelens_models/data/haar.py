"""Faces cut out of larger pictures as the glasses cut them: OpenCV's Haar cascade, then the model's own crop rule.

What the glasses do to a frame is done to a picture: it is looked at 640 pixels wide at most, for faces of at least 40
of them, with the scale step and the neighbours of the glasses' own detector.
"""

from typing import Final

import cv2
import msgspec

from cuelens_models.bundle.boxes import Box
from cuelens_models.bundle.cascade import NAME, NEIGHBOURS, STEP, cascade_file
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import crop, resized
from cuelens_models.data.faces import SIDE
from cuelens_models.data.images import whole
from cuelens_models.errors import BadInput

LARGE: Final = 2 * SIDE
"""A picture with more pixels than this on its shorter side is more than a face."""
_WIDEST, _SMALLEST = 640, 40


class HaarCrop:
    """Cuts the largest face out of each picture, and counts what it met. Not safe for use from two threads at once.

    found: pictures with a face. missed: large pictures without one, taken whole. cropped_before: small pictures,
    taken for faces as they are.
    """

    def __init__(self, wanted: Input) -> None:
        """wanted: what the model is fed with. Raises BadInput if its crop rule was measured with another detector."""
        if wanted.crop.detector != NAME:
            raise BadInput(f"the model's crop rule is for the detector {wanted.crop.detector!r}, not {NAME!r}")
        self.input = msgspec.structs.replace(wanted, width=SIDE, height=SIDE)
        self.found = self.missed = self.cropped_before = 0
        self._cascade = cv2.CascadeClassifier(str(cascade_file()))

    def face(self, picture: Grey) -> Grey:
        """Return the largest face of a picture, or the whole of it, uint8 (48, 48)."""
        if min(picture.shape) <= LARGE:
            self.cropped_before += 1
            return whole(picture)
        box = self._largest(picture)
        if box is None:
            self.missed += 1
            return whole(picture)
        self.found += 1
        return crop(picture, box, self)

    @property
    def met(self) -> int:
        """How many pictures there were."""
        return self.found + self.missed + self.cropped_before

    def counts(self) -> dict[str, str | int]:
        """Return what was met, for the reader of the figures."""
        return {
            "detector": NAME,
            "found": self.found,
            "not_found": self.missed,
            "cropped_before": self.cropped_before,
        }

    def _largest(self, picture: Grey) -> Box | None:
        height, width = picture.shape
        shrunk = max(1.0, max(height, width) / _WIDEST)
        seen = resized(picture, round(width / shrunk), round(height / shrunk)) if shrunk > 1 else picture
        found = self._cascade.detectMultiScale(seen, STEP, NEIGHBOURS, 0, (_SMALLEST, _SMALLEST))
        boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h in found]
        if not boxes:
            return None
        x, y, w, h = (round(shrunk * number) for number in min(boxes, key=lambda box: (-box[2], box[0], box[1])))
        return x, y, w, h
