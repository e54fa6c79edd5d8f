"""A float network against the faces of a protocol, on which its epochs are compared."""

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.faces import Faces
from cuelens_models.data.protocols import label
from cuelens_models.train.targets import Head


class Judge:
    """A float network's head on the faces of its protocol, whose labels a head has first. truth: (n,)."""

    def __init__(self, faces: Faces, head: Head, wanted: Input) -> None:
        labelled = label(faces, head.protocol)
        self.head = head
        self._inputs = model_inputs(faces.pixels[labelled.chosen], wanted)
        self.truth = labelled.truth
        self.asked = len(labelled.labels)

    def accuracy(self, network: keras.Model) -> float:
        """Return the share of right answers."""
        return float((self.logits(network).argmax(axis=1) == self.truth).mean())

    def logits(self, network: keras.Model) -> NDArray[np.float64]:
        """Return what it answers for the protocol's labels, (faces of the protocol, labels)."""
        answers = network.predict(self._inputs, batch_size=256, verbose=0)[self.head.name]
        return np.asarray(answers[:, : self.asked], np.float64)
