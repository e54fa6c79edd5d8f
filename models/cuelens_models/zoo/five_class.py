"""Five expressions from about 260 pictures: a network from scratch, or a new last layer on one that knows faces."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cuelens_models.bundle.file import SHIPPED
from cuelens_models.errors import BadInput
from cuelens_models.zoo.recipe import HEAD, Few, Published, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

_CONVOLUTIONS: Final = ((64, 3), (128, 5), (512, 3), (512, 3))
"""Filters and side of the kernel; batch norm, pooling and dropout follow each."""
_DENSE: Final = (256, 512)


def _from_scratch(labels: int) -> "keras.Model":
    import keras
    from keras import layers

    face = x = keras.Input((48, 48, 1), name="face")
    for number, (filters, side) in enumerate(_CONVOLUTIONS, start=1):
        x = layers.Conv2D(filters, side, padding="same", name=f"conv{number}")(x)
        x = _normed(x, f"conv{number}")
        x = layers.MaxPooling2D(2, name=f"conv{number}_pool")(x)
        x = layers.Dropout(0.25, name=f"conv{number}_dropout")(x)
    x = layers.Flatten(name="flat")(x)
    for number, width in enumerate(_DENSE, start=1):
        x = _normed(layers.Dense(width, name=f"dense{number}")(x), f"dense{number}")
        x = layers.Dropout(0.25, name=f"dense{number}_dropout")(x)
    return keras.Model(face, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="five_class")


def _normed(x: Any, name: str) -> Any:
    from keras import layers

    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))


def _transferred(labels: int) -> "keras.Model":
    """The shipped network up to its global average, kept as it is, and a last layer to be learned."""
    import keras
    from keras import layers

    source = SHIPPED.with_suffix(".keras")
    if not source.exists():
        raise BadInput(
            f"the network that this recipe begins from, {source.name}, is in a checkout only:"
            " run `pip install -e 'CHECKOUT[train]'`"
        )
    trained = keras.models.load_model(source, compile=False)
    trunk = keras.Model(trained.input, trained.get_layer("average").output)
    for layer in trunk.layers:
        layer.trainable = False
    x = layers.Dropout(0.25, name="head_dropout")(trunk.output)
    return keras.Model(trunk.input, {HEAD: layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="five_class")


def _adam() -> "keras.optimizers.Optimizer":
    import keras

    return keras.optimizers.Adam(1e-3)


def _recipe(name: str, summary: str, build: "Callable[[int], keras.Model]", *, few: Few, standardised: bool) -> Recipe:
    return Recipe(
        name=f"five-class{name}",
        summary=summary,
        protocol="fer5",
        build=build,
        optimizer=_adam,
        epochs=50,
        batch=32,
        published=Published(0.90, "90 % (AUC 100 %) on 55 pictures of few people"),
        differs=(
            "Training fed levels of 0 to 255, use divided them by 255; here both go through one function.",
            "It was judged on 55 pictures of few people; here on all held-out faces.",
            "Its own pictures are not used; here 52 of each expression are drawn from training.",
        ),
        standardised=standardised,
        few=few,
    )


_scratch = partial(_recipe, build=_from_scratch, standardised=False)
_transfer = partial(_recipe, build=_transferred, standardised=True)
_DETECTED: Final = Few(detected=True, inspected=False)

RECIPES: Final = (
    _transfer("-transfer", "260 pictures, a new last layer on the shipped network", few=_DETECTED),
    _transfer("-transfer-manual", "its faces cut by hand", few=Few(detected=False, inspected=False)),
    _transfer("-transfer-inspected", "its poor pictures left out", few=Few(detected=True, inspected=True)),
    _scratch("-scratch", "260 pictures, a network from scratch", few=_DETECTED),
    _scratch("-scratch-manual", "its faces cut by hand", few=Few(detected=False, inspected=False)),
)
