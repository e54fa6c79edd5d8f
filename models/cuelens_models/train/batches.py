"""What a network is shown: augmented faces in batches, each with the targets that it should answer.

Each epoch shows the faces in a view. A view is a number: with the seed it decides the order of the faces and how each
one is changed. So a training can be resumed, and a teacher's answers about a view can be stored and learned from later.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Input
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.data.augment import augment, damage, pose
from cuelens_models.data.faces import Faces
from cuelens_models.train.targets import Head, Targets, rarities, targets, weighted
from cuelens_models.zoo import cuelens
from cuelens_models.zoo.recipe import OwnRecipe

Change = Callable[[Grey, np.random.Generator], Grey]
"""How a face is changed before it is shown: uint8 (48, 48) in and out."""

ViewTargets = Callable[[int, NDArray[np.intp]], Mapping[str, Targets]]
"""From the number of a view and the indices of faces to targets, by head."""


def human_targets(faces: Faces, heads: tuple[Head, ...]) -> ViewTargets:
    """Return the targets that people's votes and labels give, the same in every view."""
    by_head = {head.name: targets(faces, head) for head in heads}
    return lambda view, indices: {name: rows[indices] for name, rows in by_head.items()}


def followed_by(first: ViewTargets, count: int, rest: ViewTargets) -> ViewTargets:
    """Return targets of which the first `count` faces have those of `first`, and the faces after them those of `rest`.

    Args:
        first: knows the first `count` faces.
        count: of faces.
        rest: knows all faces, with the same heads.
    """

    def view_targets(view: int, indices: NDArray[np.intp]) -> Mapping[str, Targets]:
        after = (indices >= count)[:, None]
        of_first, of_rest = first(view, np.minimum(indices, count - 1)), rest(view, indices)
        return {name: np.where(after, of_rest[name], rows) for name, rows in of_first.items()}

    return view_targets


def with_weights(view_targets: ViewTargets, head: Head, weights: Targets) -> ViewTargets:
    """Return targets in which the labels of one head count by their weights.

    Args:
        view_targets: of all heads.
        head: whose labels are weighted.
        weights: of its labels, (labels,).
    """

    def weighted_targets(view: int, indices: NDArray[np.intp]) -> Mapping[str, Targets]:
        rows = view_targets(view, indices)
        return {**rows, head.name: weighted(rows[head.name], weights)}

    return weighted_targets


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
    """Shuffled batches; each epoch is a view.

    With `twice` each face stands in a batch two times: in the second half is the mirror image of what is in the first.
    What `twice` does to them is drawn anew for each, and in each epoch.
    """

    def __init__(
        self,
        faces: Faces,
        model_input: Input,
        seed: int,
        view_targets: ViewTargets,
        distinct: int | None = None,
        change: Change = augment,
        batch: int = 128,
        twice: Change | None = None,
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
            twice: what is done after `change` to a face and to its mirror image, apart. None: no mirror images.
        """
        super().__init__()
        self._faces, self._input, self._seed, self._targets = faces, model_input, seed, view_targets
        self._distinct, self._change, self._twice = distinct, change, twice
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
        # numpy takes a key as if zeros followed: the order draws the same numbers as face 0, and no other.
        order = np.random.default_rng((self._seed, self.epoch, 0, 0)).permutation(len(self._faces))
        indices = np.array_split(order[index * self.batch : (index + 1) * self.batch], parts)[part]
        repetition, view = divmod(self.epoch - 1, self._distinct or self.epoch)
        shown = augmented(self._faces, indices, view + 1, self._seed, self._change)
        wanted = self._targets(view + 1, indices)
        if repetition % 2:
            shown = shown[:, :, ::-1]
        if self._twice:
            shown = self._pairs(shown, indices, self._twice)
            wanted = {name: np.concatenate([rows, rows]) for name, rows in wanted.items()}
        return model_inputs(shown, self._input), wanted

    def _pairs(self, shown: Grey, indices: NDArray[np.intp], change: Change) -> Grey:
        """Return faces and then their mirror images, (2 n, 48, 48), each changed by chance of its own."""
        return np.stack(
            [
                change(face, np.random.default_rng((self._seed, self.epoch, index, half)))
                for half, faces in enumerate((shown, shown[:, :, ::-1]), start=1)
                for index, face in zip(indices, faces, strict=True)
            ]
        )


def views_of(recipe: OwnRecipe, epochs: int) -> int:
    """Return how many views teachers are asked about: the recipe's, and fewer in proportion in a shorter training."""
    return min(recipe.views, math.ceil(recipe.views * epochs / recipe.epochs))


def batches_of(
    recipe: OwnRecipe,
    faces: Faces,
    heads: tuple[Head, ...],
    seed: int,
    view_targets: ViewTargets,
    views: int | None = None,
) -> Views:
    """Return what a training of a recipe of ours is shown.

    Args:
        recipe: how many faces are in a batch, whether their mirror images are, and how much rare labels count.
        faces: to learn from.
        heads: of the network.
        seed: of the training.
        view_targets: what the network should answer, before rare labels count more.
        views: after so many they are repeated; None: never.
    """
    main = heads[0]
    if recipe.rarity:
        view_targets = with_weights(view_targets, main, rarities(targets(faces, main), recipe.rarity))
    change, twice = (pose, damage) if recipe.mirror else (augment, None)
    return Views(faces, cuelens.INPUT, seed, view_targets, views, change, recipe.batch, twice)
