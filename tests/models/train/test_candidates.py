from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.bundle.grids import GRIDS, Grid
from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.composites import Place
from cuelens_models.errors import BadInput
from cuelens_models.train.candidates import SEED, Targets, _batches, fit, network_input, photographs, targets
from cuelens_models.zoo.candidates import build

Numbers = NDArray[np.float32]
FINE, COARSE = GRIDS


def face(x: float, y: float, side: float, tilt: float = 0.0, *, partial: bool = False) -> Place:
    return Place(x, y, side, tilt, partial)


def test_the_cell_that_holds_a_face_learns_where_it_is() -> None:
    # The cell in row 5 and column 7 has its centre at 60, 44.
    present, weight, place = (part[0] for part in targets(FINE, [[face(62, 45, 16, -15)]]))
    assert present.shape == weight.shape == (16 * 20,)
    assert [part.dtype for part in (present, weight, place)] == [np.float32] * 3
    assert np.flatnonzero(present).tolist() == [5 * 20 + 7]
    np.testing.assert_allclose(place[5 * 20 + 7], (2 / 16, 1 / 16, 0, -0.5), atol=1e-6)
    assert not np.delete(place, 5 * 20 + 7, 0).any()
    # Those to the right and below are under 8 pixels off, half of a side.
    assert np.flatnonzero(weight == 0).tolist() == [5 * 20 + 8, 6 * 20 + 7, 6 * 20 + 8]
    assert set(weight) == {0, 1}


@pytest.mark.parametrize(
    ("grid", "side", "told"), [(FINE, 16, 0), (FINE, 16 * 1.5, 1.5), (COARSE, 45, 0), (COARSE, 30, 2 / 3)]
)
def test_the_side_is_told_by_its_logarithm(grid: Grid, side: float, told: float) -> None:
    present, _, place = targets(grid, [[face(72, 56, side)]])
    assert np.exp(place[present > 0][:, 2]) == pytest.approx(told or 1)


@pytest.mark.parametrize(
    ("side", "fine", "coarse"),
    [
        (5.9, "nothing", "nothing"),
        (6, "either", "nothing"),
        (7.9, "either", "nothing"),
        (8, "face", "nothing"),
        (17.2, "face", "nothing"),
        (17.3, "face", "either"),
        (22.9, "face", "either"),
        (23, "face", "face"),
        (29.9, "face", "face"),
        (30, "either", "face"),
        (38.9, "either", "face"),
        (39.1, "nothing", "face"),
        (98.9, "nothing", "face"),
        (99, "nothing", "either"),
        (128.6, "nothing", "either"),
        (128.8, "nothing", "nothing"),
    ],
)
def test_a_face_belongs_to_the_grid_of_its_size_or_to_both(side: float, fine: str, coarse: str) -> None:
    for grid, expected in ((FINE, fine), (COARSE, coarse)):
        present, weight, _ = targets(grid, [[face(70, 50, side)]])
        assert ("face" if present.any() else "nothing" if weight.all() else "either") == expected


@pytest.mark.parametrize(
    ("grid", "x", "y", "side", "cells"),
    [
        (COARSE, 72, 56, 88, 1),
        (COARSE, 72, 56, 89.5, 9),
        (COARSE, 80, 56, 30, 2),
        (COARSE, 80, 64, 30, 4),
        (COARSE, 79, 64, 30, 2),
        (COARSE, 79, 64, 51, 4),
        (FINE, 60, 44, 29, 1),
        (FINE, 64, 48, 9, 4),
        (FINE, 63, 47, 9, 1),
        (FINE, 63, 47, 28.5, 4),
    ],
)
def test_cells_near_the_middle_of_a_large_face_learn_it_too(
    grid: Grid, x: float, y: float, side: float, cells: int
) -> None:
    present, _, place = targets(grid, [[face(x, y, side)]])
    assert present.sum() == cells
    rows, columns = np.divmod(np.flatnonzero(present[0]), 160 // grid.stride)
    # Wherever it is told from, the face is in one place.
    np.testing.assert_allclose((columns + 0.5) * grid.stride + place[present > 0][:, 0] * side, x, rtol=1e-5)
    np.testing.assert_allclose((rows + 0.5) * grid.stride + place[present > 0][:, 1] * side, y, rtol=1e-5)


@pytest.mark.parametrize(("side", "cells"), [(32, 1), (32.1, 9), (64, 9), (64.1, 25)])
def test_cells_within_half_a_side_may_tell_either(side: float, cells: int) -> None:
    present, weight, _ = targets(COARSE, [[face(72, 56, side)]])
    assert present.sum() == 1
    assert (weight == 0).sum() == cells - 1


@pytest.mark.parametrize(("x", "cells"), [(75.9, 1), (76.1, 2)])
def test_cells_within_three_quarters_of_a_step_may_tell_either_however_small_the_face(x: float, cells: int) -> None:
    # The next cell to the right has its centre at 88, and half of a side is 8.65.
    _, weight, _ = targets(COARSE, [[face(x, 56, 17.3)]])
    assert (weight == 0).sum() == cells


@pytest.mark.parametrize("turned", [False, True])
def test_between_two_faces_a_cell_learns_the_nearer_one(turned: bool) -> None:
    faces = [face(72, 56, 92, 9), face(100, 56, 92, -9)]
    present, weight, place = targets(COARSE, [faces[::-1] if turned else faces])
    between = 3 * 10 + 5
    assert present[0, between] == weight[0, between] == 1
    np.testing.assert_allclose(place[0, between], (12 / 92, 0, np.log(92 / 45), -0.3), rtol=1e-5, atol=1e-7)
    assert place[0, between - 1, 3] == pytest.approx(0.3)
    assert weight[present > 0].all()


def test_a_partial_face_is_neither_learned_nor_wrong_to_tell() -> None:
    whole = targets(FINE, [[face(62, 45, 16)]])
    present, weight, place = targets(FINE, [[face(62, 45, 16, partial=True)]])
    assert not present.any()
    assert not place.any()
    np.testing.assert_array_equal(weight == 0, (whole.weight == 0) | (whole.present == 1))


def test_each_picture_has_its_own_targets() -> None:
    first, second = [face(20, 20, 12)], [face(100, 90, 20), face(30, 100, 9)]
    together = targets(FINE, [first, [], second])
    assert together.present.sum(axis=1).tolist() == [1, 0, 2]
    for number, faces in enumerate((first, [], second)):
        for part, alone in zip(together, targets(FINE, [faces]), strict=True):
            np.testing.assert_array_equal(part[number], alone[0])
    assert together.weight[1].all()


def test_the_network_takes_grey_levels_around_0_and_eight_rows_more() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 120, 160), dtype=np.uint8)
    pictures[0, 0, :3] = 0, 128, 255
    fed = network_input(pictures)
    assert fed.shape == (3, 128, 160, 1)
    assert fed.dtype == np.float32
    assert fed[0, 0, :3, 0].tolist() == [-2, 0, 127 / 64]
    np.testing.assert_array_equal(fed[:, :120, :, 0] * 64 + 128, pictures)
    np.testing.assert_array_equal(fed[:, 120:], fed[:, 119:120].repeat(8, 1))


def test_half_of_a_batch_is_mirrored_with_its_faces_and_in_another_light() -> None:
    picture = np.full((120, 160), 100, np.uint8)
    picture[:, :40] = 200
    pool: list[tuple[Grey, list[Place]]] = [(picture, [face(20, 30, 24, 12)])]
    ((pictures, faces),) = _batches(pool, 1)
    assert pictures.shape == (48, 120, 160)
    assert len(faces) == 48
    mirrored = 0
    for lit, (place,) in zip(pictures, faces, strict=True):
        left = lit[0, 0] > lit[0, -1]
        assert place == (face(20, 30, 24, 12) if left else face(140, 30, 24, -12))
        assert 0.7 <= abs(lit[0, 0] - lit[0, -1]) / 100 <= 1.25 or lit.max() == 255
        assert 50 <= lit.min() <= 145
        mirrored += not left
    assert 14 < mirrored < 34
    assert len({float(lit.min()) for lit in pictures}) == 48
    assert (picture[0, 0], picture[0, -1]) == (200, 100)


def test_batches_are_as_many_as_steps_and_the_same_each_time() -> None:
    pool: list[tuple[Grey, list[Place]]] = [(np.full((120, 160), 20 * n, np.uint8), []) for n in range(10)]
    first, again = list(_batches(pool, 3)), list(_batches(pool, 3))
    assert len(first) == 3
    for (pictures, _), (same, _) in zip(first, again, strict=True):
        np.testing.assert_array_equal(pictures, same)
    assert (first[0][0] != first[1][0]).any()


def loss_by_hand(logits: Numbers, places: Numbers, wanted: Targets) -> float:
    """The focal loss of logits, a face counting three times as much, and the Huber loss of places up to 0.15."""
    likely = 1 / (1 + np.exp(-logits.astype(float).reshape(wanted.present.shape)))
    found, missed = wanted.present > 0, (wanted.present == 0) & (wanted.weight > 0)
    wrong = (
        -(1.5 * (1 - likely) ** 2 * np.log(likely))[found].sum() - (0.5 * likely**2 * np.log(1 - likely))[missed].sum()
    )
    off = np.abs(places.astype(float).reshape(wanted.place.shape) - wanted.place)[found]
    rounded = np.where(off < 0.15, off**2 / 0.3, off - 0.075).sum(axis=0)
    return float((wrong + 1.5 * (rounded[:3].sum() + 0.5 * rounded[3])) / (found.sum() + 4))


@pytest.mark.usefixtures("eager")
def test_training_prints_its_loss_and_gives_the_same_network_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    random = np.random.default_rng(0)
    faces = ([face(60, 44, 25, 20)], [face(130, 90, 70), face(20, 20, 12)], [face(40, 40, 30, partial=True)])
    pool = [(random.integers(0, 256, (120, 160), dtype=np.uint8), places) for places in faces]
    first, again = (fit(pool, 2) for _ in range(2))
    line, same = capsys.readouterr().out.splitlines()
    assert line == same
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
        assert np.isfinite(one).all()
    keras.utils.set_random_seed(SEED)
    pictures, places = next(_batches(pool, 1))
    outputs = [np.asarray(output) for output in build()(network_input(pictures), training=True)]
    both = 0.0
    for grid, logits, told in zip(GRIDS, outputs[::2], outputs[1::2], strict=True):
        both += loss_by_hand(logits, told, targets(grid, places))
    step, _, loss = line.partition(" loss ")
    assert step == "step 0 of 2:"
    assert float(loss) == pytest.approx(both, rel=1e-4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("skimage", reason="further pictures come with scikit-image (extra train)")
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either")
    cv2.imwrite(str(tmp_path / "small.png"), np.full((59, 300), 90, np.uint8))
    return tmp_path


def test_a_folder_without_pictures_is_bad_input(folder: Path) -> None:
    for place in (folder, folder / "absent"):
        with pytest.raises(BadInput) as refusal:
            photographs(place)
        assert str(refusal.value) == f"{place} holds no pictures of 60 pixels or more"


def test_pictures_of_subfolders_are_grey_and_long_ones_are_shrunken(folder: Path) -> None:
    (folder / "deeper").mkdir()
    cv2.imwrite(str(folder / "a.png"), np.full((60, 720), 90, np.uint8))
    cv2.imwrite(str(folder / "b.JPG"), np.full((1440, 300, 3), (0, 0, 200), np.uint8))
    cv2.imwrite(str(folder / "deeper" / "c.webp"), np.full((400, 721), 200, np.uint8))
    found = photographs(folder)
    assert [picture.shape for picture in found[:3]] == [(60, 720), (720, 150), (399, 720)]
    assert [round(float(picture.mean())) for picture in found[:3]] == pytest.approx([90, 60, 200], abs=2)
    # Thirteen come with scikit-image.
    assert len(found) == 3 + 13
    for picture in found:
        assert picture.dtype == np.uint8
        assert max(picture.shape) <= 720
