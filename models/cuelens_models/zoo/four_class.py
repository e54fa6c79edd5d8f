"""Four convolutions and dense layers for happy, sad, surprise and neutral."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens_models.zoo.recipe import HEAD, Plateau, Published, Recipe

if TYPE_CHECKING:
    import keras

_CONVOLUTIONS: Final = ((64, 7, True), (128, 3, False), (128, 3, True), (256, 3, True))
"""Filters, side of the kernel, and whether a pooling follows."""
_SQUEEZED: Final = 8
"""How many times narrower the middle of channel attention is."""


def _build(labels: int, *, norm: bool = False, attention: bool = False) -> "keras.Model":
    import keras
    from keras import layers

    face = x = keras.Input((48, 48, 1), name="face")
    for number, (filters, side, pooled) in enumerate(_CONVOLUTIONS, start=1):
        x = layers.Conv2D(filters, side, padding="same", name=f"conv{number}")(x)
        if norm:
            x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        if pooled:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    if attention:
        x = _attended(x)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dense(64, activation="relu", name=f"dense{number}")(x)
        x = layers.Dropout(0.25, name=f"dropout{number}")(x)
    return keras.Model(face, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="four_class")


def _attended(x: Any) -> Any:
    """Attention over channels, then over places (CBAM: Woo et al. 2018, arXiv 1807.06521), by means alone."""
    from keras import layers

    channels = x.shape[-1]
    weight = layers.GlobalAveragePooling2D(keepdims=True, name="channel_mean")(x)
    weight = layers.Conv2D(channels // _SQUEEZED, 1, activation="relu", name="channel_squeeze")(weight)
    weight = layers.Conv2D(channels, 1, activation="sigmoid", name="channel_weight")(weight)
    x = layers.Multiply(name="channel_attended")([x, weight])
    place = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="place_weight")(x)
    return layers.Multiply(name="place_attended")([x, place])


def _adam() -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.Adam(1e-3)


def _recipe(name: str, summary: str, published: Published, **options: Any) -> Recipe:
    return Recipe(
        name=f"four-class{name}",
        summary=summary,
        protocol="fer4",
        build=partial(_build, **options),
        optimizer=_adam,
        epochs=100,
        batch=32,
        published=published,
        differs=("Its code is not public: rate, epochs, patience and that there are two dense layers are our choice.",),
        patience=12,
        plateau=Plateau(factor=0.2, patience=4),
    )


_NOT_REPORTED: Final = Published(None, "not reported")

RECIPES: Final = (
    _recipe("", "happy, sad, surprise and neutral", Published(0.70, "70 %")),
    _recipe("-norm", "with batch norm", _NOT_REPORTED, norm=True),
    _recipe("-attention", "with batch norm and attention", _NOT_REPORTED, norm=True, attention=True),
)
