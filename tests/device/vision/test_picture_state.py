"""The picture state: what is dark, what is covered, and for how long before it is told."""

import numpy as np
import pytest

from cuelens.frame import Frame, Grey
from cuelens.vision.picture_state import COVERED, DARK, RUNNING, PictureState


def picture(darkest: int, brightest: int) -> Grey:
    """A picture of stripes in two grey levels: its standard deviation is half of what they differ by."""
    stripes = np.where(np.arange(640) // 16 % 2, darkest, brightest).astype(np.uint8)
    return np.tile(stripes, (480, 1))


ROOM, DARK_ROOM = picture(80, 160), picture(10, 30)


def states(state: PictureState, grey: Grey, begin: float, samples: int) -> list[str]:
    """Return the state at each of so many frames, a quarter of a second apart."""
    return [state.judge(Frame(grey, begin + n / 4, 0)) for n in range(samples)]


@pytest.mark.parametrize(
    ("before", "levels", "expected"),
    [
        # Under 60 in the mean, with less detail than 6.
        (ROOM, (54, 65), COVERED),
        (ROOM, (55, 66), RUNNING),
        (ROOM, (53, 66), RUNNING),
        # Under 30, with more.
        (ROOM, (24, 35), COVERED),
        (ROOM, (23, 36), DARK),
        (ROOM, (24, 37), RUNNING),
        # A dark room ends at a higher mean than it begins at.
        (DARK_ROOM, (28, 47), DARK),
        (DARK_ROOM, (29, 48), RUNNING),
        (DARK_ROOM, (54, 65), COVERED),
    ],
)
def test_a_picture_is_dark_or_covered_by_its_mean_and_its_detail(
    before: Grey, levels: tuple[int, int], expected: str
) -> None:
    state = PictureState()
    states(state, before, 50.0, 6)
    assert states(state, picture(*levels), 60.0, 6)[-1] == expected


def test_a_state_is_told_once_it_has_held_for_a_second() -> None:
    state = PictureState()
    assert states(state, ROOM, 50.0, 4) == [RUNNING] * 4
    assert states(state, DARK_ROOM, 51.0, 6) == [RUNNING] * 4 + [DARK] * 2
    # Each moment in the light begins the second anew.
    assert states(state, ROOM, 52.5, 3) == [DARK] * 3
    assert states(state, DARK_ROOM, 53.25, 1) == [DARK]
    assert states(state, ROOM, 53.5, 5) == [DARK] * 4 + [RUNNING]


def test_four_pictures_a_second_are_looked_at() -> None:
    state = PictureState()
    for t, grey, mean in ((5.0, ROOM, 120), (5.125, DARK_ROOM, 120), (5.25, DARK_ROOM, 20), (5.375, ROOM, 20)):
        state.judge(Frame(grey, t, 0))
        assert state.mean == pytest.approx(mean)
