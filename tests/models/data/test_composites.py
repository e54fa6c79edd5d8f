"""Composites with plain ovals for heads: the same chance without them gives the background to compare with."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.composites import HEIGHT, WIDTH, Place, composite
from cuelens_models.data.faces import Faces
from cuelens_models.data.pasted_heads import Head, HeadShop

WALLS: Final = [np.full((90, 400), 120, np.uint8)]


@dataclass
class Ovals:
    """A shop of ovals, upright and about their box. Strange heads are wedges with the edge on top, if they are seen.

    `strange` tells of each whether it is faceless.
    """

    height: float = 1.0
    """Of an oval, in sides of its box. 0: nothing is to be seen."""
    width: float = 0.5
    seen: bool = False
    """Whether strange heads are."""

    def __post_init__(self) -> None:
        self.strange: list[bool] = []

    def head(self, _: np.random.Generator) -> Head:
        """Return an oval whose box is off the middle of the picture."""
        x, y, side = 70.0, 84.0, 40.0
        across, below = np.meshgrid(np.arange(160) + 0.5 - x, np.arange(160) + 0.5 - y)
        mask = np.zeros((160, 160), np.float32)
        if self.height:
            away = np.hypot(across / (self.width * side / 2), below / (self.height * side / 2))
            mask = np.clip((1 - away) * side / 4 + 0.5, 0, 1).astype(np.float32)
        return Head(np.full((160, 160), 250, np.float32), mask, (x, y, side))

    def drawn(self, random: np.random.Generator, *, faceless: bool = False) -> Head:
        """Return a wedge."""
        self.strange.append(faceless)
        head = self.head(random)
        across, below = np.meshgrid(np.arange(160) + 0.5 - head.box[0], np.arange(160) + 0.5 - head.box[1])
        wedge = (abs(across) < (below + 20) / 4) & (below < 20)
        return head._replace(mask=(wedge & self.seen).astype(np.float32))


def made(seed: int, shop: Any) -> tuple[Grey, list[Place]]:
    return composite(shop, WALLS, np.random.default_rng(seed))


def pasted(seed: int, shop: Any) -> tuple[NDArray[np.bool_], list[Place]]:
    """Return which pixels of a composite are not those of its background, and its faces."""
    picture, places = made(seed, shop)
    empty, same = made(seed, Ovals(0))
    assert [place[:4] for place in places] == [place[:4] for place in same]
    changed = np.abs(picture.astype(int) - empty)
    return changed > max(8, 0.4 * changed.max()), places


def outside(place: Place) -> float:
    """Return how far a box is beyond the nearest edge, in sides."""
    half = place.side / 2
    return max(half - place.x, place.x + half - WIDTH, half - place.y, place.y + half - HEIGHT, 0) / place.side


@pytest.fixture(scope="module")
def told() -> list[list[Place]]:
    """The faces of 1500 composites."""
    return [made(seed, Ovals(0))[1] for seed in range(1500)]


def test_a_composite_has_the_size_of_the_camera_by_four_and_follows_from_the_seed(
    drawn_faces: Callable[..., Faces], cutouts: Path
) -> None:
    shop = HeadShop(drawn_faces(0.9, 1.0), cutouts)
    walls = [np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8) for shape in ((60, 60), (700, 720))]
    before = [wall.copy() for wall in walls]
    kept = []
    for seed in range(60):
        picture, places = composite(shop, walls, np.random.default_rng(seed))
        again, the_same = composite(shop, walls, np.random.default_rng(seed))
        assert picture.shape == (120, 160)
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, again)
        assert places == the_same
        kept.append(picture)
    assert len({picture.tobytes() for picture in kept}) == 60
    # Dark ones and bright ones.
    assert min(picture.mean() for picture in kept) < 60 < 130 < max(picture.mean() for picture in kept)
    for wall, as_before in zip(walls, before, strict=True):
        np.testing.assert_array_equal(wall, as_before)


def test_a_face_is_where_it_is_told_to_be() -> None:
    errors = []
    for seed in range(900):
        changed, places = pasted(seed, Ovals())
        if len(places) != 1 or outside(places[0]) or places[0].side < 24 or not changed.any():
            continue
        (place,) = places
        rows, columns = np.nonzero(changed)
        spread = np.cov(columns, rows)
        # A full ellipse has a variance of a sixteenth of its axis squared.
        lengths, axes = np.linalg.eigh(spread)
        right, down = axes[:, 1] * np.sign(-axes[1, 1])
        side = 4 * math.sqrt(lengths[1])
        # Of an upright head, the top turns to the left.
        tilt = math.degrees(math.atan2(-right, -down))
        errors.append(
            (
                (columns.mean() + 0.5 - place.x) / place.side,
                (rows.mean() + 0.5 - place.y) / place.side,
                side / place.side - 1,
                tilt - place.tilt,
            )
        )
    assert len(errors) > 80
    right, down, size, turn = np.abs(np.array(errors)).T
    for found, typical, rare in ((right, 0.02, 0.08), (down, 0.02, 0.08), (size, 0.08, 0.3), (turn, 1.5, 10)):
        assert np.median(found) < typical
        assert np.quantile(found, 0.9) < rare
    assert np.abs(np.mean(errors, axis=0)[:2]).max() < 0.02


def test_a_quarter_is_empty_and_no_picture_has_more_than_five_faces(told: list[list[Place]]) -> None:
    counts = np.array([len(places) for places in told])
    assert (counts == 0).mean() == pytest.approx(0.25, abs=0.035)
    assert 3 < counts.max() <= 5
    assert counts[counts > 0].mean() == pytest.approx(1.4, abs=0.2)


def test_faces_of_all_sizes_are_learned_and_many_are_small(told: list[list[Place]]) -> None:
    sides = np.array([place.side for places in told for place in places])
    assert 9 <= sides.min() < 9.5
    assert 80 < sides.max() <= 86
    # The logarithm of the side is even, but for pictures of many.
    assert 18 < np.median(sides) < math.sqrt(9 * 86)
    assert max(place.side for places in told if len(places) > 2 for place in places) <= 40


def test_heads_are_mostly_upright_and_tilted_by_some_tens_of_degrees_at_most(told: list[list[Place]]) -> None:
    tilts = np.abs([place.tilt for places in told for place in places])
    assert np.quantile(tilts, 0.99) < 35
    assert 6 < np.median(tilts) < 12
    assert (tilts > 20).mean() == pytest.approx(0.18, abs=0.05)


def test_no_two_faces_lie_over_each_other(told: list[list[Place]]) -> None:
    gaps = [
        math.hypot(one.x - two.x, one.y - two.y) / max(one.side, two.side)
        for places in told
        for number, one in enumerate(places)
        for two in places[:number]
    ]
    assert len(gaps) > 300
    assert 0.8 <= min(gaps) < 0.85


def test_a_face_is_partial_if_more_than_a_hundredth_and_five_of_its_side_is_cut(told: list[list[Place]]) -> None:
    alone = [places[0] for places in told if len(places) == 1]
    # Nothing hides those of these pictures, how many ever.
    assert all(place.partial == (outside(place) > 0.06) for places in told for place in places)
    cut = np.array([outside(place) for place in alone])
    assert 0.05 < (cut > 0.06).mean() < 0.15
    assert 0.6 < cut.max() <= 0.8
    assert (cut == 0).mean() > 0.85


def test_a_face_behind_another_head_is_partial() -> None:
    hidden, free = [], []
    for seed in range(1200):
        _, places = made(seed, Ovals(3.2, 3.2))
        if len(places) != 2 or outside(places[0]):
            continue
        first, second = places
        # The second head is a disc of 1.6 sides; a face is hidden if its middle is, or a point at 0.3 of its sides.
        across, below = np.meshgrid(*(middle + first.side * np.array([-0.3, 0, 0.3]) for middle in first[:2]))
        away = np.hypot(across - second.x, below - second.y).min() - 1.6 * second.side
        if abs(away) > 1.5:
            (hidden if away < 0 else free).append(first.partial)
        assert second.partial == (outside(second) > 0.06)
    assert len(hidden) > 10
    assert all(hidden)
    assert len(free) > 10
    assert not any(free)


def test_strange_heads_stand_in_three_of_ten_pictures_and_are_no_faces() -> None:
    counts, faceless = [], []
    for seed in range(800):
        shop = Ovals(seen=True)
        changed, places = pasted(seed, shop)
        counts.append(len(shop.strange))
        faceless += shop.strange
        if not places:
            assert bool(shop.strange) or not changed.any()
    assert (np.array(counts) > 0).mean() == pytest.approx(0.3, abs=0.05)
    assert set(counts) == {0, 1, 2}
    assert np.mean(faceless) == pytest.approx(0.6, abs=0.08)


def test_strange_heads_with_a_face_lie_or_stand_on_it() -> None:
    tilts: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(1200):
        shop = Ovals(0, seen=True)
        changed, _ = pasted(seed, shop)
        edges = changed[[0, -1]].any() or changed[:, [0, -1]].any()
        if len(shop.strange) != 1 or edges or changed.sum() < 150:
            continue
        rows, columns = np.nonzero(changed)
        _, axes = np.linalg.eigh(np.cov(columns, rows))
        along = (columns - columns.mean()) * axes[0, 1] + (rows - rows.mean()) * axes[1, 1]
        # The edge is farther from the middle than the base.
        right, down = axes[:, 1] * np.sign((along**3).sum())
        tilts[shop.strange[0]].append(math.degrees(math.atan2(-right, -down)))
    upright, others = np.array(tilts[True]), np.array(tilts[False])
    assert len(upright) > 20
    assert np.median(np.abs(upright)) < 12
    assert np.quantile(np.abs(upright), 0.9) < 30
    from_quarters = np.abs((others + 45) % 90 - 45)
    assert np.quantile(from_quarters, 0.95) < 33
    for middle in (-90, 90, 180):
        assert (np.abs((others - middle + 180) % 360 - 180) < 45).sum() > 4
    assert (np.abs(others) < 45).mean() < 0.1


def test_a_picture_has_noise_even_where_nothing_is() -> None:
    for seed in range(60):
        picture, _ = made(seed, Ovals(0))
        assert np.abs(np.diff(picture.astype(float), axis=1)).mean() > 0.3
