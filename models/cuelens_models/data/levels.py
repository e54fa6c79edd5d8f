"""Grey levels that are none: scaled before they were saved, or of more bits than 8."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.errors import BadInput

_HIGHEST: Final = 255
_FAINT: Final = 15
"""A set without any level above it was divided, or lost its lower bits: 12 bits of 16, cut to 8, reach 15."""
_DEPTHS: Final = (10, 12, 14, 16)


def scaling(values: NDArray[Any]) -> str:
    """Return what is wrong with numbers that should be grey levels 0 to 255, and what to do; "" if they are.

    The words follow a subject in the plural: "its pixels" are divided by 255 already.
    """
    if values.size == 0:
        return ""
    if values.dtype.kind not in "uif":
        return f"are {values.dtype}, not grey levels from 0 to 255"
    least, most = float(values.min()), float(values.max())
    if not np.isfinite([least, most]).all():
        return "are not all numbers"
    whole = values.dtype.kind in "ui" or bool((values == np.rint(values)).all())
    if not whole and least >= 0 and most <= 1:
        return f"are divided by 255 already ({least:g} to {most:g}): multiply them by 255 and round them"
    if not whole and least >= -1 and most <= 1:
        return f"are scaled to -1 to 1 already ({least:g} to {most:g}): scale them back to 0 to 255 and round them"
    if least < 0:
        return f"go below 0 ({least:g} to {most:g}): save the grey levels as they were, from 0 to 255"
    if not whole:
        return "are no whole numbers: save the grey levels as they were, from 0 to 255"
    if most > _HIGHEST:
        bits = next((bits for bits in _DEPTHS if most < 2**bits), None)
        if bits is None:
            return f"go up to {most:g}: scale them to 0 to 255"
        return f"have {bits} bits (up to {most:g}): divide them by {2 ** (bits - 8)} and round them down"
    return ""


def depth(picture: NDArray[Any]) -> str:
    """Return what is wrong with the grey levels of a decoded picture of more than 8 bits a pixel; "" if nothing is.

    A picture of 16 bits is well if its brightest levels use them. One under 4096 was taken with 12 bits or fewer.
    """
    if picture.dtype != np.uint16:
        return scaling(picture)
    most = int(picture.max())
    bits = max(8, most.bit_length())
    if most == 0 or bits > 12:
        return ""
    return f"have {bits} bits of 16 (up to {most}), which is nearly black: multiply them by {2 ** (16 - bits)}"


def check(pixels: NDArray[np.uint8], where: object) -> None:
    """Raise BadInput if a set of faces is nearly black: then it was scaled before it was saved.

    pixels: uint8 (n, 48, 48). where: they are from.
    """
    most = int(pixels.max()) if pixels.size else 0
    if 0 < most <= _FAINT:
        cause = "divided by 255 and cut to whole numbers" if most == 1 else "divided, or cut from 12 bits"
        raise BadInput(f"no grey level in {where} is over {most}: they were {cause}; save them anew, from 0 to 255")
