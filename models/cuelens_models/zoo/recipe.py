"""Recipes, of others and of ours: a network, how it is fed, and how it is trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cuelens_models import regular_file
from cuelens_models.bundle.contract import Fraction
from cuelens_models.data.augment import Movement
from cuelens_models.errors import BadInput

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

    from cuelens_models.zoo.pretrained import Pretrained

_FULL: Final = Movement(turn=20, zoom=0.1, shift=0.1, flip=True)
HEAD: Final = "expression"
"""The name of the only output of a published network."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """The learning rate is multiplied by `factor` after `patience` epochs without a lower loss on the inner split."""

    factor: float
    patience: int


@dataclass(frozen=True, slots=True)
class Few:
    """A small set of pictures instead of all faces.

    detected: the glasses' detector cuts the faces out; otherwise they are cut at their known place.
    inspected: pictures of poor quality are left out.
    """

    detected: bool
    inspected: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What its authors reported. accuracy: a fraction; None if they reported something else. summary: in words."""

    accuracy: float | None
    summary: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A published network and its training, without its mistakes.

    build: from a number of labels to a network from float (n, 48, 48, 1) to {HEAD: logits}.
    standardised: faces are fed as to our own network, otherwise as levels between 0 and 1.
    from_votes: it learns from distributions of votes, otherwise from one label a face.
    patience: epochs without a lower loss on the inner split after which the training ends.
    differs: the differences from the original, mostly its mistakes; a sentence each.
    """

    name: str
    summary: str
    protocol: str
    build: "Callable[[int], keras.Model]"
    optimizer: "Callable[[], keras.optimizers.Optimizer]"
    epochs: int
    batch: int
    published: Published
    differs: tuple[str, ...]
    movement: Movement | None = None
    standardised: bool = False
    from_votes: bool = False
    few: Few | None = None
    patience: int | None = None
    plateau: Plateau | None = None


@dataclass(frozen=True, slots=True)
class OwnRecipe:
    """A network of ours and its training.

    Its loss is the cross-entropy of each head; `mirror` and `rarity` are about the first head of the data alone, that
    of votes where there are any.

    build: from the width of each head to a network from float (n, 48, 48, 1) to the logits of each head.
    optimizer: from the number of steps of the whole training.
    head_weights: how much the loss of each head counts. The network has no other heads.
    averaged: the share of all steps over which weights are averaged (an exponential moving average).
    views: different views that teachers are asked about, in as many epochs as here; each is seen several times.
    mirror: how much the distance between the answers to a face and to its mirror image counts (symmetric KL
    divergence); 0: no mirror image stands beside a face.
    rarity: labels count in targets by their frequency to the power of minus this; 0: all the same.
    begin: gives a fresh network trained weights, and is shown standardised faces, float (n, 48, 48, 1).
    goes_on_from: the SHA-256 of the file of the trained network that `build` returns; "": it returns a fresh one.
    kept: how much of the weights of that network is in the weights of the result, 0 to 1.
    """

    name: str
    build: "Callable[[Mapping[str, int]], keras.Model]"
    optimizer: "Callable[[int], keras.optimizers.Optimizer]"
    epochs: int
    batch: int
    head_weights: Mapping[str, float]
    averaged: float
    views: int
    mirror: float
    rarity: float
    begin: "Callable[[keras.Model, Pretrained, NDArray[np.float32]], None] | None" = None
    goes_on_from: str = ""
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search chooses for a recipe. movement: 0 for none; 1 for 20 degrees, a tenth of the side, mirrors."""

    rate: Annotated[float, msgspec.Meta(gt=0, le=1000)]
    batch: Annotated[int, msgspec.Meta(ge=1)]
    movement: Fraction

    def __str__(self) -> str:
        return f"rate {self.rate:.2g}, batch {self.batch}, movement {self.movement:g}"


def tuned(recipe: Recipe, values: Tuned) -> Recipe:
    """Return the recipe with these values in place of its own."""

    def optimizer() -> "keras.optimizers.Optimizer":
        own = recipe.optimizer()
        own.learning_rate = values.rate
        return own

    share = values.movement
    movement = Movement(_FULL.turn * share, _FULL.zoom * share, _FULL.shift * share, flip=True) if share else None
    return replace(recipe, optimizer=optimizer, batch=values.batch, movement=movement)


def read_tuned(path: Path) -> Tuned:
    """Return the rate, batch and movement that `tune-model` found. Raises BadInput if it does not hold them."""
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tuned)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} is not what tune-model writes: {error}") from error
