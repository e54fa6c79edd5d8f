"""The network that tells where in a picture faces may be. It has 23,000 parameters and 6 million multiply-adds.

It has two grids of cells: one of 8 pixels for small faces, one of 16 for large ones. A cell has a logit, and the centre
(in sides, from the cell's), the logarithm of the side and the tilt of the face whose centre is near.
"""

from typing import TYPE_CHECKING, Any

from cuelens_models.bundle.grids import GRIDS

if TYPE_CHECKING:
    import keras

ROWS, COLUMNS = 128, 160
"""Of the picture that it learns from; others have multiples of 16."""


def build() -> "keras.Model":
    """Return an untrained network from float (n, 128, 160, 1), a grey level minus 128 divided by 64.

    Its outputs are logits (n, rows, columns, 1) and places (n, rows, columns, 4) of each grid in turn.
    """
    import keras
    from keras import layers

    def normalised(x: Any) -> Any:
        return layers.BatchNormalization(momentum=0.98)(x)

    def plain(x: Any, filters: int) -> Any:
        return layers.ReLU(6.0)(normalised(layers.Conv2D(filters, 3, 2, "same", use_bias=False)(x)))

    def separable(x: Any, filters: int, stride: int = 1) -> Any:
        y = layers.ReLU(6.0)(normalised(layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(x)))
        y = normalised(layers.Conv2D(filters, 1, use_bias=False)(y))
        return layers.ReLU(6.0)(y if stride > 1 else layers.Add()([x, y]))

    picture = keras.Input((ROWS, COLUMNS, 1), name="picture")
    x = separable(plain(plain(picture, 8), 16), 16)
    x = separable(separable(plain(x, 32), 32), 32)
    fine, coarse = separable(x, 32), separable(x, 48, 2)
    for _ in range(3):
        coarse = separable(coarse, 48)
    rare = keras.initializers.Constant(-4.0)
    outputs = []
    for grid, features in zip(GRIDS, (fine, coarse), strict=True):
        outputs.append(layers.Conv2D(1, 1, name=f"{grid.name}_logit", bias_initializer=rare)(features))
        outputs.append(layers.Conv2D(4, 1, name=f"{grid.name}_place")(features))
    return keras.Model(picture, outputs, name="candidates")
