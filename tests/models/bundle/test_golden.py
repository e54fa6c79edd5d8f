from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.bundle import golden
from cuelens_models.bundle.contract import Contract, Golden
from cuelens_models.bundle.file import Bundle
from cuelens_models.errors import BadBundle

FORMULA = golden.FORMULAS[0]


@pytest.fixture
def contract_with(shipped: Bundle) -> Callable[..., Contract]:
    """Makes a contract with one golden picture, these logits and this output scale."""

    def make(logits: list[float], scale: float) -> Contract:
        output = msgspec.structs.replace(shipped.contract.output, scale=scale)
        return msgspec.structs.replace(shipped.contract, output=output, golden=[Golden(formula=FORMULA, logits=logits)])

    return make


def always(answer: list[float]) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    return lambda picture: np.array(answer)


@pytest.mark.parametrize(
    ("formula", "level"),
    [
        ("(5*x + 3*y) % 256", lambda x, y: (5 * x + 3 * y) % 256),
        ("(x*x + y*y) // 18 % 256", lambda x, y: (x**2 + y**2) // 18 % 256),
        ("255 * ((x // 6 + y // 6) % 2)", lambda x, y: 255 if (x // 6) % 2 != (y // 6) % 2 else 0),
        ("96 + (x*y) % 64", lambda x, y: 96 + x * y % 64),
    ],
)
def test_a_picture_is_its_formula_at_every_pixel(formula: str, level: Callable[[int, int], int]) -> None:
    picture = golden.picture(formula)
    assert (picture.shape, picture.dtype) == ((48, 48), np.uint8)
    assert picture.tolist() == [[level(x, y) for x in range(48)] for y in range(48)]


def test_every_formula_gives_a_picture_of_its_own() -> None:
    assert len({golden.picture(formula).tobytes() for formula in golden.FORMULAS}) == len(golden.FORMULAS) == 4


def test_the_shipped_bundle_carries_every_formula(shipped: Bundle) -> None:
    assert [entry.formula for entry in shipped.contract.golden] == list(golden.FORMULAS)


@pytest.mark.parametrize("formula", ["", "x", "__import__('os')", "(5*x+3*y)%256"])
def test_an_unknown_formula_is_refused_and_never_evaluated(formula: str) -> None:
    with pytest.raises(BadBundle, match="unknown to this cuelens"):
        golden.picture(formula)


@pytest.mark.parametrize(
    ("logits", "scale", "answer", "differs"),
    [
        pytest.param([0.0, 3.0], 0.1, [0.0, 3.0], False, id="the same"),
        pytest.param([0.0, 3.0], 0.1, [0.2, 2.8], False, id="two steps off"),
        pytest.param([0.0, 3.0], 0.1, [0.0, 2.7], True, id="three steps off"),
        pytest.param([3.0, 3.1], 0.1, [3.1, 3.0], True, id="within two steps, but another first label"),
        pytest.param([0.0, 10.0], 0.0, [0.0995, 10.0], False, id="a float model within 1 %"),
        pytest.param([0.0, 10.0], 0.0, [0.1005, 10.0], True, id="a float model beyond 1 %"),
    ],
)
def test_an_answer_is_the_same_within_two_output_steps(
    contract_with: Callable[..., Contract], logits: list[float], scale: float, answer: list[float], differs: bool
) -> None:
    mismatches = golden.differences(contract_with(logits, scale), always(answer))
    assert bool(mismatches) == differs
    assert all(FORMULA in words for words in mismatches)


@pytest.mark.parametrize(
    ("logits", "scale", "answer", "sentence"),
    [
        ([0.0, 3.0], 0.125, [0.5, 3.0], "off by 0.500, 4.0 output steps"),
        ([0.0, 3.0], 0.125, [0.25, 2.5], "off by 0.500, 4.0 output steps"),
        ([3.0, 3.125], 0.125, [3.125, 3.0], "off by 0.125, 1.0 output steps"),
        # Of a float model a step is half a hundredth of the largest output, whichever sign that has.
        ([1.0, -8.0], 0.0, [1.5, -8.0], "off by 0.500, 12.5 output steps"),
        ([1.0, 2.0], 0.1, [1.0, 2.0, 3.0], "2 numbers for 3 outputs"),
    ],
)
def test_a_mismatch_says_by_how_much(
    contract_with: Callable[..., Contract], logits: list[float], scale: float, answer: list[float], sentence: str
) -> None:
    assert golden.differences(contract_with(logits, scale), always(answer)) == [f"{FORMULA}: {sentence}"]


def test_every_picture_is_replayed_whatever_came_of_the_ones_before(shipped: Bundle) -> None:
    every = [entry.formula for entry in shipped.contract.golden]
    for answer in ([0.0], [1e3] * len(shipped.contract.labels)):
        mismatches = golden.differences(shipped.contract, always(answer))
        assert [words.partition(": ")[0] for words in mismatches] == every
