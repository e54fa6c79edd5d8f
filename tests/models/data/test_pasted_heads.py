from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cuelens_models.bundle.cascade import cascade_file
from cuelens_models.data.faces import Faces
from cuelens_models.data.pasted_heads import HeadShop
from cuelens_models.errors import BadInput

Draw = Callable[..., Faces]


@pytest.fixture(scope="module")
def shop(drawn_faces: Draw, cutouts: Path) -> HeadShop:
    return HeadShop(drawn_faces(1.0), cutouts)


def archive(**shapes: tuple[int, ...]) -> bytes:
    content = BytesIO()
    arrays: dict[str, Any] = {name: np.ones(shape, np.uint8) for name, shape in shapes.items()}
    np.savez(content, **arrays)
    return content.getvalue()


def array() -> bytes:
    content = BytesIO()
    np.save(content, np.ones(3))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "holds no cut-outs of heads: "),
        (b"a letter", "holds no cut-outs of heads: "),
        (archive(pictures=(2, 9, 9), covers=(2, 9, 9), boxes=(2, 3))[:-9], "holds no cut-outs of heads: "),
        (array(), "holds no cut-outs of heads: "),
        (archive(pictures=(2, 9, 9), boxes=(2, 3)), "covers"),
        (archive(pictures=(2, 9, 9), covers=(2, 9, 8), boxes=(2, 3)), "do not fit each other"),
        (archive(pictures=(2, 9, 9), covers=(2, 9, 9), boxes=(1, 3)), "do not fit each other"),
        (archive(pictures=(2, 9, 9), covers=(2, 9, 9), boxes=(2, 4)), "do not fit each other"),
        (archive(pictures=(2, 9), covers=(2, 9), boxes=(2, 3)), "do not fit each other"),
        (archive(pictures=(0, 9, 9), covers=(0, 9, 9), boxes=(0, 3)), "it is empty"),
    ],
)
def test_a_file_without_cut_outs_is_bad_input(
    drawn_faces: Draw, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "heads.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput) as refusal:
        HeadShop(drawn_faces(1.0), path)
    (line,) = str(refusal.value).splitlines()
    assert line.startswith(f"{path} ")
    assert words in line


def test_a_device_is_not_read(drawn_faces: Draw) -> None:
    with pytest.raises(BadInput, match="is a device or a pipe"):
        HeadShop(drawn_faces(1.0), Path("/dev/zero"))


@pytest.mark.parametrize(("zoom", "likely"), [(0.3, False), (0.8, True), (1.0, True), (1.2, True), (1.45, False)])
def test_photographs_whose_face_is_not_found_or_unlikely_are_left_out(
    drawn_faces: Draw, cutouts: Path, zoom: float, likely: bool
) -> None:
    if likely:
        x, y, side = HeadShop(drawn_faces(zoom), cutouts).drawn(np.random.default_rng(0)).box
        assert (x, y) == pytest.approx((72, 72), abs=2)
        # The box of a face that fills the picture is about as wide.
        assert 40 < side == pytest.approx(48 * (0.3 + 0.73 * zoom), abs=4)
    else:
        with pytest.raises(BadInput, match="finds a face in none of 3 photographs"):
            HeadShop(drawn_faces(zoom, zoom, zoom), cutouts)


def test_only_photographs_with_a_face_are_used(drawn_faces: Draw, cutouts: Path) -> None:
    faces = drawn_faces(0.3, 1.0)
    faces.pixels[0] = 0
    random = np.random.default_rng(0)
    shop = HeadShop(faces, cutouts)
    assert min(shop.drawn(random).picture[66:78, 66:78].mean() for _ in range(60)) > 100


def test_the_face_of_a_drawn_head_is_in_its_box(drawn_faces: Draw, shop: HeadShop) -> None:
    face, random = drawn_faces(1.0).pixels[0], np.random.default_rng(1)
    for _ in range(60):
        head = shop.drawn(random)
        assert head.picture.shape == head.mask.shape == (144, 144)
        assert head.picture.dtype == head.mask.dtype == np.float32
        assert 0 <= head.mask.min() < 0.01 < 0.99 < head.mask.max() < 1.001
        assert head.mask[56:88, 60:84].mean() > 0.98
        seen = head.picture[56:88, 60:84]
        assert np.corrcoef(seen.ravel(), face[8:40, 12:36].ravel())[0, 1] > 0.9
        assert head.box == pytest.approx((72, 72, 50), abs=2)


def test_a_faceless_head_is_a_head_of_hair(drawn_faces: Draw, shop: HeadShop) -> None:
    face, random = drawn_faces(1.0).pixels[0], np.random.default_rng(2)
    for _ in range(60):
        head = shop.drawn(random, faceless=True)
        seen = head.picture[56:88, 60:84]
        assert abs(np.corrcoef(seen.ravel() + random.normal(0, 1, seen.size), face[8:40, 12:36].ravel())[0, 1]) < 0.5
        assert head.mask[56:88, 60:84].mean() > 0.98
        assert head.box == pytest.approx((72, 72, 50), abs=2)


def test_a_quarter_of_the_photographs_are_not_on_a_drawn_head(shop: HeadShop) -> None:
    random = np.random.default_rng(3)
    # The hair of a drawn head begins in row 38 at the latest, an oval around the face there at the earliest.
    tops = np.array([(shop.drawn(random).mask.max(axis=1) > 0.5).argmax() for _ in range(400)])
    assert 65 < (tops > 38).sum() < 135


def test_three_of_five_heads_are_drawn_and_the_others_are_the_cut_outs(shop: HeadShop) -> None:
    random = np.random.default_rng(4)
    heads = [shop.head(random) for _ in range(500)]
    cut = [head for head in heads if head.picture.shape == (256, 256)]
    assert {head.picture.shape for head in heads} == {(144, 144), (256, 256)}
    assert 160 < len(cut) < 240
    for head in cut:
        assert head.box == (130, 140, 100)
        assert (head.mask[140, 130], head.mask[0, 0]) == (1, 0)
        # What was multiplied with its opacity is divided by it.
        np.testing.assert_allclose(head.picture[head.mask > 0.5], 200, atol=2)


def test_the_same_chance_gives_the_same_heads(shop: HeadShop) -> None:
    first, again, other = ([shop.head(random) for _ in range(10)] for random in map(np.random.default_rng, (5, 5, 6)))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.picture, two.picture)
        np.testing.assert_array_equal(one.mask, two.mask)
    assert any(
        one.mask.shape != two.mask.shape or (one.mask != two.mask).any() for one, two in zip(first, other, strict=True)
    )


@pytest.mark.parametrize(("faceless", "least", "most"), [(False, 20, 40), (True, 0, 2)])
def test_the_cascade_finds_heads_with_a_face_only(shop: HeadShop, faceless: bool, least: int, most: int) -> None:
    cascade = cv2.CascadeClassifier(str(cascade_file()))
    random = np.random.default_rng(7)
    found = 0
    for _ in range(40):
        head = shop.drawn(random, faceless=faceless)
        pasted = np.clip(head.mask * head.picture + (1 - head.mask) * 128, 0, 255).astype(np.uint8)
        found += len(cascade.detectMultiScale(pasted, 1.15, 4, 0, (36, 36), (70, 70))) > 0
    assert least <= found <= most
