"""Our own network: plain convolutions for int8 on a Cortex-A53, and how it is trained.

Strided convolutions instead of pooling and a global average at the end keep every layer inside XNNPACK's int8
kernels; batch norm stands before each ReLU, so it folds into the convolution. The first layer halves the picture at
once: wide maps at a low resolution should cost an A53 less than narrow ones at a high one, as they do on x86 (no board
has measured it yet). Normalisation stays outside.

Every choice of the training is a field of `Options`, with what it gave.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cuelens_models.bundle import training_record
from cuelens_models.bundle.contract import Input
from cuelens_models.data.faces import CROP, SIDE
from cuelens_models.errors import BadInput
from cuelens_models.zoo.recipe import OwnRecipe

if TYPE_CHECKING:
    import keras

NAME: Final = "cuelens"
INPUT: Final = Input(
    height=SIDE,
    width=SIDE,
    channels=1,
    dtype="float32",
    scale=0.0,
    zero_point=0,
    multiply=1.0,
    add=0.0,
    per_image=True,
    crop=CROP,
)
"""How our networks are fed: one luminance plane, standardised by its own mean and deviation."""
Layers = tuple[tuple[int, int, int], ...]
"""Kernel side, channels and stride of each convolution: 24 to 3 pixels on a side."""
_EVEN: Final = ((5, 24, 2), (3, 24, 1), (3, 48, 2), (3, 48, 1), (3, 104, 2), (3, 104, 1), (3, 192, 2), (3, 192, 1))
"""17.5 M multiply-adds, those of the networks that were shipped so far."""
_LATE: Final = ((5, 16, 2), (3, 16, 1), (3, 48, 2), (3, 48, 1), (3, 112, 2), (3, 112, 1), (3, 224, 2), (3, 224, 1))
"""17.4 M multiply-adds: fewer channels where maps are large, more where they are small."""
_WEIGHT_DECAY: Final = 0.05
_WARM_UP: Final = 0.05
"""The share of all steps in which the learning rate rises to its highest."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a training of our network is made with.

    Each choice stands with what it gave on the inner split, in points: on faces as they are ("clean"), through a small
    camera ("camera"), and of expressions known there at one false neutral in 400 ("known"). Two seeds of the same
    training differ by 0.5 points. docs/network-plan.md holds all figures.
    """

    layers: Layers = _LATE
    """Channels late rather than early: clean 0.0, camera +0.9, known +2.7."""
    dropout: float = 0.0
    """The share of features that is dropped; none, with less decay: clean -1.3, camera +0.2, known +1.7."""
    rate: float = 2.8e-3
    """The highest learning rate, for this batch; half the batch had 2e-3. Not measured apart."""
    batch: int = 256
    """Faces in a batch; with `mirror` their mirror images stand there besides. Not measured apart."""
    epochs: int = 340
    """For 100: clean +1.3, camera +1.2, known +2.8. No other choice gave as much."""
    views: int = 48
    """Views that teachers are asked about; 64 for 16: camera +0.6, clean and known as before."""
    mirror: float = 0.2
    """How much the distance to the answer to the mirror image counts; 0.3: clean -0.3, camera +0.3, known +2.2."""
    rarity: float = 0.15
    """The power of rarity by which labels count in the votes; 0.3 in 100 epochs: fer7 +0.7, camera -0.4, known -2.4.

    With `mirror` 0.2 and without dropout, 0.15 gave the best of all under the camera: 79.9 %, and 50.9 % known.
    """


CONTROL: Final = Options(layers=_EVEN, dropout=0.1, rate=2e-3, batch=128, epochs=100, views=16, mirror=0.0, rarity=0.0)
"""The recipe of before: of the first network that was shipped, and the control of docs/network-plan.md."""

FURTHER: Final = Options(rate=1e-4, batch=128, epochs=8, views=8)
"""For a network that is trained already: few epochs at a low rate, one view in each. The layers are its own."""

_KEPT: Final = 0.5
"""The share of the network before in one that was trained further (Wortsman et al. 2022, arXiv 2109.01903).

Beside faces of synthetic people, on the inner split and on others of these people: alone it gives known -8.1, camera
-1.1, smiles and anger of these people 99 % and 98 %; with the half -2.1, -0.2, 89 % and 93 %. Before: 66 % and 61 %.
"""


def build(heads: Mapping[str, int], options: Options) -> "keras.Model":
    """Return the network: float (n, 48, 48, 1) to the logits of each head, name to (n, width)."""
    import keras

    from cuelens_models.zoo.blocks import answers, convolution

    face = x = keras.Input((SIDE, SIDE, 1), name="face")
    for number, (size, channels, stride) in enumerate(options.layers, start=1):
        x = convolution(x, f"layer{number}", channels, size, stride)
    return keras.Model(face, answers(x, heads, options.dropout), name=NAME)


def optimizer(steps: int, rate: float) -> "keras.optimizers.Optimizer":
    """Return AdamW for a training of this many steps: its rate rises linearly to `rate`, then falls along a cosine."""
    import keras

    warm_up = max(1, round(_WARM_UP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm_up), alpha=0.002, warmup_target=rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(schedule, weight_decay=_WEIGHT_DECAY)


def recipe(options: Options) -> OwnRecipe:
    """Return the recipe with these options."""
    return OwnRecipe(
        name=NAME,
        build=partial(build, options=options),
        optimizer=partial(optimizer, rate=options.rate),
        epochs=options.epochs,
        batch=options.batch,
        head_weights={"votes": 1.0, "original": 0.5},
        averaged=0.06,
        views=options.views,
        mirror=options.mirror,
        rarity=options.rarity,
    )


def further(file: Path) -> OwnRecipe:
    """Return the recipe that trains a finished network of ours further. It keeps the one head that the file has.

    Raises BadInput if the file is none that `train-model cuelens` wrote.
    """
    import keras

    record = training_record.read(file)
    if record is None or record.recipe.removesuffix("-fer7") != NAME:
        raise BadInput(f"model {file} is no network that train-model {NAME} wrote")
    try:
        name = keras.models.load_model(file, compile=False).layers[-1].name
    except Exception as error:
        # On a damaged file Keras raises errors of any kind.
        raise BadInput(f"model {file} cannot be loaded: {str(error).splitlines()[0]}") from error

    def trained(heads: Mapping[str, int]) -> "keras.Model":
        network = keras.models.load_model(file, compile=False)
        return keras.Model(network.inputs[0], dict.fromkeys(heads, network.outputs[0]), name=NAME)

    checksum = hashlib.sha256(file.read_bytes()).hexdigest()
    return replace(recipe(FURTHER), build=trained, head_weights={name: 1.0}, goes_on_from=checksum, kept=_KEPT)


RECIPE: Final = recipe(Options())
