"""What a network is shown: augmented faces in batches, each with the targets that it should answer.

Each epoch shows the faces in a view. A view is a number: with the seed it decides the order of the faces and how each
one is changed. So a training can be resumed, and a teacher's answers about a view can be stored and learned from later.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.augment import augment
from cuelens_models.data.faces import Faces
from cuelens_models.train.targets import Head, Targets, targets

Change = Callable[[Grey, np.random.Generator], Grey]
"""How a face is changed before it is shown: uint8 (48, 48) in and out."""

ViewTargets = Callable[[int, NDArray[np.intp]], Mapping[str, Targets]]
"""From the number of a view and the indices of faces to targets, by head."""


def human_targets(faces: Faces, heads: tuple[Head, ...]) -> ViewTargets:
    """Return the targets that people's votes and labels give, the same in every view."""
    by_head = {head.name: targets(faces, head) for head in heads}
    return lambda view, indices: {name: rows[indices] for name, rows in by_head.items()}


def augmented(faces: Faces, indices: NDArray[np.intp], view: int, seed: int, change: Change = augment) -> Grey:
    """Return these faces as a view shows them, uint8 (indices, 48, 48).

    Args:
        faces: all faces.
        indices: of the faces to return.
        view: its number, from 1.
        seed: of the training.
        change: what is done to each face.
    """
    return np.stack([change(faces.pixels[face], np.random.default_rng((seed, view, face))) for face in indices])


class Views(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches; each epoch is a view."""

    def __init__(
        self,
        faces: Faces,
        model_input: Input,
        seed: int,
        view_targets: ViewTargets,
        distinct: int | None = None,
        change: Change = augment,
        batch: int = 128,
    ) -> None:
        """Show the first view.

        Args:
            faces: to learn from.
            model_input: how the network is fed.
            seed: of the order and the changes.
            view_targets: what the network should answer.
            distinct: after so many views they are repeated, mirrored every second time. None: never.
            change: how a face is changed.
            batch: how many faces a batch has.
        """
        super().__init__()
        self._faces, self._input, self._seed, self._targets = faces, model_input, seed, view_targets
        self._distinct, self._change = distinct, change
        self.batch = min(batch, len(faces))
        """How many faces a batch has: fewer than requested only if there are fewer."""
        self.epoch = 1

    def __len__(self) -> int:
        return len(self._faces) // self.batch

    def __getitem__(self, index: int) -> tuple[NDArray[Any], Mapping[str, Targets]]:
        return self.share(index, 0, 1)

    def share(self, index: int, part: int, parts: int) -> tuple[NDArray[Any], Mapping[str, Targets]]:
        """Return one of `parts` equal shares of a batch, inputs and targets.

        Args:
            index: of the batch.
            part: of the share, from 0.
            parts: how many shares the batch is split into.
        """
        # The key has one number more than in `augmented`: the order and the faces draw different random numbers.
        order = np.random.default_rng((self._seed, self.epoch, 0, 0)).permutation(len(self._faces))
        indices = np.array_split(order[index * self.batch : (index + 1) * self.batch], parts)[part]
        repetition, view = divmod(self.epoch - 1, self._distinct or self.epoch)
        inputs = model_inputs(augmented(self._faces, indices, view + 1, self._seed, self._change), self._input)
        return inputs[:, :, ::-1] if repetition % 2 else inputs, self._targets(view + 1, indices)
