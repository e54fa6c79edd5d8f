import cv2
import numpy as np

from cuelens_models.data.augment import augment


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
    face[20:28, 20:28] = 255
    away = []
    for seed in range(200):
        changed = cv2.GaussianBlur(augment(face, np.random.default_rng(seed)), (9, 9), 0)
        # What is brightest once noise is smoothed away; a rectangle laid over the face may be brighter still.
        row, column = np.unravel_index(changed.argmax(), changed.shape)
        away.append(max(abs(row - 23.5), abs(column - 23.5)))
    assert np.quantile(away, 0.85) < 48 * 0.1 + 4
    assert np.quantile(away, 0.5) > 1


def test_no_two_views_of_a_face_are_the_same() -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    assert len({augment(face, np.random.default_rng(seed)).tobytes() for seed in range(100)}) == 100
