"""Alignment: a photograph that is moved, turned, resized and lit otherwise is fitted where it went."""

import cv2
import numpy as np
import pytest

pytest.importorskip("skimage", reason="the photograph comes with the extra demo")
pytest.importorskip("matplotlib", reason="the photograph comes with the extra demo")

from cuelens.adapters.demo_scene import photograph
from cuelens.frame import Grey
from cuelens.vision.alignment import Likeness

ASTRONAUT = photograph("astronaut.png")
PLACE = (225.0, 115.0, 98.0)
"""Centre and side of the face of Eileen Collins in it."""


def moved(right: float, down: float, larger: float, degrees: float, lit: float = 1.0) -> Grey:
    turn = cv2.getRotationMatrix2D(PLACE[:2], degrees, larger)
    turn[:, 2] += right, down
    picture = cv2.warpAffine(ASTRONAUT, turn, ASTRONAUT.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(lit * picture + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("right", "down", "larger", "degrees", "lit"),
    [
        (0, 0, 1.0, 0, 1.0),
        (7, 0, 1.0, 0, 1.0),
        (0, -8, 1.0, 0, 0.5),
        (0, 0, 1.12, 0, 1.0),
        (0, 0, 0.9, 0, 0.7),
        (0, 0, 1.0, 9, 1.0),
        (6, -6, 1.05, -6, 0.6),
    ],
)
def test_a_face_is_fitted_where_it_went(right: float, down: float, larger: float, degrees: float, lit: float) -> None:
    likeness = Likeness.of(ASTRONAUT, PLACE, 0.0)
    assert likeness
    fit = likeness.fit(moved(right, down, larger, degrees, lit), PLACE, 0.0)
    assert fit
    assert fit.likeness > 0.95
    assert (fit.x, fit.y) == pytest.approx((PLACE[0] + right, PLACE[1] + down), abs=0.01 * PLACE[2])
    assert fit.side == pytest.approx(PLACE[2] * larger, rel=0.015)
    assert fit.tilt == pytest.approx(degrees, abs=1)


def test_a_head_that_leans_is_fitted_as_it_leans() -> None:
    likeness = Likeness.of(moved(0, 0, 1.0, 20), PLACE, 20.0)
    assert likeness
    fit = likeness.fit(moved(5, 3, 1.0, 24), PLACE, 20.0)
    assert fit
    assert (fit.x, fit.y, fit.tilt) == pytest.approx((PLACE[0] + 5, PLACE[1] + 3, 24), abs=1)


@pytest.mark.parametrize("elsewhere", [(60.0, 300.0, 98.0), (400.0, 60.0, 98.0), (300.0, 350.0, 98.0)])
def test_what_is_no_longer_there_is_not_alike(elsewhere: tuple[float, float, float]) -> None:
    likeness = Likeness.of(ASTRONAUT, PLACE, 0.0)
    assert likeness
    fit = likeness.fit(ASTRONAUT, elsewhere, 0.0)
    assert fit is None or fit.likeness < 0.9


def test_a_wall_an_edge_and_what_lies_outside_have_no_likeness() -> None:
    edge = np.zeros((480, 640), np.uint8)
    edge[:, 320:] = 200
    assert Likeness.of(np.full((480, 640), 90, np.uint8), (320, 240, 100), 0.0) is None
    # An edge holds nothing in place along it.
    assert Likeness.of(edge, (320, 240, 100), 0.0) is None
    assert Likeness.of(ASTRONAUT, (-300, 100, 98), 0.0) is None
    likeness = Likeness.of(ASTRONAUT, PLACE, 0.0)
    assert likeness
    assert likeness.fit(ASTRONAUT, (-300, 100, 98), 0.0) is None
    assert likeness.fit(np.full((480, 640), 90, np.uint8), PLACE, 0.0) is None
