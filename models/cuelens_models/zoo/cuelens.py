"""Our own network: plain convolutions for int8 on a Cortex-A53, and how it is trained.

Strided convolutions instead of pooling and a global average at the end keep every layer inside XNNPACK's int8
kernels; batch norm stands before each ReLU, so it folds into the convolution. The first layer halves the picture at
once: wide maps at a low resolution should cost an A53 less than narrow ones at a high one, as they do on x86 (no board
has measured it yet). Normalisation stays outside.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cuelens_models.bundle.contract import Input
from cuelens_models.data.faces import CROP, SIDE
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
_LAYERS: Final = ((5, 24, 2), (3, 24, 1), (3, 48, 2), (3, 48, 1), (3, 104, 2), (3, 104, 1), (3, 192, 2), (3, 192, 1))
"""Kernel side, channels and stride of each convolution: 24 to 3 pixels on a side, 17.5 M multiply-adds."""
_RATE: Final = 2e-3
_WEIGHT_DECAY: Final = 0.05
_WARM_UP: Final = 0.05
"""The share of all steps in which the learning rate rises to its highest."""


def build(heads: Mapping[str, int]) -> "keras.Model":
    """Return the network: float (n, 48, 48, 1) to the logits of each head, name to (n, width)."""
    import keras

    from cuelens_models.zoo.blocks import answers, convolution

    face = x = keras.Input((SIDE, SIDE, 1), name="face")
    for number, (size, channels, stride) in enumerate(_LAYERS, start=1):
        x = convolution(x, f"layer{number}", channels, size, stride)
    return keras.Model(face, answers(x, heads, dropout=0.1), name=NAME)


def optimizer(steps: int) -> "keras.optimizers.Optimizer":
    """Return AdamW for a training of this many steps: its rate rises linearly, then falls along a cosine."""
    import keras

    warm_up = max(1, round(_WARM_UP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        _RATE / 20, max(1, steps - warm_up), alpha=0.002, warmup_target=_RATE, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(rate, weight_decay=_WEIGHT_DECAY)


RECIPE: Final = OwnRecipe(
    name=NAME,
    build=build,
    optimizer=optimizer,
    epochs=100,
    batch=128,
    head_weights={"votes": 1.0, "original": 0.5},
    averaged=0.06,
)
