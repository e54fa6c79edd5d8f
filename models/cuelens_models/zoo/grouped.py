"""Our network with a last layer in two stages, first negative, positive or neutral, then which; and with a flat one."""

from functools import partial
from typing import TYPE_CHECKING, Final

from cuelens_models.data.augment import Movement
from cuelens_models.zoo.recipe import HEAD, Published, Recipe

if TYPE_CHECKING:
    import keras

_GROUPS: Final = (("neutral", 1), ("positive", 2), ("negative", 4))
"""Groups and how many labels each has, in the order of fer7: neutral, happy surprise, sad angry disgust fear."""


def _build(labels: int, *, grouped: bool) -> "keras.Model":
    import keras
    from keras import layers, ops

    from cuelens_models.zoo import cuelens

    flat = cuelens.build({HEAD: labels}, cuelens.CONTROL)
    if not grouped:
        return flat
    x = flat.get_layer("dropout").output
    group = layers.Dense(len(_GROUPS), activation="log_softmax", dtype="float32", name="group")(x)
    shares = ops.split(group, len(_GROUPS), axis=1)
    parts = []
    for (name, size), share in zip(_GROUPS, shares, strict=True):
        within = layers.Dense(size, activation="log_softmax", dtype="float32", name=name)(x)
        # Repeated because Keras 3.15 on TensorFlow adds a column as if it were a row if the batch has as many faces.
        parts.append(within + ops.repeat(share, size, axis=1))
    answer = layers.Concatenate(dtype="float32", name=HEAD)(parts)
    return keras.Model(flat.input, {HEAD: answer}, name="cuelens_grouped")


def _adam() -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.Adam(1e-3)


def _recipe(name: str, summary: str, *, grouped: bool) -> Recipe:
    return Recipe(
        name=f"cuelens-{name}",
        summary=summary,
        protocol="fer7",
        build=partial(_build, grouped=grouped),
        optimizer=_adam,
        epochs=30,
        batch=64,
        published=Published(None, "ours, to compare"),
        differs=("Nobody published these two: they differ in the last layer alone, which is what they measure.",),
        movement=Movement(turn=10, zoom=0.1, shift=0.1, flip=True),
        standardised=True,
    )


RECIPES: Final = (
    _recipe("flat", "our network on the original labels alone, without teachers", grouped=False),
    _recipe("grouped", "the same, saying negative, positive or neutral first", grouped=True),
)
