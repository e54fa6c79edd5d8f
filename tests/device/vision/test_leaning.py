"""Heads that lean, before the cascade of the glasses: a photograph that is turned."""

import cv2
import msgspec
import numpy as np
import pytest

from cuelens.adapters.demo_scene import photograph
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame
from cuelens.types import Box, Face
from cuelens.vision.boxes import near
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes

ASTRONAUT = photograph("astronaut.png")
FACE: Box = (176, 66, 98, 98)
"""The face of Eileen Collins in it."""


def astronaut(degrees: float, place: tuple[int, int] = (320, 240)) -> tuple[Frame, Box]:
    """A frame in which she is turned counter-clockwise, and the box of her face."""
    grey = cv2.copyMakeBorder(ASTRONAUT[:480], 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    x, y, width, height = FACE
    turn = cv2.getRotationMatrix2D((320, 240), degrees, 1)
    centre = turn @ (64 + x + width / 2, y + height / 2, 1)
    # Her face comes to this place.
    turn[:, 2] += np.subtract(place, centre)
    picture = cv2.warpAffine(grey, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    return Frame(np.asarray(picture, np.uint8), 0.0, 0), (place[0] - width // 2, place[1] - height // 2, width, height)


class Look:
    """A face finder with the cascade of the glasses, at fifteen frames a second."""

    def __init__(self) -> None:
        self.finder = FaceFinder(HaarDetector(), Optics(), LookPace(), watch := StageTimes())
        watch.begin()
        self.n = 0

    def at(self, degrees: float, place: tuple[int, int] = (320, 240)) -> tuple[Face, ...]:
        self.n += 1
        return self.finder.find(msgspec.structs.replace(astronaut(degrees, place)[0], t=self.n / 15)).seen


@pytest.mark.parametrize("degrees", [-30, -20, 0, 20, 25])
def test_a_head_that_leans_is_found_within_three_seconds_with_its_tilt(degrees: float) -> None:
    look = Look()
    sights = [look.at(degrees) for _ in range(60)]
    assert any(sights[:45])
    (face,) = sights[-1]
    assert face.tilt == pytest.approx(degrees, abs=8)
    assert near(face.box, astronaut(degrees)[1])


@pytest.mark.parametrize("degrees", [-22, 22])
@pytest.mark.parametrize("place", [(140, 130), (500, 350)])
def test_a_head_that_leans_is_found_beside_the_middle_too(degrees: float, place: tuple[int, int]) -> None:
    look = Look()
    sights = [look.at(degrees, place) for _ in range(45)]
    (first, *_) = [face for sight in sights for face in sight]
    assert near(first.box, astronaut(degrees, place)[1])
    (face,) = sights[-1]
    assert face.box == pytest.approx(astronaut(degrees, place)[1], abs=12)


@pytest.mark.parametrize("way", [1, -1])
def test_a_head_that_begins_to_lean_keeps_its_track(way: int) -> None:
    look = Look()
    for _ in range(15):
        look.at(0)
    leaning = [look.at(way * min(1.5 * n, 30)) for n in range(45)]
    assert [face.track for sight in leaning for face in sight] == [1] * 45
    assert way * leaning[-1][0].tilt == pytest.approx(30, abs=8)
