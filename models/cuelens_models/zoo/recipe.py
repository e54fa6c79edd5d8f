"""What a published way of training comes to: a network, how it is fed, and how it was trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cuelens_models.data.augment import Movement
from cuelens_models.errors import BadInput

if TYPE_CHECKING:
    import keras

_FULL: Final = Movement(turn=20, zoom=0.1, shift=0.1, flip=True)
HEAD: Final = "expression"
"""The name of the only output of a published network."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """When the learning rate falls: times `factor` after `patience` epochs without a lower loss on the inner split."""

    factor: float
    patience: int


@dataclass(frozen=True, slots=True)
class Few:
    """A small set of pictures instead of all faces.

    detected: the glasses' detector cuts the faces out, otherwise they are cut where they are known to be.
    inspected: those of poor quality are left out.
    """

    detected: bool
    inspected: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What its authors reported. accuracy: a fraction; None where they reported something else. said: in words."""

    accuracy: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A network and its training, as published but for its mistakes.

    build: from a number of labels to a network from float (n, 48, 48, 1) to {HEAD: logits}.
    standardised: faces are fed as to our own network, otherwise as levels between 0 and 1.
    from_votes: it learns from distributions of votes, otherwise from one label a face.
    patience: epochs without a lower loss on the inner split after which the training ends.
    differs: what is not as in the original, mostly because it was wrong there; a sentence each.
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
class Tuned:
    """What a search may choose for a recipe. movement: 0 for none; 1 for 20 degrees, a tenth of the side, mirrors."""

    rate: float
    batch: int
    movement: float

    def __str__(self) -> str:
        return f"rate {self.rate:.2g}, batch {self.batch}, movement {self.movement:g}"


def tuned(recipe: Recipe, values: Tuned) -> Recipe:
    """Return the recipe with these values in the place of its own."""

    def optimizer() -> "keras.optimizers.Optimizer":
        made = recipe.optimizer()
        made.learning_rate = values.rate
        return made

    share = values.movement
    movement = Movement(_FULL.turn * share, _FULL.zoom * share, _FULL.shift * share, flip=True) if share else None
    return replace(recipe, optimizer=optimizer, batch=values.batch, movement=movement)


def read_tuned(path: Path) -> Tuned:
    """Return what a search found best. Raises BadInput if the file does not say so."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tuned)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} is not what tune-model writes: {error}") from error
