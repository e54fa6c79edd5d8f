from collections.abc import Callable
from fractions import Fraction
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from cuelens_models.bundle.boxes import Box
from cuelens_models.bundle.contract import Contract, Input
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import crop, model_input, model_inputs, resize, square
from cuelens_models.errors import EmptyCrop


def contract_with_rule(bundle: Bundle, scale: float = 1.0, shift_y: float = 0.0) -> Contract:
    rule = msgspec.structs.replace(bundle.contract.input.crop, scale=scale, shift_y=shift_y)
    return contract_with(bundle, crop=rule)


def contract_with(bundle: Bundle, **changes: Any) -> Contract:
    changed = {"per_image": False, **changes}
    return msgspec.structs.replace(bundle.contract, input=msgspec.structs.replace(bundle.contract.input, **changed))


def noise(height: int, width: int, seed: int = 0) -> Grey:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def edge_repeated(frame: Grey, box: Box) -> Grey:
    """Cut `box` out of `frame` one pixel at a time, as the design says it: outside, the nearest edge pixel."""
    x, y, width, height = box
    rows = [min(max(row, 0), frame.shape[0] - 1) for row in range(y, y + height)]
    columns = [min(max(column, 0), frame.shape[1] - 1) for column in range(x, x + width)]
    return frame[np.ix_(rows, columns)]


@pytest.mark.parametrize(
    ("box", "scale", "shift_y", "expected"),
    [
        ((100, 50, 40, 40), 1.0, 0.0, (100, 50, 40, 40)),
        ((100, 50, 40, 20), 1.0, 0.0, (100, 40, 40, 40)),
        ((100, 50, 20, 40), 1.0, 0.0, (90, 50, 40, 40)),
        ((100, 50, 40, 23), 1.0, 0.0, (100, 42, 40, 40)),
        ((100, 50, 23, 40), 1.0, 0.0, (92, 50, 40, 40)),
        ((100, 50, 40, 40), 1.5, 0.0, (90, 40, 60, 60)),
        ((100, 50, 40, 40), 1.5, 0.1, (90, 46, 60, 60)),
        ((100, 50, 40, 40), 0.5, -0.5, (110, 50, 20, 20)),
        ((0, 0, 20, 30), 2.0, 0.0, (-20, -15, 60, 60)),
        ((-30, 10, 20, 20), 1.0, 1.0, (-30, 30, 20, 20)),
    ],
)
def test_the_square_is_scaled_about_the_centre_and_moved_down(
    shipped: Bundle, box: Box, scale: float, shift_y: float, expected: Box
) -> None:
    assert square(box, contract_with_rule(shipped, scale, shift_y)) == expected


@pytest.mark.parametrize(
    "corner",
    [
        (60, 40),
        (0, 0),
        (-20, 30),
        (-20, -20),
        (130, 30),
        (130, 100),
        (60, -47),
        (-47, 60),
        (60, 100),
        (60, 119),
        (159, 119),
    ],
)
def test_beyond_the_border_the_edge_repeats(shipped: Bundle, corner: tuple[int, int]) -> None:
    frame = noise(120, 160)
    box = (*corner, 48, 48)
    np.testing.assert_array_equal(crop(frame, box, contract_with_rule(shipped)), edge_repeated(frame, box))


def test_a_square_wider_than_the_frame_repeats_all_its_edges(shipped: Bundle) -> None:
    frame = noise(30, 40)
    box = (-4, -9, 48, 48)
    np.testing.assert_array_equal(crop(frame, box, contract_with_rule(shipped)), edge_repeated(frame, box))


@pytest.mark.parametrize("box", [(-20, -10, 60, 60), (100, 80, 90, 90), (10, 20, 20, 25)])
def test_a_resized_crop_is_the_padded_square_resized(shipped: Bundle, box: Box) -> None:
    frame, contract = noise(120, 160), contract_with_rule(shipped, 1.3, 0.05)
    cut = edge_repeated(frame, square(box, contract))
    method = cv2.INTER_AREA if cut.shape[0] > 48 else cv2.INTER_LINEAR
    np.testing.assert_array_equal(crop(frame, box, contract), cv2.resize(cut, (48, 48), interpolation=method))


def test_shrinking_takes_the_mean_of_what_a_pixel_covers() -> None:
    face = noise(144, 144)
    means = face.reshape(48, 3, 48, 3).mean(axis=(1, 3))
    assert np.abs(resize(face, 48, 48) - means).max() <= 0.5 + 1e-6


def test_growing_interpolates_between_pixels() -> None:
    face = noise(24, 24)
    where = np.clip((np.arange(48) + 0.5) / 2 - 0.5, 0, 23)
    below = np.minimum(where.astype(int), 22)
    share = where - below
    rows = face[below] * (1 - share)[:, np.newaxis] + face[below + 1] * share[:, np.newaxis]
    both = rows[:, below] * (1 - share) + rows[:, below + 1] * share
    assert np.abs(resize(face, 48, 48) - both).max() <= 1


def test_a_face_of_the_right_size_is_left_as_it_is() -> None:
    np.testing.assert_array_equal(resize(noise(48, 48), 48, 48), noise(48, 48))


@pytest.mark.parametrize("box", [(10, 10, 15, 40), (10, 10, 40, 15), (10, 10, 0, 0), (10, 10, -40, 40)])
@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_a_small_face_is_an_empty_crop(shipped: Bundle, box: Box, tilt: float) -> None:
    with pytest.raises(EmptyCrop) as caught:
        crop(noise(120, 160), box, contract_with_rule(shipped), tilt=tilt)
    said = f"a face of {box[2]}x{box[3]} pixels is too small: it needs 16 on each side"
    assert str(caught.value) == said


@pytest.mark.parametrize("box", [(160, 10, 40, 40), (-40, 10, 40, 40), (10, 120, 40, 40), (10, -40, 40, 40)])
def test_a_box_beside_the_frame_is_an_empty_crop(shipped: Bundle, box: Box) -> None:
    with pytest.raises(EmptyCrop) as caught:
        crop(noise(120, 160), box, contract_with_rule(shipped))
    assert str(caught.value) == f"the box {box} lies outside the frame of 160x120 pixels"


def test_the_smallest_box_is_still_cut(shipped: Bundle) -> None:
    assert crop(noise(120, 160), (10, 10, 16, 16), contract_with_rule(shipped)).shape == (48, 48)


@pytest.mark.parametrize("box", [(20, 20, 48, 48), (20, 20, 90, 90), (20, 20, 20, 20), (-10, -10, 60, 60)])
def test_a_crop_is_written_where_it_is_asked_to_be(shipped: Bundle, box: Box) -> None:
    frame, out = noise(120, 160), np.zeros((48, 48), np.uint8)
    result = crop(frame, box, contract_with_rule(shipped), out)
    assert np.shares_memory(result, out)
    np.testing.assert_array_equal(out, crop(frame, box, contract_with_rule(shipped)))


def test_a_crop_leaves_the_frame_alone_and_needs_no_contiguous_one(shipped: Bundle) -> None:
    wide = noise(120, 320)
    frame = wide[:, ::2]
    before = frame.copy()
    np.testing.assert_array_equal(
        crop(frame, (-5, 30, 60, 60), contract_with_rule(shipped)),
        crop(before, (-5, 30, 60, 60), contract_with_rule(shipped)),
    )
    np.testing.assert_array_equal(frame, before)


LEVELS = (np.arange(48 * 48) % 256).astype(np.uint8).reshape(48, 48)


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest", "scale", "zero_point", "multiply", "add"),
    [
        ("int8", -128, 127, 1 / 255, -128, 1 / 255, 0.0),
        ("int8", -128, 127, 0.0061, 3, 1 / 127.5, -1.0),
        ("int8", -128, 127, 0.5, 0, 1.0, 0.0),
        ("uint8", 0, 255, 1 / 255, 0, 1 / 255, 0.0),
        ("uint8", 0, 255, 0.02, 100, 0.017, -2.1),
        ("int16", -32768, 32767, 1 / 32768, 0, 1 / 255, 0.0),
    ],
)
def test_every_grey_level_is_quantised_as_the_formula_says(
    shipped: Bundle, dtype: str, lowest: int, highest: int, scale: float, zero_point: int, multiply: float, add: float
) -> None:
    contract = contract_with(shipped, dtype=dtype, scale=scale, zero_point=zero_point, multiply=multiply, add=add)
    result = model_input(LEVELS, contract)
    assert (result.shape, result.dtype) == ((1, 48, 48, 1), np.dtype(dtype))
    for level in range(256):
        steps = (Fraction(level) * Fraction(multiply) + Fraction(add)) / Fraction(scale) + zero_point
        actual = int(result[0].reshape(-1)[level])
        # Half a step, and a hair for what floats make of a tie; outside the type's range, its end.
        assert abs(actual - min(max(steps, lowest), highest)) <= Fraction(1, 2) + Fraction(1, 10**6), level


@pytest.mark.parametrize("change", [lambda face: face // 2, lambda face: face // 2 + 90, lambda face: face // 3 + 20])
def test_the_shipped_bundle_sees_the_same_in_another_light(shipped: Bundle, change: Callable[[Grey], Grey]) -> None:
    face = np.asarray(cv2.GaussianBlur(noise(48, 48), (0, 0), 3) * 2.0 - 128, np.uint8)
    result = model_input(face, shipped.contract)
    assert result.dtype == np.int8
    assert len(np.unique(result)) > 30
    # Whole grey levels are lost in a darker picture: a third of a deviation at the most.
    off = np.abs(model_input(change(face), shipped.contract).astype(int) - result)
    assert off.max() * shipped.contract.input.scale < 0.35


def test_a_float_model_gets_the_value_itself(shipped: Bundle) -> None:
    contract = contract_with(shipped, dtype="float32", scale=0.0, zero_point=0, multiply=2.0, add=-1.0)
    result = model_input(LEVELS, contract)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result[0, :, :, 0], LEVELS * np.float32(2) - 1)


@pytest.mark.parametrize("face", [noise(48, 48), np.full((48, 48), 200, np.uint8)], ids=["noise", "a flat face"])
def test_per_image_standardises_the_face_first(shipped: Bundle, face: Grey) -> None:
    contract = contract_with(shipped, dtype="float32", scale=0.0, zero_point=0, multiply=0.5, add=0.25, per_image=True)
    expected = (face - face.mean()) / max(face.std(), 1) * 0.5 + 0.25
    np.testing.assert_allclose(model_input(face, contract)[0, :, :, 0], expected, rtol=1e-6, atol=1e-6)


def test_three_channels_are_the_same_grey_thrice(shipped: Bundle) -> None:
    result = model_input(noise(48, 48), contract_with(shipped, channels=3, per_image=True))
    assert result.shape == (1, 48, 48, 3)
    for channel in range(3):
        np.testing.assert_array_equal(result[..., channel], model_input(noise(48, 48), shipped.contract)[..., 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_the_input_is_written_where_it_is_asked_to_be(shipped: Bundle, channels: int) -> None:
    contract = contract_with(shipped, channels=channels)
    out = np.zeros((1, 48, 48, channels), np.int8)
    for seed in (1, 2):
        assert model_input(noise(48, 48, seed), contract, out) is out
        np.testing.assert_array_equal(out, model_input(noise(48, 48, seed), contract))


def test_a_face_of_another_size_is_fitted_first(shipped: Bundle) -> None:
    face = noise(100, 100)
    face_48 = resize(face, 48, 48)
    np.testing.assert_array_equal(model_input(face, shipped.contract), model_input(face_48, shipped.contract))


@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("dtype", "scale", "zero_point"), [("int8", 1 / 255, -128), ("float32", 0.0, 0)])
def test_many_faces_become_what_each_becomes_alone(
    shipped: Bundle, per_image: bool, channels: int, dtype: str, scale: float, zero_point: int
) -> None:
    contract = contract_with(
        shipped, per_image=per_image, channels=channels, dtype=dtype, scale=scale, zero_point=zero_point
    )
    faces = np.stack([noise(48, 48, seed) // (seed + 1) for seed in range(5)]).astype(np.uint8)
    spec: Input = contract.input
    together = model_inputs(faces, spec)
    alone = np.concatenate([model_input(face, contract) for face in faces])
    assert together.dtype == alone.dtype
    np.testing.assert_array_equal(together, alone)


def test_many_faces_of_another_size_are_resized_as_one_is(shipped: Bundle) -> None:
    contract = contract_with(shipped)
    faces = np.stack([noise(60, 60, seed) for seed in range(3)])
    expected = np.concatenate([model_input(face, contract) for face in faces])
    np.testing.assert_array_equal(model_inputs(faces, contract.input), expected)


@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_the_longer_side_of_a_box_counts(shipped: Bundle, tilt: float) -> None:
    contract, frame = contract_with_rule(shipped), noise(240, 320)
    tall, wide, square = (
        crop(frame, box, contract, tilt=tilt) for box in ((120, 70, 60, 100), (100, 90, 100, 60), (100, 70, 100, 100))
    )
    assert np.array_equal(tall, square)
    assert np.array_equal(wide, square)


@pytest.mark.parametrize("tilt", [-30.0, -11.0, 12.0, 25.0])
@pytest.mark.parametrize(
    ("scale", "shift_y", "width", "height"),
    [(1.02, 0.0, 48, 48), (1.2, 0.1, 48, 48), (1.2, -0.1, 40, 56), (1.0, 0.0, 64, 32)],
)
def test_the_crop_of_a_head_that_leans_is_that_of_the_head_upright(
    shipped: Bundle, tilt: float, scale: float, shift_y: float, width: int, height: int
) -> None:
    blobs = np.random.default_rng(3).integers(0, 255, (30, 40)).astype(np.uint8)
    upright = np.asarray(cv2.resize(blobs, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    turn = cv2.getRotationMatrix2D((319.5, 239.5), tilt, 1)
    leaning = np.asarray(cv2.warpAffine(upright, turn, (640, 480), flags=cv2.INTER_CUBIC), np.uint8)
    rule = contract_with_rule(shipped, scale, shift_y).input.crop
    contract, box = contract_with(shipped, crop=rule, width=width, height=height), (260, 180, 120, 120)
    expected = crop(upright, box, contract).astype(int)
    assert expected.shape == (height, width)
    assert np.abs(crop(leaning, box, contract, tilt=tilt).astype(int) - expected).mean() < 6
    assert np.abs(crop(leaning, box, contract).astype(int) - expected).mean() > 20


@pytest.mark.parametrize("box", [(-30, -20, 90, 90), (120, 90, 60, 60), (40, 30, 60, 60)])
@pytest.mark.parametrize(("width", "height"), [(48, 48), (40, 56)])
@pytest.mark.parametrize("tilt", [-25.0, 20.0])
def test_a_head_that_leans_at_the_border_is_cut_with_repeated_edges(
    shipped: Bundle, box: Box, width: int, height: int, tilt: float
) -> None:
    contract, frame = contract_with(shipped, width=width, height=height), noise(120, 160)
    wider, (x, y, *sides) = np.pad(frame, 100, "edge"), box
    out = np.zeros((height, width), np.uint8)
    assert np.shares_memory(crop(frame, box, contract, out, tilt=tilt), out)
    np.testing.assert_array_equal(out, crop(wider, (x + 100, y + 100, *sides), contract, tilt=tilt))


def test_a_head_that_leans_outside_the_frame_is_an_empty_crop(shipped: Bundle) -> None:
    with pytest.raises(EmptyCrop, match="outside"):
        crop(noise(120, 160), (400, 10, 40, 40), contract_with_rule(shipped), tilt=20.0)
