"""What comes of training the network of candidates: few steps on few pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("keras", reason="training needs the extra train")
pytest.importorskip("tensorflow", reason="training needs the extra train")

from cuelens_models.bundle.interpreter import find_runtime
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.composites import Place
from cuelens_models.quiet import native_quiet
from cuelens_models.train.candidates import fit, network_input, to_int8

# The converter warns of every full int8 conversion from Keras, though it has its representative images.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")

Pool = list[tuple[Grey, list[Place]]]


@pytest.fixture(scope="module")
def pool() -> Pool:
    random = np.random.default_rng(0)
    faces: Sequence[Sequence[Place]] = (
        [Place(60, 44, 16, 0, False)],
        [Place(72, 56, 60, 10, False)],
        [Place(20, 20, 25, 0, True)],
        [],
    )
    return [(random.integers(0, 256, (120, 160), dtype=np.uint8), list(places)) for places in faces]


@pytest.fixture(scope="module")
def learned(pool: Pool) -> Any:
    return fit(pool, 30)


@pytest.fixture(scope="module")
def inputs(pool: Pool) -> NDArray[np.float32]:
    """The pool as input, after a picture from black to white."""
    whole = np.linspace(0, 255, 120 * 160).reshape(120, 160)
    return network_input(np.stack([whole, *(picture for picture, _ in pool)]))


@pytest.fixture(scope="module")
def interpreter(learned: Any, inputs: NDArray[np.float32]) -> Any:
    _, interpreter_type = find_runtime()
    with native_quiet():
        loaded = interpreter_type(model_content=to_int8(learned, inputs))
        loaded.allocate_tensors()
    return loaded


def test_it_learns_pictures_by_heart(learned: Any, inputs: NDArray[np.float32]) -> None:
    fine, place, coarse, large = (np.asarray(output) for output in learned(inputs[1:], training=True))
    # The cells of the two faces, and of none.
    assert {np.unravel_index(fine[0].argmax(), (16, 20)), (5, 7)} == {(5, 7)}
    assert {np.unravel_index(coarse[1].argmax(), (8, 10)), (3, 4)} == {(3, 4)}
    assert min(fine[0].max(), coarse[1].max()) > 0
    assert max(fine[2:].max(), coarse[2:].max()) < 0
    np.testing.assert_allclose(place[0, 5, 7, :3], 0, atol=0.35)
    np.testing.assert_allclose(large[1, 3, 4, :2], 0, atol=2)


def test_it_becomes_int8_whose_input_is_a_grey_level_minus_128(interpreter: Any) -> None:
    (taken,) = interpreter.get_input_details()
    assert (taken["shape"].tolist(), taken["dtype"]) == ([1, 128, 160, 1], np.int8)
    assert taken["quantization"] == (1 / 64, 0)


def test_the_outputs_of_int8_are_those_of_the_network(
    learned: Any, interpreter: Any, inputs: NDArray[np.float32]
) -> None:
    (taken,), given = interpreter.get_input_details(), interpreter.get_output_details()
    assert [output["shape"].tolist() for output in given] == [
        [1, 16, 20, 1],
        [1, 16, 20, 4],
        [1, 8, 10, 1],
        [1, 8, 10, 4],
    ]
    assert {output["dtype"] for output in given} == {np.int8}
    for picture in inputs:
        interpreter.set_tensor(taken["index"], np.clip(np.rint(picture * 64), -128, 127).astype(np.int8)[np.newaxis])
        interpreter.invoke()
        for output, wanted in zip(given, learned(picture[np.newaxis], training=False), strict=True):
            scale, zero = output["quantization"]
            numbers = (interpreter.get_tensor(output["index"]).astype(float) - zero) * scale
            assert np.abs(numbers - np.asarray(wanted)).mean() < 0.02
