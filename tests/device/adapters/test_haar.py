"""The detector, on a photograph of a face: the astronaut of the demo."""

import cv2
import numpy as np
import pytest

from cuelens.adapters.demo_scene import photograph
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Grey
from cuelens_models.bundle.cascade import NEIGHBOURS, STEP, cascade_file

FACE = (224, 120)
"""Its middle, in pixels."""
SIDES = (80, 200)


@pytest.fixture(scope="module")
def astronaut() -> Grey:
    return photograph("astronaut.png")


def darkened(picture: Grey, share: float, noise: float) -> Grey:
    """Return the face alone, with a share of its light, before a bright wall and a sensor with noise."""
    mask = np.zeros(picture.shape, np.float32)
    cv2.ellipse(mask, FACE, (62, 82), 0, 0, 360, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 4), np.float32)
    seen = mask * share * picture + (1 - mask) * 200
    seen += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def holds(box: tuple[int, int, int, int]) -> bool:
    x, y, w, h = box
    return abs(x + w / 2 - FACE[0]) < w / 4 and abs(y + h / 2 - FACE[1]) < h / 4


def test_a_face_has_a_box_and_hits(astronaut: Grey) -> None:
    detector = HaarDetector()
    boxes = detector.faces(astronaut, *SIDES)
    assert [holds(box) for box in boxes] == [True]
    assert next(iter(boxes.values())) >= NEIGHBOURS
    assert detector.detect(astronaut, *SIDES) == list(boxes)
    assert sum(map(holds, detector.hits(astronaut, *SIDES))) >= NEIGHBOURS


@pytest.mark.parametrize("share", [0.12, 0.1])
def test_a_dark_face_before_a_bright_wall_is_found(astronaut: Grey, share: float) -> None:
    picture = darkened(astronaut, share, noise=4)
    plain = cv2.CascadeClassifier(str(cascade_file()))
    assert len(plain.detectMultiScale(picture, STEP, NEIGHBOURS, 0, (80, 80), (200, 200))) == 0
    (box,) = HaarDetector().detect(picture, *SIDES)
    assert holds(box)


def test_nothing_is_found_in_a_picture_smaller_than_a_face() -> None:
    picture = np.zeros((60, 200), np.uint8)
    assert HaarDetector().faces(picture, *SIDES) == {}
    assert HaarDetector().hits(picture, *SIDES) == []
