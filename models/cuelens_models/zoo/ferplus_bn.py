"""Four blocks of unpadded convolutions, batch norm in the first of each two, on FER+'s distributions of votes."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens_models.data.augment import Movement
from cuelens_models.zoo.recipe import HEAD, Published, Recipe

if TYPE_CHECKING:
    import keras

_MOVEMENT: Final = Movement(turn=20, shift=0.1, flip=True)


def _build(labels: int, *, blocks: int = 4, norm: bool = True) -> "keras.Model":
    import keras
    from keras import layers

    face = keras.Input((48, 48, 1), name="face")
    x = _pair(face, "block1", 64, norm=norm)
    x = layers.Dropout(0.5, name="block1_dropout")(x)
    x = _pair(x, "block2", 64)
    x = layers.MaxPooling2D(2, name="block2_pool")(x)
    x = _pair(x, "block3", 128, norm=norm)
    x = _pair(x, "block3_more", 128)
    x = layers.MaxPooling2D(2, name="block3_pool")(x)
    if blocks == 4:
        x = _pair(x, "block4", 256, norm=norm)
    x = layers.Flatten(name="flat")(x)
    for number in (1, 2):
        x = layers.Dense(1024, activation="relu", name=f"dense{number}")(x)
        x = layers.Dropout(0.2, name=f"dense{number}_dropout")(x)
    return keras.Model(face, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="ferplus_bn")


def _pair(x: Any, name: str, filters: int, *, norm: bool = False) -> Any:
    from keras import layers

    for number in (1, 2):
        x = layers.Conv2D(filters, 3, name=f"{name}_conv{number}")(x)
        if norm:
            x = layers.BatchNormalization(name=f"{name}_norm{number}")(x)
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
    return x


def _adam() -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.Adam(1e-4)


def _recipe(
    name: str, summary: str, published: Published, movement: Movement | None = _MOVEMENT, **options: Any
) -> Recipe:
    return Recipe(
        name=f"ferplus-bn{name}",
        summary=summary,
        protocol="ferplus7",
        build=partial(_build, **options),
        optimizer=_adam,
        epochs=100,
        batch=64,
        published=published,
        differs=(
            "Held-out faces were drawn at random, with near copies of them left in training; here they are FER+'s own.",
            "The shares of the votes did not sum to one, each learned as a yes or no; here they are one distribution.",
            "Its live demonstration cut faces out by their width where height was meant; here the one rule cuts them.",
        ),
        movement=movement,
        from_votes=True,
    )


_NOT_REPORTED: Final = Published(None, "not reported alone")

RECIPES: Final = (
    _recipe("", "four blocks with batch norm, on vote distributions", Published(0.84, "84 %, F1 .80, random split")),
    _recipe("-three", "three blocks", _NOT_REPORTED, blocks=3),
    _recipe("-still", "without augmentation", _NOT_REPORTED, movement=None),
    _recipe("-plain", "without batch norm", _NOT_REPORTED, norm=False),
)
