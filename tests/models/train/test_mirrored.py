import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("keras", reason="training needs the extra train")

import keras

from cuelens_models.train.mirrored import Mirrored

# Keras asks PyTorch's tensors for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Rows = NDArray[np.float64]

LOGITS = np.array([[1.0, 0.5, -2.0], [0.0, 3.0, 0.2], [0.4, 0.9, -1.0], [2.0, -1.0, 0.0]])
"""Two faces, and in the second half their mirror images."""
TARGETS = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]] * 2)


def by_hand(targets: Rows, logits: Rows, weight: float) -> float:
    """The mean cross-entropy, and the mean over pairs of half of KL(face, image) + KL(image, face)."""
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    crossed = float(np.mean([-sum(row * np.log(p)) for row, p in zip(targets, chances, strict=True)]))
    distances = []
    for face, image in zip(chances[: len(chances) // 2], chances[len(chances) // 2 :], strict=True):
        there = sum(p * np.log(p / q) for p, q in zip(face, image, strict=True))
        back = sum(q * np.log(q / p) for p, q in zip(face, image, strict=True))
        distances.append((there + back) / 2)
    return crossed + weight * float(np.mean(distances))


def gradient(loss: keras.losses.Loss, targets: Rows, logits: Rows) -> Rows:
    """The gradient of the loss at these logits, on any backend: what one step of descent at a rate of 1 takes away."""
    rows = keras.layers.Dense(logits.shape[1], use_bias=False)
    network = keras.Sequential([keras.Input((len(logits),)), rows])
    rows.set_weights([logits])
    network.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    network.train_on_batch(np.eye(len(logits), dtype=np.float32), targets.astype(np.float32))
    return np.asarray(logits - rows.get_weights()[0], np.float64)


@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0])
def test_the_loss_is_what_is_computed_by_hand(weight: float) -> None:
    loss = float(Mirrored(weight)(TARGETS, LOGITS))
    assert loss == pytest.approx(by_hand(TARGETS, LOGITS, weight), rel=1e-5)


def test_without_weight_it_is_the_cross_entropy_of_keras() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, (64, 9)).astype(np.float32)
    targets = random.dirichlet(np.ones(9), 64).astype(np.float32)
    plain = keras.losses.CategoricalCrossentropy(from_logits=True)
    assert float(Mirrored()(targets, logits)) == pytest.approx(float(plain(targets, logits)), rel=1e-6)
    np.testing.assert_allclose(gradient(Mirrored(), targets, logits), gradient(plain, targets, logits), atol=1e-6)


def test_an_image_that_is_answered_alike_costs_nothing_more() -> None:
    alike = np.concatenate([LOGITS[:2], LOGITS[:2] + 5.0])
    assert float(Mirrored(1.0)(TARGETS, alike)) == pytest.approx(float(Mirrored()(TARGETS, alike)), rel=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0])
def test_the_gradient_is_the_slope_of_the_loss(weight: float) -> None:
    slopes = np.zeros_like(LOGITS)
    for place in np.ndindex(LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[place] = 1e-5
        slopes[place] = (by_hand(TARGETS, LOGITS + step, weight) - by_hand(TARGETS, LOGITS - step, weight)) / 2e-5
    np.testing.assert_allclose(gradient(Mirrored(weight), TARGETS, LOGITS), slopes, atol=2e-5)


def test_a_face_and_its_image_are_both_pulled_towards_each_other() -> None:
    pull = gradient(Mirrored(1.0), TARGETS, LOGITS) - gradient(Mirrored(), TARGETS, LOGITS)
    for face, image in ((0, 2), (1, 3)):
        for row, other in ((face, image), (image, face)):
            assert np.abs(pull[row]).max() > 0.01
            centred = [LOGITS[each] - LOGITS[each].mean() for each in (other, row)]
            assert -pull[row] @ (centred[0] - centred[1]) > 0


@pytest.mark.parametrize("weight_of_face", [0.0, 0.3, 1.0])
def test_a_face_counts_by_the_sum_of_its_targets_in_the_gradient_too(weight_of_face: float) -> None:
    chances = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = weight_of_face * (chances - TARGETS) / len(LOGITS)
    np.testing.assert_allclose(gradient(Mirrored(), weight_of_face * TARGETS, LOGITS), expected, atol=1e-6)


def test_a_checkpoint_keeps_the_weight() -> None:
    stored = keras.saving.serialize_keras_object(Mirrored(0.2))
    # The name by which trainings that were begun before know it.
    assert stored["registered_name"] == "cuelens>Mirrored"
    again = keras.saving.deserialize_keras_object(stored)
    assert isinstance(again, Mirrored)
    assert (again.weight, again.name) == (0.2, "mirrored")
