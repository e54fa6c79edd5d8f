"""What a network is shown: faces as an augmented view changes them, in batches.

A view is a number: which face stands where, and what happens to it, follow from seed and number alone. So a training
can be resumed, and a teacher's answers about a view can be kept and learned from later.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.augment import augment
from cuelens_models.data.faces import Faces
from cuelens_models.train.targets import Head, Targets, targets

BATCH: Final = 128

Change = Callable[[Grey, np.random.Generator], Grey]
"""What happens to a face before it is shown: uint8 (48, 48) in and out."""

Answers = Callable[[int, NDArray[np.intp]], Mapping[str, Targets]]
"""What the network should answer: from a view's number and the indices of faces to targets by head."""


def said_by_people(faces: Faces, heads: tuple[Head, ...]) -> Answers:
    """Return what people said of the faces, the same in every view."""
    said = {head.name: targets(faces, head) for head in heads}
    return lambda view, chosen: {name: rows[chosen] for name, rows in said.items()}


def changed(faces: Faces, chosen: NDArray[np.intp], view: int, seed: int, change: Change = augment) -> Grey:
    """Return these faces as a view changes them, uint8 (number chosen, 48, 48)."""
    return np.stack([change(faces.pixels[face], np.random.default_rng((seed, view, face))) for face in chosen])


class Views(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch after another of shuffled batches, each epoch a view.

    After `distinct` views they come again, mirrored every second time.
    """

    def __init__(
        self,
        faces: Faces,
        wanted: Input,
        seed: int,
        answers: Answers,
        distinct: int | None = None,
        change: Change = augment,
        batch: int = BATCH,
    ) -> None:
        super().__init__()
        self._faces, self._wanted, self._seed, self._answers = faces, wanted, seed, answers
        self._distinct, self._change = distinct, change
        self.batch = min(batch, len(faces))
        """How many faces a batch has: fewer than asked for only where there are fewer."""
        self.epoch = 1

    def __len__(self) -> int:
        return len(self._faces) // self.batch

    def __getitem__(self, index: int) -> tuple[NDArray[Any], Mapping[str, Targets]]:
        return self.share(index, 0, 1)

    def share(self, index: int, part: int, parts: int) -> tuple[NDArray[Any], Mapping[str, Targets]]:
        """Return one of `parts` equal shares of a batch."""
        # One number more than `changed` gives its faces, so that no face draws what the order drew.
        order = np.random.default_rng((self._seed, self.epoch, 0, 0)).permutation(len(self._faces))
        chosen = np.array_split(order[index * self.batch : (index + 1) * self.batch], parts)[part]
        round_, view = divmod(self.epoch - 1, self._distinct or self.epoch)
        inputs = model_inputs(changed(self._faces, chosen, view + 1, self._seed, self._change), self._wanted)
        return inputs[:, :, ::-1] if round_ % 2 else inputs, self._answers(view + 1, chosen)
