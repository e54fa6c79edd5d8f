import numpy as np
import pytest
from benchmarks.heads.pose import Pose, Skin, points_of, turned
from benchmarks.heads.rig import Rig

# Places on the base mesh: right, up and to the front, in decimetres.
PLACES = {
    "lower lip": (0.0, 6.55, 1.52),
    "upper lip": (0.0, 6.68, 1.55),
    "left mouth corner": (0.25, 6.62, 1.36),
    "chin": (0.0, 6.2, 1.4),
    "left upper lid": (0.32, 7.34, 1.42),
    "left inner brow": (0.15, 7.42, 1.45),
    "nose tip": (0.0, 6.9, 1.85),
    "shoulder": (1.6, 5.2, -0.2),
}


def at(rig: Rig, place: str) -> int:
    """The skin's point nearest to a place."""
    skin = np.unique(rig.parts[0].triangles)
    return int(skin[np.argmin(np.linalg.norm(rig.original[skin] - PLACES[place], axis=1))])


# Unit, what moves, by how much at least in decimetres, along which axis; and what stays.
MOVES = [
    ({"jawOpen": 1.0}, "lower lip", (1, -0.15), "left inner brow"),
    ({"jawOpen": 1.0}, "chin", (1, -0.15), "nose tip"),
    ({"mouthSmileLeft": 1.0}, "left mouth corner", (1, 0.05), "left inner brow"),
    ({"browInnerUp": 1.0}, "left inner brow", (1, 0.02), "chin"),
    ({"browDownLeft": 1.0}, "left inner brow", (1, -0.02), "chin"),
    ({"eyeBlinkLeft": 1.0}, "left upper lid", (1, -0.03), "chin"),
    ({"mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0}, "upper lip", (1, 0.02), "left inner brow"),
]


@pytest.mark.parametrize(("units", "moving", "by", "still"), MOVES)
def test_a_face_unit_moves_what_it_should(
    people: list[Rig], units: dict[str, float], moving: str, by: tuple[int, float], still: str
) -> None:
    axis, least = by
    for rig in people:
        moved = points_of(rig, Pose(units)) - rig.rest
        assert moved[at(rig, moving), axis] / least > 1
        assert np.abs(moved[at(rig, still)]).max() < 0.015


def test_half_a_unit_moves_half_as_far(people: list[Rig]) -> None:
    rig = people[0]
    whole, half = (points_of(rig, Pose({"jawOpen": strength})) - rig.rest for strength in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, atol=1e-5)


def test_brows_and_teeth_ride_along(people: list[Rig]) -> None:
    for rig in people:
        parts = {part.name: np.unique(part.triangles) for part in rig.parts}
        raised = points_of(rig, Pose({"browInnerUp": 1.0})) - rig.rest
        opened = points_of(rig, Pose({"jawOpen": 1.0})) - rig.rest
        assert raised[parts["brows"], 1].mean() > 0.01
        assert opened[parts["teeth"], 1].min() < -0.1
        assert opened[parts["teeth"], 1].max() > -0.02


def test_teeth_stay_behind_closed_lips(people: list[Rig]) -> None:
    for rig in people:
        teeth = np.unique(next(part.triangles for part in rig.parts if part.name == "teeth"))
        assert rig.rest[teeth, 2].max() < rig.rest[rig.masks["lips"] > 0.5, 2].max()


def test_a_turn_of_the_head_leaves_the_shoulders(people: list[Rig]) -> None:
    rig = people[0]
    nose, shoulder = at(rig, "nose tip"), at(rig, "shoulder")
    for pose, axis, way in ((Pose(yaw=20), 0, 1), (Pose(pitch=20), 1, -1)):
        moved = turned(rig, rig.rest, pose) - rig.rest
        assert moved[nose, axis] * way > 0.3
        assert np.abs(moved[shoulder]).max() < 1e-6


def test_the_gaze_turns_the_eyes_alone(people: list[Rig]) -> None:
    rig = people[0]
    moved = np.linalg.norm(points_of(rig, Pose(gaze=(15.0, 0.0))) - rig.rest, axis=1)
    eyes = np.concatenate([own for _, own in rig.eyes])
    assert moved[eyes].max() > 0.02
    assert np.delete(moved, eyes).max() == 0


def test_normals_point_outwards(people: list[Rig]) -> None:
    surface = Skin(people[0]).surface(Pose())
    assert surface.normals[at(people[0], "nose tip"), 2] > 0.7
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1, atol=1e-3)


def test_an_unknown_unit_is_named(people: list[Rig]) -> None:
    with pytest.raises(ValueError, match="unknown face units: wink"):
        points_of(people[0], Pose({"wink": 1.0}))
