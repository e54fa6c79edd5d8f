import numpy as np

from cuelens_models.augment import augment


def test_a_changed_face_keeps_its_size_and_follows_from_the_seed() -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    before = face.copy()
    for seed in range(20):
        changed = augment(face, np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == ((48, 48), np.uint8)
        np.testing.assert_array_equal(changed, augment(face, np.random.default_rng(seed)))
    np.testing.assert_array_equal(face, before)


def test_half_of_the_faces_are_mirrored() -> None:
    face = np.zeros((48, 48), np.uint8)
    face[:, :16] = 255
    brighter_left = [
        changed[:, :24].mean() > changed[:, 24:].mean()
        for changed in (augment(face, np.random.default_rng(seed)) for seed in range(200))
    ]
    assert 70 < sum(brighter_left) < 130


def test_a_face_stays_where_it_was_but_for_a_tenth_of_the_side() -> None:
    face = np.full((48, 48), 60, np.uint8)
    face[22:26, 22:26] = 255
    for seed in range(60):
        changed = augment(face, np.random.default_rng(seed)).astype(float)
        rows, columns = np.nonzero(changed > changed.min() + 0.6 * (changed.max() - changed.min()))
        assert abs(rows.mean() - 23.5) < 48 * 0.1 + 2, seed
        assert abs(columns.mean() - 23.5) < 48 * 0.1 + 2, seed
