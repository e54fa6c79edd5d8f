"""Pictures that a network may fail on although it answers ordinary faces: of no contrast, constant, saturated.

A network that divides by each face's own contrast divides by zero in int8, where small contrasts are rounded to zero.
LiteRT ends such a call with an exception, and TensorFlow's own interpreter on other faces than LiteRT: only the runtime
of the glasses proves anything.
"""

from typing import Any, Final

import keras
import numpy as np

from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.pixels import Grey
from cuelens_models.errors import BadInput, NoAnswer, Refused

_FACES: Final = 16
_CONTRASTS: Final = tuple(2.0**-power for power in range(9))
_LEVELS: Final = (0, 1, 64, 127, 128, 254, 255)


_WEIGHTED: Final = (keras.layers.Conv2D, keras.layers.Dense, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_STANDARDISING: Final = (
    "GroupNormalization",
    "LayerNorm",
    "LayerNormalization",
    "Moments",
    "Norm",
    "Normalize",
    "RMSNorm",
    "RMSNormalization",
    "Rsqrt",
    "Std",
    "UnitNormalization",
    "Var",
)
"""Layers and operations that measure the contrast of what they get."""
_QUOTIENTS: Final = ("Divide", "DivideNoNan", "Reciprocal", "TrueDivide")
"""Operations that divide by their last argument. What a face itself gives is divided by only to standardise it."""
_REMEDY: Final = "take these layers out and convert with --pixels standardised"


def check_front(network: keras.Model) -> None:
    """Raise BadInput if a network standardises each face before its first weights: int8 has too few steps for that.

    network: without networks inside it.
    """
    for operation in network.operations:
        if isinstance(operation, _WEIGHTED):
            return
        if type(operation).__name__ in _STANDARDISING or _divides_by_the_face(operation):
            raise BadInput(
                f"the network standardises each face itself ({operation.name}, a {type(operation).__name__}), which"
                f" rounds faces of little contrast to nothing: {_REMEDY}"
            )


def _divides_by_the_face(operation: Any) -> bool:
    if type(operation).__name__ not in _QUOTIENTS:
        return False
    *_, divisor = operation._inbound_nodes[-1].arguments.args  # noqa: SLF001 - Keras has no public way to ask
    return isinstance(divisor, keras.KerasTensor)


def hard_faces(faces: Grey) -> Grey:
    """Return the first 16 faces at contrasts down to nothing, dark and bright; saturated; and constant pictures.

    faces: uint8 (n, height, width). Returns the same of other n.
    """
    some = faces[:_FACES].astype(np.float64)
    mean = some.mean(axis=(1, 2), keepdims=True)
    fading = [centre + contrast * (some - mean) for contrast in _CONTRASTS for centre in (4.0, mean, 251.0)]
    saturated = [mean + 40 * (some - mean), some - 200, some + 200]
    constant = np.broadcast_to(np.reshape(_LEVELS, (-1, 1, 1)), (len(_LEVELS), *faces.shape[1:]))
    return np.concatenate([*fading, *saturated, constant]).round().clip(0, 255).astype(np.uint8)


def check_answers(interpreter: Interpreter, faces: Grey) -> None:
    """Raise Refused if the runtime fails on one of the faces, or answers it with what is no number.

    interpreter: of the converted model. faces: uint8 (n, height, width).
    """
    for face in faces:
        try:
            interpreter.outputs(face)
        except NoAnswer as error:
            raise Refused(
                f"{interpreter.contract.conversion.scheme} is refused: {error}; the picture has a contrast of"
                f" {face.std():.1f} (standard deviation of its levels): if the network standardises each face itself"
                f" (LayerNormalization, or less the mean by the deviation), {_REMEDY}: nothing was written"
            ) from error
