"""From the raw output tensor to probabilities. Softmax and temperature stand here and nowhere else."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.contract import Contract, Output

Scores = NDArray[np.float64]


def dequantise(raw: NDArray[Any], output: Output) -> Scores:
    """Return the real values of quantised outputs of any shape. Outputs with scale 0 are floats already."""
    if output.scale == 0:
        return raw.astype(np.float64)
    return (raw.astype(np.float64) - output.zero_point) * output.scale


def probabilities(outputs: Scores, contract: Contract) -> Scores:
    """Return probabilities over the last axis for dequantised outputs, at the contract's temperature."""
    return softmax(_logits(outputs, contract), contract.probabilities.temperature)


def log_probabilities(outputs: Scores, contract: Contract) -> Scores:
    """Return the natural logarithms of `probabilities`, finite also where a probability is too small for a number."""
    return log_softmax(_logits(outputs, contract), contract.probabilities.temperature)


def _logits(outputs: Scores, contract: Contract) -> Scores:
    return np.log(np.maximum(outputs, 1e-7)) if contract.output.kind == "probabilities" else outputs


def softmax(logits: Scores, temperature: float = 1.0) -> Scores:
    """Return softmax(logits / temperature) over the last axis."""
    shifted = (logits - logits.max(axis=-1, keepdims=True)) / temperature
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def log_softmax(logits: Scores, temperature: float = 1.0) -> Scores:
    """Return the natural logarithms of `softmax`, finite also where a probability is too small for a number."""
    shifted = (logits - logits.max(axis=-1, keepdims=True)) / temperature
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
