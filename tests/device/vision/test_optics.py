"""The sizes of faces to search for, by hand: focal length times 15 centimetres, over the distance."""

import pytest

from cuelens.vision.optics import Optics


@pytest.mark.parametrize(
    ("optics", "frame", "smallest", "largest"),
    [
        # 320 / tan(31 degrees) pixels are a focal length.
        (Optics(), (640, 480), 39.94, 319.5),
        (Optics(), (320, 240), 19.97, 159.8),
        # A camera mounted on its side: the lens's width is the frame's height.
        (Optics(sideways=True), (480, 640), 39.94, 319.5),
        (Optics(horizontal_degrees=90.0), (640, 480), 24.0, 192.0),
        (Optics(farthest_m=1.0, nearest_m=0.5), (640, 480), 79.88, 159.8),
        # No face is larger than the frame.
        (Optics(nearest_m=0.1), (640, 480), 39.94, 480.0),
        (Optics(nearest_m=0.1, sideways=True), (480, 640), 39.94, 480.0),
    ],
)
def test_faces_are_as_large_as_the_lens_and_their_distance_make_them(
    optics: Optics, frame: tuple[int, int], smallest: float, largest: float
) -> None:
    assert optics.smallest_face(*frame) == pytest.approx(smallest, rel=1e-3)
    assert optics.largest_face(*frame) == pytest.approx(largest, rel=1e-3)
