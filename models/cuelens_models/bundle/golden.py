"""Golden samples: pictures made by formulas, and the outputs expected for them.

The converter stores them in the bundle, and the glasses replay them. Equal outputs show that pixels, runtime and
model behave there as on the workstation. The pictures are no faces: anyone can compute them again.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Contract
from cuelens_models.errors import BadBundle

SIDE: Final = 48
_STEPS_ALLOWED: Final = 2
"""Tolerance in steps of the output scale: the rounding of kernels differs between processors by up to two."""

_FORMULAS: Final[dict[str, Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]]] = {
    "(5*x + 3*y) % 256": lambda x, y: (5 * x + 3 * y) % 256,
    "(x*x + y*y) // 18 % 256": lambda x, y: (x * x + y * y) // 18 % 256,
    "255 * ((x // 6 + y // 6) % 2)": lambda x, y: 255 * ((x // 6 + y // 6) % 2),
    "96 + (x*y) % 64": lambda x, y: 96 + (x * y) % 64,
}
FORMULAS: Final = tuple(_FORMULAS)


def picture(formula: str) -> NDArray[np.uint8]:
    """Return the 48x48 uint8 picture of `formula`, x along columns and y along rows. Raises BadBundle if unknown."""
    try:
        compute = _FORMULAS[formula]
    except KeyError:
        raise BadBundle(f"golden formula {formula!r} is unknown to this cuelens: update it") from None
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return compute(x, y).astype(np.uint8)


def differences(contract: Contract, run: Callable[[NDArray[np.uint8]], NDArray[np.float64]]) -> list[str]:
    """Replay every golden picture through `run` (picture to dequantised outputs); return a phrase for each mismatch.

    Outputs match if the most probable label is the same and every output is within two steps of the output scale
    (for a float model, within 1 % of the largest output).
    """
    mismatches = []
    for golden in contract.golden:
        expected = np.asarray(golden.logits)
        outputs = run(picture(golden.formula))
        if outputs.shape != expected.shape:
            mismatches.append(f"{golden.formula}: {expected.size} numbers for {outputs.size} outputs")
            continue
        step = contract.output.scale or float(np.abs(expected).max()) / 100 / _STEPS_ALLOWED
        error = float(np.abs(outputs - expected).max())
        if error > _STEPS_ALLOWED * step * 1.001 or outputs.argmax() != expected.argmax():
            mismatches.append(f"{golden.formula}: off by {error:.3f}, {error / step:.1f} output steps")
    return mismatches
