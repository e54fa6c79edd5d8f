import msgspec
import numpy as np
import pytest

from cuelens_models.bundle.contract import Contract, Output, Probabilities
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.scores import dequantise, log_probabilities, probabilities, softmax


def contract_with(contract: Contract, kind: str, temperature: float) -> Contract:
    output = msgspec.structs.replace(contract.output, kind=kind)
    return msgspec.structs.replace(
        contract, output=output, probabilities=Probabilities(temperature=temperature, enter={})
    )


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        ([0.0, 0.0], 1.0, [0.5, 0.5]),
        ([np.log(1), np.log(3)], 1.0, [0.25, 0.75]),
        ([0.0, 2 * np.log(3)], 2.0, [0.25, 0.75]),
        ([0.0, np.log(3)], 0.5, [0.1, 0.9]),
        ([1000.0, 0.0, -1000.0], 1.0, [1.0, 0.0, 0.0]),
        ([-1e6, -1e6], 1.0, [0.5, 0.5]),
    ],
)
def test_softmax_by_hand(logits: list[float], temperature: float, expected: list[float]) -> None:
    np.testing.assert_allclose(softmax(np.array(logits), temperature), expected, atol=1e-12)


def test_softmax_goes_over_the_last_axis_and_leaves_its_input_alone() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4, 8))
    before = logits.copy()
    together = softmax(logits)
    np.testing.assert_allclose(together.sum(axis=-1), 1)
    np.testing.assert_allclose(together, softmax(logits, 1.0))
    np.testing.assert_allclose(together[1, 2], softmax(logits[1, 2]))
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize(
    ("raw", "scale", "zero_point", "expected"),
    [
        (np.array([-128, 0, 127], np.int8), 0.5, -3, [-62.5, 1.5, 65.0]),
        (np.array([0, 255], np.uint8), 0.25, 128, [-32.0, 31.75]),
        (np.array([1.5, -2.5], np.float32), 0.0, 0, [1.5, -2.5]),
    ],
)
def test_dequantised_outputs_by_hand(
    raw: np.ndarray[tuple[int], np.dtype[np.int8]], scale: float, zero_point: int, expected: list[float]
) -> None:
    output = Output(kind="logits", dtype="int8", scale=scale, zero_point=zero_point)
    result = dequantise(raw, output)
    assert result.dtype == np.float64
    assert result.tolist() == expected


def test_logits_become_probabilities_at_the_contracts_temperature(shipped: Bundle) -> None:
    logits = np.array([[0.0, np.log(3)]])
    np.testing.assert_allclose(probabilities(logits, contract_with(shipped.contract, "logits", 0.5)), [[0.1, 0.9]])


@pytest.mark.parametrize(("temperature", "expected"), [(1.0, [0.25, 0.75]), (0.5, [0.1, 0.9])])
def test_a_model_that_gives_probabilities_is_not_softened_twice(
    shipped: Bundle, temperature: float, expected: list[float]
) -> None:
    contract = contract_with(shipped.contract, "probabilities", temperature)
    np.testing.assert_allclose(probabilities(np.array([0.25, 0.75]), contract), expected)


def test_a_probability_of_zero_stays_a_number(shipped: Bundle) -> None:
    result = probabilities(np.array([0.0, 1.0]), contract_with(shipped.contract, "probabilities", 1.0))
    np.testing.assert_allclose(result, [0, 1], atol=1e-6)


@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_logarithms_of_probabilities_are_finite_where_these_are_0(shipped: Bundle, kind: str) -> None:
    outputs, contract = np.array([0.25, 0.75]), contract_with(shipped.contract, kind, 1e-4)
    logarithms = log_probabilities(outputs, contract)
    np.testing.assert_array_equal(np.exp(logarithms), probabilities(outputs, contract))
    assert probabilities(outputs, contract)[0] == 0
    assert -np.inf < logarithms[0] < -1000
    warm = contract_with(shipped.contract, kind, 1.0)
    np.testing.assert_allclose(np.exp(log_probabilities(outputs, warm)), probabilities(outputs, warm))
