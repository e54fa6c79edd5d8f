"""Somebody walks away, before the cascade of the glasses: a photograph that shrinks."""

import math

import cv2
import numpy as np
import pytest

from cuelens.adapters.demo_scene import photograph
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes

ASTRONAUT = photograph("astronaut.png")
MIDDLE, SIDE = (225, 115), 98
"""Centre and side of the face of Eileen Collins in it."""


def frame(n: int, scale: float) -> Frame:
    """A small frame, at fifteen a second, in whose middle she is so large."""
    turn = np.array([[scale, 0, 160 - MIDDLE[0] * scale], [0, scale, 120 - MIDDLE[1] * scale]])
    picture = cv2.warpAffine(ASTRONAUT, turn, (320, 240), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    noise = np.random.default_rng(n).normal(0, 4, picture.shape)
    return Frame(np.clip(picture + noise, 0, 255).astype(np.uint8), n / 15, 0)


@pytest.mark.parametrize("away", [0.8, 1.2, 1.4, 1.6, 1.8])
def test_who_walks_away_is_followed_as_long_as_the_cascade_could_find_them(away: float) -> None:
    detector = HaarDetector()
    finder = FaceFinder(detector, Optics(), LookPace(), watch := StageTimes())
    watch.begin()
    scales = [0.9 * math.exp(-away * max(n / 15 - 2, 0)) for n in range(75)]
    seen = [finder.find(frame(n, scale)).seen for n, scale in enumerate(scales)]
    assert all(seen[30:40])
    assert seen[-1] == ()
    sides = [face.box[2] for sight in seen for face in sight]
    # A side that a search finds is smoothed: it lags a little.
    assert min(sides) == pytest.approx(detector.smallest, abs=2)
