"""Faces cut out of larger pictures: the astronaut whom scikit-image ships stands in for a press photograph."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import resize
from cuelens_models.data import images
from cuelens_models.data.haar import HaarCrop
from cuelens_models.data.load import load_held_out
from cuelens_models.errors import BadInput

# Where her face is, as one sees it, in the picture of 512x512.
FACE = (170, 65, 110, 120)


@pytest.fixture(scope="module")
def astronaut() -> Grey:
    data = pytest.importorskip("skimage.data", reason="the picture comes with scikit-image (extra train)")
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.fixture
def cutter(shipped: Bundle) -> HaarCrop:
    return HaarCrop(shipped.contract.input)


def likeness(first: Grey, second: Grey) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def place(face: Grey, picture: Grey) -> tuple[float, float]:
    """Return where in a picture the middle of a face cut from it is, in pixels, found by comparing."""
    matches = []
    for side in range(60, 200, 4):
        likely = cv2.matchTemplate(picture, resize(face, side, side), cv2.TM_CCOEFF_NORMED)
        _, match, _, (left, top) = cv2.minMaxLoc(likely)
        matches.append((match, left + side / 2, top + side / 2))
    return max(matches)[1:]


@pytest.mark.parametrize("times", [0.5, 1, 3])
def test_a_face_is_cut_out_of_a_picture_of_any_size(astronaut: Grey, cutter: HaarCrop, times: float) -> None:
    side = round(times * 512)
    face = cutter.face(resize(astronaut, side, side))
    assert (face.shape, face.dtype) == ((48, 48), np.uint8)
    assert cutter.counts() == {"detector": "haar-alt2", "found": 1, "not_found": 0, "cropped_before": 0}
    across, down = place(face, astronaut)
    x, y, w, h = FACE
    assert (across, down) == pytest.approx((x + w / 2, y + h / 2), abs=w / 6)
    # Boxes at two scales differ by a sixteenth of the side; another place in the picture would have nothing in common.
    assert likeness(face, cutter.face(astronaut)) > 0.7


def test_the_largest_of_two_faces_is_taken(astronaut: Grey, cutter: HaarCrop) -> None:
    pair = np.full((512, 1024), 128, np.uint8)
    pair[:, :512] = astronaut
    pair[100:356, 600:856] = resize(astronaut, 256, 256)
    assert likeness(cutter.face(pair), cutter.face(astronaut)) > 0.9


def test_the_crop_rule_is_the_models_own(astronaut: Grey, shipped: Bundle) -> None:
    def cut(scale: float) -> Grey:
        rule = CropRule(detector="haar-alt2", scale=scale, shift_y=0.0)
        return HaarCrop(msgspec.structs.replace(shipped.contract.input, crop=rule)).face(astronaut)

    inner = resize(cut(2.0)[12:36, 12:36], 48, 48)
    assert likeness(inner, cut(1.0)) > 0.95
    assert likeness(cut(2.0), cut(1.0)) < 0.9


@pytest.mark.parametrize(
    ("side", "outcome"),
    [(96, "cropped_before"), (97, "not_found"), (48, "cropped_before"), (300, "not_found")],
)
def test_a_picture_without_a_face_is_used_whole(cutter: HaarCrop, side: int, outcome: str) -> None:
    ramp = np.add.outer(np.arange(side), np.arange(side)).astype(np.uint8)
    np.testing.assert_array_equal(cutter.face(ramp), images.whole(ramp))
    assert cutter.counts()[outcome] == cutter.pictures == 1


def test_a_model_of_another_input_size_still_gives_faces_of_48(astronaut: Grey, shipped: Bundle) -> None:
    spec: Input = msgspec.structs.replace(shipped.contract.input, width=64, height=64)
    assert HaarCrop(spec).face(astronaut).shape == (48, 48)


def test_a_rule_for_another_detector_is_refused(shipped: Bundle) -> None:
    rule = CropRule(detector="yunet", scale=1.0, shift_y=0.0)
    with pytest.raises(BadInput, match="'yunet', not 'haar-alt2'"):
        HaarCrop(msgspec.structs.replace(shipped.contract.input, crop=rule))


def test_a_folder_of_photographs_is_read_through_the_detector(
    astronaut: Grey, cutter: HaarCrop, tmp_path: Path
) -> None:
    (tmp_path / "press" / "happiness").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "press" / "happiness" / "astronaut.png"), astronaut)
    cv2.imwrite(str(tmp_path / "press" / "happiness" / "small.png"), astronaut[65:150, 180:265])
    data = load_held_out(tmp_path / "press", cutter.face)
    np.testing.assert_array_equal(data.faces.pixels[0], cutter.face(astronaut))
    assert (cutter.found, cutter.missed, cutter.cropped_before) == (2, 0, 1)


def test_pictures_without_a_face_are_known_by_their_places(astronaut: Grey, cutter: HaarCrop) -> None:
    ramp = np.add.outer(np.arange(200), np.arange(200)).astype(np.uint8)
    for picture in (ramp, astronaut, ramp[:50, :50], ramp):
        cutter.face(picture)
    assert cutter.missed_places == [0, 3]
    assert cutter.counts() == {"detector": "haar-alt2", "found": 1, "not_found": 2, "cropped_before": 1}
