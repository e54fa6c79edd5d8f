"""Classification: a face to probabilities, by the preprocessing of the model's training (`bundle.preprocess`)."""

import numpy as np

from cuelens.frame import Frame
from cuelens.types import Box
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop, model_input
from cuelens_models.bundle.scores import dequantise, probabilities


class Reader:
    """Classifies faces with one model. Its buffers are reused."""

    def __init__(self, interpreter: Interpreter, watch: StageTimes) -> None:
        self._interpreter = interpreter
        self._contract = interpreter.contract
        self._watch = watch
        spec = self._contract.input
        self._crop = np.empty((spec.height, spec.width), np.uint8)
        self._tensor = np.empty((1, spec.height, spec.width, spec.channels), spec.dtype)

    def read(self, frame: Frame, box: Box) -> tuple[float, ...]:
        """Return a face's probabilities, in the order of the bundle's labels.

        Raises EmptyCrop if it is too small, NoAnswer if the model fails on it.
        """
        began = self._watch.now()
        face = crop(frame.grey, box, self._contract, out=self._crop)
        model_input(face, self._contract, out=self._tensor)
        self._watch.add("crop", began)
        began = self._watch.now()
        raw = self._interpreter.invoke(self._tensor)
        self._watch.add("invoke", began)
        return tuple(probabilities(dequantise(raw, self._contract.output), self._contract).tolist())
