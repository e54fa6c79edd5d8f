import numpy as np
import pytest
from benchmarks.heads import stills
from benchmarks.heads.draw import Light, Studio, View
from benchmarks.heads.expressions import EXPRESSIONS, ways
from benchmarks.heads.paint import DARKEST, LIGHTEST, tone
from benchmarks.heads.pose import Pose
from benchmarks.heads.rig import Rig

VIEW = View(160, 160, 400, (0, -0.3, 6.5))


def test_tones_go_from_the_lightest_to_the_darkest_in_even_steps() -> None:
    assert tone(0).reflectance == pytest.approx(LIGHTEST)
    assert tone(1).reflectance == pytest.approx(DARKEST)
    steps = np.diff([tone(darkness).reflectance ** (1 / 3) for darkness in np.linspace(0, 1, 6)])
    np.testing.assert_allclose(steps, steps[0])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_pair_differs_in_the_skin_alone(studio: Studio, people: list[Rig], expression: str) -> None:
    for rig in people[:2]:
        sitter = studio.sitter(rig)
        pose = Pose(ways("test", rig.person.number).face(expression), yaw=8)
        light, dark = (studio.draw(sitter, pose, tone(darkness), Light(), VIEW) for darkness in (0, 1))
        np.testing.assert_array_equal(light.skin, dark.skin)
        np.testing.assert_array_equal(light.cover, dark.cover)
        bare, none = light.skin > 0.99, light.skin == 0
        assert 0.1 < bare.mean() < 0.6
        np.testing.assert_array_equal(light.grey[none], dark.grey[none])
        assert (light.grey[bare].astype(int) >= dark.grey[bare]).mean() > 0.99
        assert light.grey[bare].mean() > dark.grey[bare].mean() + 40


def test_the_same_seed_gives_the_same_picture(studio: Studio, people: list[Rig]) -> None:
    other = Studio(160, 160)
    pictures = [
        place.draw(place.sitter(people[0]), Pose({"jawOpen": 0.5}), tone(0.5), Light(), VIEW).grey
        for place in (studio, studio, other)
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])


def test_light_from_the_right_lights_the_right(studio: Studio, people: list[Rig]) -> None:
    sitter = studio.sitter(people[1])
    right, left = (
        studio.draw(sitter, Pose(), tone(0.3), Light(azimuth=azimuth, key=1.0, above=0.2, below=0.1), VIEW).grey
        for azimuth in (60, -60)
    )
    half = right.shape[1] // 2
    assert right[:, half:].sum() > right[:, :half].sum()
    assert left[:, half:].sum() < left[:, :half].sum()


def test_the_stills_of_a_pair_have_the_same_noise(studio: Studio, people: list[Rig]) -> None:
    larger = Studio(stills.SIDE, stills.SIDE)
    light, dark = (stills.picture_of(larger, larger.sitter(people[2]), "neutral", darkness) for darkness in (0, 1))
    assert light.shape == (256, 256)
    # The corner is backdrop, the middle skin: the noise is the same in both.
    np.testing.assert_array_equal(light[:20, :20], dark[:20, :20])
    assert light[100:160, 100:160].mean() > dark[100:160, 100:160].mean() + 20
