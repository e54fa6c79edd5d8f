import cv2
import numpy as np
import pytest

from cuelens_models.data.corruptions import CORRUPTIONS, corrupt


def ramps(count: int) -> np.ndarray:
    """Return faces with edges and slopes: a bright disc on a slanted ramp, each a bit elsewhere."""
    faces = np.empty((count, 48, 48), np.uint8)
    for number in range(count):
        faces[number] = np.add.outer(np.arange(48), 2 * np.arange(48)) + 30
        cv2.circle(faces[number], (14 + number % 20, 20), 9, 230, -1)
    return faces


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_every_face_and_always_in_the_same_way(name: str) -> None:
    faces = ramps(12)
    before = faces.copy()
    result = corrupt(faces, name)
    assert (result.shape, result.dtype) == (faces.shape, np.uint8)
    assert (result != faces).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(result, corrupt(faces, name))
    np.testing.assert_array_equal(faces, before)


def test_no_corruption_is_the_face_itself() -> None:
    faces = ramps(2)
    assert corrupt(faces, "none") is faces


def detail(faces: np.ndarray) -> float:
    return float(np.mean([np.abs(cv2.Laplacian(face, cv2.CV_64F)).mean() for face in faces]))


def test_blur_and_a_small_face_lose_detail_and_noise_adds_some() -> None:
    faces = ramps(8)
    whole = detail(faces)
    assert detail(corrupt(faces, "blur")) < whole
    assert detail(corrupt(faces, "small_face")) < whole
    assert detail(corrupt(faces, "noise")) > whole


def test_noise_and_low_light_are_as_strong_as_said() -> None:
    even = np.full((40, 48, 48), 128, np.uint8)
    noisy, dark = corrupt(even, "noise").astype(float), corrupt(even, "low_light").astype(float)
    assert (noisy.mean(), noisy.std()) == pytest.approx((128, 16), abs=0.3)
    assert (dark.mean(), dark.std()) == pytest.approx((32, 5), abs=0.1)


def test_an_occlusion_is_one_even_rectangle_of_a_sixth_of_the_face() -> None:
    faces = ramps(30)
    for face, covered in zip(faces, corrupt(faces, "occlusion"), strict=True):
        rows, columns = np.nonzero(face != covered)
        box = covered[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert len(np.unique(box)) == 1
        # A column of the face that has the very grey of the rectangle does not show.
        assert box.size <= 24 * 16
        assert sorted(box.shape) <= [16, 24]


def test_heads_lean_to_both_sides_by_the_same_angle() -> None:
    face = np.zeros((48, 48), np.uint8)
    face[:, 22:26] = 255
    angles = set()
    for leaning in corrupt(np.stack([face] * 16), "rotation"):
        rows, columns = np.nonzero(leaning > 128)
        inner = (rows > 8) & (rows < 40)
        slope = np.polyfit(rows[inner], columns[inner], 1)[0]
        angles.add(round(float(np.degrees(np.arctan(slope)))))
    assert angles == {-20, 20}


def test_a_small_camera_sees_six_tenths_of_the_light() -> None:
    faces = ramps(8)
    view = corrupt(faces, "camera").astype(float)
    assert view.mean() == pytest.approx(0.6 * faces.mean(), rel=0.05)
