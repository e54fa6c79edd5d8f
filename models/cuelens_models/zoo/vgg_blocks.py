"""VGG blocks (Simonyan and Zisserman 2014, arXiv 1409.1556), one to six of them, trained by plain gradient descent."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens_models.data.augment import Movement
from cuelens_models.zoo.recipe import HEAD, Published, Recipe

if TYPE_CHECKING:
    import keras

_FIRST_FILTERS: Final = 32
_DIFFERS: Final = (
    "The best epoch was picked on the test faces; here it is picked on the inner split of training.",
    "Grey faces were fed as three equal channels; here as one.",
    "How many blocks were stopped early is our guess: six.",
    "Augmentation was drawn once, for the test faces too; here anew in every epoch, for training alone.",
)


def _build(labels: int, *, blocks: int, dropout: float = 0.0, decay: float = 0.0, norm: bool = False) -> "keras.Model":
    import keras
    from keras import layers

    regular = keras.regularizers.L2(decay) if decay else None
    face = x = keras.Input((48, 48, 1), name="face")
    for block in range(1, blocks + 1):
        for number in (1, 2):
            x = layers.Conv2D(
                _FIRST_FILTERS * 2 ** (block - 1),
                3,
                padding="same",
                activation=None if norm else "relu",
                kernel_initializer="he_uniform",
                kernel_regularizer=regular,
                name=f"block{block}_conv{number}",
            )(x)
            if norm:
                x = layers.BatchNormalization(name=f"block{block}_norm{number}")(x)
                x = layers.ReLU(name=f"block{block}_relu{number}")(x)
        # From the sixth block on the maps are one pixel, and pooling leaves them so.
        x = layers.MaxPooling2D(2, padding="valid" if block < 6 else "same", name=f"block{block}_pool")(x)
        x = _dropped(x, dropout, f"block{block}_dropout")
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(128, activation="relu", kernel_initializer="he_uniform", kernel_regularizer=regular, name="dense")(
        x
    )
    x = _dropped(x, dropout, "dropout")
    return keras.Model(face, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="vgg_blocks")


def _dropped(x: Any, share: float, name: str) -> Any:
    from keras import layers

    return layers.Dropout(share, name=name)(x) if share else x


def _descent() -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.SGD(0.01)


def _recipe(name: str, summary: str, accuracy: float | None, reported: str, **options: Any) -> Recipe:
    training = {key: options.pop(key) for key in ("movement", "patience", "epochs") if key in options}
    return Recipe(
        name=f"vgg-blocks{name}",
        summary=summary,
        protocol="fer7",
        build=partial(_build, **options),
        optimizer=_descent,
        epochs=training.pop("epochs", 100),
        batch=64,
        published=Published(accuracy, reported),
        differs=_DIFFERS,
        **training,
    )


RECIPES: Final = (
    _recipe("", "six blocks, dropout .3", 0.667, "66.7 % at its best epoch", blocks=6, dropout=0.3, epochs=400),
    _recipe("-1", "one block", 0.501, "50.1 %", blocks=1),
    _recipe("-2", "two blocks", 0.539, "53.9 %", blocks=2),
    _recipe("-5", "five blocks", 0.580, "58.0 %", blocks=5),
    _recipe("-l2", "five blocks, weights decayed", 0.570, "57.0 %", blocks=5, decay=0.001),
    _recipe(
        "-augmented",
        "five blocks, faces moved and mirrored",
        0.48,
        "48 %",
        blocks=5,
        movement=Movement(shift=0.1, flip=True),
    ),
    _recipe("-dropout20", "five blocks, dropout .2", 0.631, "63.1 %", blocks=5, dropout=0.2),
    _recipe("-dropout30", "five blocks, dropout .3", 0.621, "62.1 %", blocks=5, dropout=0.3),
    _recipe(
        "-stopped",
        "six blocks, dropout .3, stopped early",
        0.629,
        "62.9 %",
        blocks=6,
        dropout=0.3,
        epochs=400,
        patience=10,
    ),
    _recipe("-norm", "five blocks, dropout .3, batch norm", None, "not reported", blocks=5, dropout=0.3, norm=True),
)
