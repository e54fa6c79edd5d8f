"""Classification: a face to probabilities, by the preprocessing of the model's training (`bundle.preprocess`)."""

from typing import Final

import cv2
import numpy as np

from cuelens.frame import Frame
from cuelens.types import Face
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop, model_input
from cuelens_models.bundle.scores import dequantise, probabilities

_LEANS: Final = 10.0
"""Degrees of tilt from which on a face is read upright: the network has seen faces that lean by up to 12."""


class Reader:
    """Classifies faces with one model. Its buffers are reused."""

    def __init__(self, interpreter: Interpreter, watch: StageTimes) -> None:
        self._interpreter = interpreter
        self._contract = interpreter.contract
        self._watch = watch
        spec = self._contract.input
        self._crop = np.empty((spec.height, spec.width), np.uint8)
        self._mirror = np.empty_like(self._crop)
        self._tensor = np.empty((1, spec.height, spec.width, spec.channels), spec.dtype)

    def read(self, frame: Frame, face: Face, *, mirrored: bool = False) -> tuple[float, ...]:
        """Return a face's probabilities, in the order of the bundle's labels. A head that leans is turned upright.

        mirrored: read the mirror image. The mean of both answers is more often right than one of them.

        Raises EmptyCrop if it is too small, NoAnswer if the model fails on it.
        """
        began = self._watch.now()
        tilt = face.tilt if abs(face.tilt) >= _LEANS else 0.0
        picture = crop(frame.grey, face.box, self._contract, out=self._crop, tilt=tilt)
        if mirrored:
            picture = self._mirror = np.asarray(cv2.flip(picture, 1, dst=self._mirror), np.uint8)
        model_input(picture, self._contract, out=self._tensor)
        self._watch.add("crop", began)
        began = self._watch.now()
        raw = self._interpreter.invoke(self._tensor)
        self._watch.add("invoke", began)
        return tuple(probabilities(dequantise(raw, self._contract.output), self._contract).tolist())
