import numpy as np
import pytest

from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.train.targets import HEADS, ORIGINAL, rarities, targets, weighted
from cuelens_models.train.targets import VOTES as BY_VOTES

EVEN = dict.fromkeys(BY_VOTES.labels[:8], 1 / 8)


def ballots(*rows: dict[str, int]) -> Faces:
    n = len(rows)
    votes = np.array([[row.get(word, 0) for word in VOTES] for row in rows], np.uint8)
    return Faces(np.zeros((n, 48, 48), np.uint8), np.full(n, -1, np.int8), votes)


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ({"happy": 10}, {"happy": 1.0}),
        ({"happy": 6, "sad": 2}, {"happy": 0.75, "sad": 0.25}),
        ({"happy": 6, "sad": 2, "fear": 1}, {"happy": 0.75, "sad": 0.25}),
        ({"happy": 4, "unknown": 1}, {"happy": 1.0}),
        ({"contempt": 3, "not_a_face": 6}, {"contempt": 1 / 3, "not_a_face": 2 / 3}),
        ({"not_a_face": 10}, {"not_a_face": 1.0}),
        ({"unknown": 9}, EVEN),
        ({"happy": 4, "unknown": 4}, {**dict.fromkeys(EVEN, 1 / 16), "happy": 9 / 16}),
        ({"happy": 200, "sad": 200}, {"happy": 0.5, "sad": 0.5}),
        ({}, {}),
        ({"happy": 1, "sad": 1}, {}),
    ],
)
def test_votes_become_shares_and_unknown_could_be_any_expression(row: dict[str, int], target: dict[str, float]) -> None:
    rows = targets(ballots(row), BY_VOTES)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[0], [target.get(label, 0) for label in BY_VOTES.labels], rtol=1e-6)


@pytest.mark.parametrize("word", EMOTIONS)
def test_an_original_label_is_smoothed(word: str) -> None:
    faces = Faces(
        np.zeros((1, 48, 48), np.uint8), np.array([EMOTIONS.index(word)], np.int8), np.zeros((1, 10), np.uint8)
    )
    (rows,) = targets(faces, ORIGINAL)
    assert rows.sum() == pytest.approx(1)
    assert ORIGINAL.labels[int(rows.argmax())] == word
    assert rows.max() == pytest.approx(0.9 + 0.1 / 7)


def test_a_face_that_nobody_said_anything_of_weighs_nothing() -> None:
    for head in HEADS:
        assert not targets(ballots({}), head).any()


ROWS = np.array([[0.7, 0.3, 0.0], [0.9, 0.1, 0.0], [0.5, 0.5, 0.0], [0.1, 0.3, 0.6]], np.float32)
"""Their means are 0.55, 0.3 and 0.15."""


@pytest.mark.parametrize(
    ("power", "relative"),
    [
        (0.0, [1.0, 1.0, 1.0]),
        (0.15, [1.0, (0.552 / 0.302) ** 0.15, (0.552 / 0.152) ** 0.15]),
        (1.0, [1.0, 0.552 / 0.302, 0.552 / 0.152]),
    ],
)
def test_labels_weigh_by_the_power_of_their_rarity(power: float, relative: list[float]) -> None:
    weights = rarities(ROWS, power)
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights / weights[0], relative, rtol=1e-5)


def test_a_label_that_is_never_true_has_a_weight_too() -> None:
    weights = rarities(ROWS[:3], 0.15)
    assert np.isfinite(weights).all()
    assert weights[2] / weights[0] == pytest.approx((0.702 / 0.002) ** 0.15, rel=1e-5)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]),
        ([0.5, 0.5, 0.0], [1 / 3, 2 / 3, 0.0]),
        ([0.25, 0.25, 0.5], [0.25 / 2.75, 0.5 / 2.75, 2 / 2.75]),
        ([0.2, 0.0, 0.2], [0.08, 0.0, 0.32]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_a_weighted_row_keeps_its_sum(row: list[float], expected: list[float]) -> None:
    rows = weighted(np.array([row], np.float32), np.array([1.0, 2.0, 4.0], np.float32))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows[0], expected, rtol=1e-6)
