import numpy as np
import pytest
from benchmarks.heads import camera
from benchmarks.heads.draw import Drawn

pytest.importorskip("skimage", reason="the backdrops come with the extra heads")


@pytest.fixture
def around() -> camera.Setting:
    return camera.setting("test", 5, 96, 64, (20, 30))


def drawn(cover: float) -> Drawn:
    share = np.full((64, 96), cover, np.float32)
    return Drawn(np.full((64, 96), round(100 * cover), np.uint8), share, share)


def test_the_head_hides_the_backdrop(around: camera.Setting) -> None:
    sensor = camera.Sensor("test", 5, around)
    head, empty = (sensor.picture(drawn(cover)).astype(float) for cover in (1.0, 0.0))
    assert head.mean() == pytest.approx(100, abs=0.5)
    assert empty.mean() == pytest.approx(around.backdrop.mean(), abs=1)


def test_noise_is_as_strong_as_set_and_new_in_each_frame(around: camera.Setting) -> None:
    sensor = camera.Sensor("test", 5, around)
    first, second = (sensor.picture(drawn(1.0), number).astype(float) for number in (0, 4))
    assert first.std() == pytest.approx(around.noise, rel=0.15)
    assert (first - second).std() == pytest.approx(around.noise * 2**0.5, rel=0.15)


def test_a_frame_is_the_same_each_time(around: camera.Setting) -> None:
    pictures = [camera.Sensor("test", 5, around).picture(drawn(0.5), 7) for _ in range(2)]
    np.testing.assert_array_equal(*pictures)


def test_the_face_is_as_large_as_asked_for() -> None:
    for number in range(20):
        away = camera.setting("test", number, 640, 480, (90, 180)).view.place[2]
        assert 90 <= camera.FOCAL * camera.FACE / away <= 180


def test_a_head_that_moves_keeps_its_light(around: camera.Setting) -> None:
    nearer = camera.moved(around, (0.1, -0.2, -1.0))
    np.testing.assert_allclose(np.subtract(nearer.view.place, around.view.place), (0.1, -0.2, -1.0))
    assert nearer.light == around.light
