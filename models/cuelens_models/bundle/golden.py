"""Pictures made by formulas, and the answers a bundle must give to them.

Converted on a workstation and replayed on the glasses, they show that pixels, runtime and model still mean the
same thing there. They are no faces: only numbers that anyone can compute again.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Contract
from cuelens_models.errors import BadBundle

SIDE: Final = 48
_STEPS_ALLOWED: Final = 2
"""Kernels differ in rounding between processors; two steps of the output scale is what that can amount to."""

_FORMULAS: Final[dict[str, Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]]] = {
    "(5*x + 3*y) % 256": lambda x, y: (5 * x + 3 * y) % 256,
    "(x*x + y*y) // 18 % 256": lambda x, y: (x * x + y * y) // 18 % 256,
    "255 * ((x // 6 + y // 6) % 2)": lambda x, y: 255 * ((x // 6 + y // 6) % 2),
    "96 + (x*y) % 64": lambda x, y: 96 + (x * y) % 64,
}
FORMULAS: Final = tuple(_FORMULAS)


def picture(formula: str) -> NDArray[np.uint8]:
    """Return the 48x48 uint8 picture of `formula`; x runs along columns, y along rows. BadBundle if unknown."""
    try:
        compute = _FORMULAS[formula]
    except KeyError:
        raise BadBundle(f"golden formula {formula!r} is unknown to this cuelens: update it") from None
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return compute(x, y).astype(np.uint8)


def differences(contract: Contract, answer: Callable[[NDArray[np.uint8]], NDArray[np.float64]]) -> list[str]:
    """Replay every golden picture through `answer` (picture to dequantised outputs); return what differs, in words.

    Equal means: the same first label, and every output within two steps of the output scale (for a float model,
    within 1 % of the largest output).
    """
    found = []
    for golden in contract.golden:
        expected = np.asarray(golden.logits)
        given = answer(picture(golden.formula))
        if given.shape != expected.shape:
            found.append(f"{golden.formula}: {expected.size} numbers for {given.size} outputs")
            continue
        step = contract.output.scale or float(np.abs(expected).max()) / 100 / _STEPS_ALLOWED
        off = float(np.abs(given - expected).max())
        if off > _STEPS_ALLOWED * step * 1.001 or given.argmax() != expected.argmax():
            found.append(f"{golden.formula}: off by {off:.3f}, {off / step:.1f} output steps")
    return found
