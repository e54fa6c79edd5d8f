"""Cutting faces out of photographs as the glasses do: OpenCV's Haar cascade, then the model's own crop rule.

As on the glasses, a picture is scanned at 640 pixels on its longer side at most, for faces of at least 40 pixels, with
the same scale factor, neighbours and lifted shadows.
"""

from typing import Final

import cv2
import msgspec

from cuelens_models.bundle.boxes import Box
from cuelens_models.bundle.cascade import NAME, NEIGHBOURS, STEP, cascade_file, lifted
from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import crop, resize
from cuelens_models.data.faces import SIDE
from cuelens_models.data.images import whole
from cuelens_models.errors import BadInput

LARGE: Final = 2 * SIDE
"""A picture whose shorter side is longer than this is a photograph; a smaller one is a cropped face."""
_WIDEST, _SMALLEST = 640, 40


class HaarCrop:
    """Cuts the largest face out of each picture, and counts the outcomes. Not thread-safe.

    found: pictures with a face. missed: large pictures without one, used whole. cropped_before: small pictures, used
    whole as cropped faces. missed_places: of the missed pictures among all, counted from 0.
    """

    def __init__(self, model_input: Input) -> None:
        """model_input: gives the crop rule. Raises BadInput if the rule was measured with another detector."""
        if model_input.crop.detector != NAME:
            raise BadInput(f"the model's crop rule is for the detector {model_input.crop.detector!r}, not {NAME!r}")
        self.input = msgspec.structs.replace(model_input, width=SIDE, height=SIDE)
        self.found = self.missed = self.cropped_before = 0
        self.missed_places: list[int] = []
        self._cascade = cv2.CascadeClassifier(str(cascade_file()))

    def face(self, picture: Grey) -> Grey:
        """Return the largest face of a picture, or the whole of it, uint8 (48, 48)."""
        if min(picture.shape) <= LARGE:
            self.cropped_before += 1
            return whole(picture)
        box = self._largest(picture)
        if box is None:
            self.missed_places.append(self.pictures)
            self.missed += 1
            return whole(picture)
        self.found += 1
        return crop(picture, box, self)

    @property
    def pictures(self) -> int:
        """Number of pictures so far."""
        return self.found + self.missed + self.cropped_before

    def counts(self) -> dict[str, str | int]:
        """Return the counts as the evaluation reports them."""
        return {
            "detector": NAME,
            "found": self.found,
            "not_found": self.missed,
            "cropped_before": self.cropped_before,
        }

    def _largest(self, picture: Grey) -> Box | None:
        height, width = picture.shape
        factor = max(1.0, max(height, width) / _WIDEST)
        small = resize(picture, round(width / factor), round(height / factor)) if factor > 1 else picture
        detections = self._cascade.detectMultiScale(lifted(small), STEP, NEIGHBOURS, 0, (_SMALLEST, _SMALLEST))
        boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h in detections]
        if not boxes:
            return None
        x, y, w, h = (round(factor * number) for number in min(boxes, key=lambda box: (-box[2], box[0], box[1])))
        return x, y, w, h
