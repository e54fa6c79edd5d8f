"""The reader of faces: as they are seen, and as their mirror images."""

import tracemalloc

import numpy as np
import pytest

from cuelens.frame import Frame
from cuelens.types import Face
from cuelens.vision.classifier import Reader
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop
from cuelens_models.bundle.scores import probabilities


def noise() -> Frame:
    return Frame(np.random.default_rng(3).integers(0, 255, (240, 320)).astype(np.uint8), 0, 0)


@pytest.mark.parametrize(("tilt", "height"), [(0.0, 100), (20.0, 110)])
def test_the_mirror_image_is_read_as_the_crop_turned_about(shipped: Bundle, tilt: float, height: int) -> None:
    frame = noise()
    face = Face(1, (90, 60, height, height), tilt)
    interpreter = Interpreter(shipped)
    reader = Reader(interpreter, StageTimes())
    as_seen, turned = reader.read(frame, face), reader.read(frame, face, mirrored=True)
    picture = crop(frame.grey, face.box, shipped.contract, tilt=tilt)
    expected = probabilities(interpreter.outputs(np.ascontiguousarray(picture[:, ::-1])), shipped.contract)
    assert turned == pytest.approx(expected.tolist())
    assert turned != pytest.approx(as_seen)
    # Neither leaves a trace in the other.
    assert reader.read(frame, face) == as_seen
    assert reader.read(frame, face, mirrored=True) == turned


def test_a_mirrored_reading_makes_no_picture_more_than_another_and_keeps_none(shipped: Bundle) -> None:
    frame, face = noise(), Face(1, (90, 60, 100, 100), 20.0)
    reader = Reader(Interpreter(shipped), StageTimes())
    picture = shipped.contract.input.height * shipped.contract.input.width

    def memory(*, mirrored: bool) -> tuple[int, int]:
        """Return the bytes that fifty readings keep, and the most they hold at a time."""
        reader.read(frame, face, mirrored=mirrored)
        tracemalloc.start()
        try:
            for _ in range(50):
                reader.read(frame, face, mirrored=mirrored)
            return tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    (_, most), (kept, most_mirrored) = memory(mirrored=False), memory(mirrored=True)
    assert kept < picture
    assert most_mirrored < most + picture / 2
