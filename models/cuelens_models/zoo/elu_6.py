"""Twelve convolutions with ELU (Clevert et al. 2015, arXiv 1511.07289) and batch norm, for six expressions."""

from functools import partial
from typing import TYPE_CHECKING, Final

from cuelens_models.data.augment import Movement
from cuelens_models.zoo.recipe import HEAD, Published, Recipe

if TYPE_CHECKING:
    import keras

_FILTERS: Final = (64, 64, 128, 128, 128, 128, 256, 256, 256, 256, 256, 256)
_POOLED_AFTER: Final = (2, 4, 6, 8, 10)
_MEAN, _DEVIATION = 0.507, 0.255
"""Of the faces' levels, white being 1, as published."""


def _build(labels: int) -> "keras.Model":
    import keras
    from keras import layers

    face = keras.Input((48, 48, 1), name="face")
    x = layers.Normalization(mean=_MEAN, variance=_DEVIATION**2, name="standardised")(face)
    for number, filters in enumerate(_FILTERS, start=1):
        x = layers.Conv2D(
            filters,
            3,
            padding="same",
            activation="elu",
            kernel_initializer="he_normal",
            name=f"layer{number}",
        )(x)
        x = layers.BatchNormalization(name=f"layer{number}_norm")(x)
        if number in _POOLED_AFTER:
            x = layers.MaxPooling2D(2, name=f"layer{number}_pool")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(128, activation="elu", kernel_initializer="he_normal", name="dense")(x)
    x = layers.BatchNormalization(name="dense_norm")(x)
    x = layers.Dropout(0.5, name="dense_dropout")(x)
    return keras.Model(face, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="elu_6")


def _adam(rate: float) -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.Adam(rate)


def _recipe(name: str, rate: float, reported: str) -> Recipe:
    return Recipe(
        name=f"elu-6{name}",
        summary=f"twelve ELU convolutions, without disgust, rate {rate:g}",
        protocol="fer6",
        build=_build,
        optimizer=partial(_adam, rate),
        epochs=200,
        batch=32,
        published=Published(None, reported),
        differs=(
            "What it calls test accuracy is recall at a threshold of a half; here accuracy is the share named rightly.",
            "The confusion matrix was drawn from faces that were not standardised; here the network does it itself.",
            "Faces were turned by up to a tenth of a degree, in effect not at all; here by up to 10 degrees.",
            "Its stored layers and its code pool at different places; here after every second convolution.",
        ),
        movement=Movement(turn=10, zoom=0.1, shift=0.1, flip=True),
    )


RECIPES: Final = (
    _recipe("", 1e-2, "65.2 % recall at a threshold of one half"),
    _recipe("-slow", 1e-3, "not reported at this rate"),
)
