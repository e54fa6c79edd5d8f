"""Frames: buffers, rotation, mailbox, the contract of every source, light level."""

import ast
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cuelens import adapters
from cuelens.adapters.demo_scene import Scene, SceneSource
from cuelens.adapters.fakes import MemoryCamera, MemoryCapture
from cuelens.adapters.files import Paced, open_file
from cuelens.adapters.v4l2 import V4l2Camera
from cuelens.camera.capture import CaptureThread
from cuelens.camera.frame_buffers import FrameBuffers, is_picture
from cuelens.frame import Frame, Grey
from cuelens.mailbox import Latest
from cuelens.ports import FrameSource
from cuelens.vision.picture_state import COVERED, DARK, RUNNING, PictureState
from cuelens_models.errors import AbsentDevice

RAMP = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(("rotation", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_buffers_turn_pictures_clockwise(rotation: int, turns: int) -> None:
    assert np.array_equal(FrameBuffers(rotation).keep(RAMP), np.rot90(RAMP, turns))


def test_memory_is_used_again_but_never_while_its_frame_is_held() -> None:
    buffers = FrameBuffers()
    first = buffers.keep(RAMP)
    places = set()
    for n in range(50):
        other = buffers.keep(RAMP + n)
        places.add(other.ctypes.data)
    assert np.array_equal(first, RAMP)
    assert first.ctypes.data not in places
    assert len(places) == 2


def test_a_slow_beat_never_sees_its_frame_change() -> None:
    class Counting:
        name = "counting"

        def __init__(self) -> None:
            self.buffers = FrameBuffers()
            self.n = 0
            self.places: set[int] = set()

        def read(self, timeout_s: float) -> Frame | None:
            self.n += 1
            time.sleep(0.002)
            grey = self.buffers.keep(np.full((40, 60), self.n % 256, np.uint8))
            self.places.add(grey.ctypes.data)
            return Frame(grey, self.n / 500, 0)

        def close(self) -> None: ...

    source = Counting()
    feed = CaptureThread(lambda: source, lambda *_: None)
    feed.start()
    for _ in range(10):
        frame = feed.next(2)
        assert frame is not None
        before = frame.grey.copy()
        time.sleep(0.02)
        assert np.array_equal(frame.grey, before)
        assert frame.grey.min() == frame.grey.max()
    feed.close()
    assert feed.dropped() > 10
    assert len(source.places) <= 4


def test_a_slice_holds_the_memory_of_its_frame() -> None:
    buffers = FrameBuffers()
    corner = buffers.keep(RAMP)[1:, 2:]
    before = corner.copy()
    later = [buffers.keep(RAMP + 50) for _ in range(5)]
    assert np.array_equal(corner, before)
    assert not any(np.shares_memory(corner, frame) for frame in later)


def test_frames_of_another_size_get_memory_of_their_own() -> None:
    buffers = FrameBuffers()
    buffers.keep(RAMP)
    assert np.array_equal(buffers.keep(RAMP[:, :3]), RAMP[:, :3])
    assert np.array_equal(buffers.keep(RAMP), RAMP)


def test_a_frame_is_copied_out_of_a_padded_plane() -> None:
    padded = np.zeros((3, 64), np.uint8)
    padded[:, :4] = RAMP
    copy = FrameBuffers().keep(padded[:, :4])
    assert np.array_equal(copy, RAMP)
    assert copy.flags.c_contiguous
    padded[:] = 0
    assert np.array_equal(copy, RAMP)


def test_a_mailbox_holds_the_latest_and_counts_the_rest() -> None:
    mailbox: Latest[int] = Latest()
    for n in range(5):
        mailbox.put(n)
    assert (mailbox.take(0), mailbox.overwritten) == (4, 4)
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        mailbox.take(0.01)
    mailbox.put(7)
    mailbox.close()
    assert mailbox.take(0.01) == 7
    with pytest.raises(EOFError):
        mailbox.take(0.01)


def playing(suffix: str) -> Callable[[Path], FrameSource]:
    def play(folder: Path) -> FrameSource:
        if suffix:
            cv2.imwrite(str(folder / "0.png"), PLANES[0])
        else:
            writer = cv2.VideoWriter(str(folder / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, (64, 48), False)
            for plane in PLANES:
                writer.write(plane)
            writer.release()
        return open_file(folder / (suffix or "clip.avi"))

    return play


PLANES = [np.full((48, 64), 5 * number, np.uint8) for number in range(12)]
COLOURS = [np.repeat(plane[:, :, None], 3, axis=2) for plane in PLANES]


def webcam(*script: NDArray[Any] | None, root: Path = Path("/nowhere"), rotation: int = 0) -> V4l2Camera:
    return V4l2Camera(7, 64, 48, 15, rotation, open_capture=lambda *_: MemoryCapture(*script), root=root)


SOURCES: dict[str, Callable[[Path], FrameSource]] = {
    "fake camera": lambda _: MemoryCamera(*(Frame(plane, n / 15, 0) for n, plane in enumerate(PLANES))),
    "webcam": lambda _: webcam(*COLOURS),
    "webcam on its side": lambda _: webcam(*COLOURS, rotation=90),
    "video": playing(""),
    "photograph": playing("0.png"),
    "folder": playing("."),
    "paced": lambda folder: Paced(playing("")(folder)),
    "scene": lambda _: SceneSource(Scene(np.zeros((480, 640), np.uint8), (), 1.0)),
}


def test_every_source_of_the_adapters_is_held_to_the_contract(tmp_path: Path) -> None:
    held = set()
    for number, source in enumerate(SOURCES.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        opened = source(folder)
        held.add(type(opened).__name__)
        opened.close()
    sources = {
        part.name
        for file in Path(adapters.__path__[0]).glob("*.py")
        for part in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(part, ast.ClassDef) and any(is_read(function) for function in part.body)
    }
    # Without libcamera there is none of a Pi.
    assert sources - held == {"PiCamera"}


def is_read(part: ast.stmt) -> bool:
    return isinstance(part, ast.FunctionDef) and part.name == "read" and "timeout_s" in ast.unparse(part.args)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_contract_of_a_source(tmp_path: Path, source: Callable[[Path], FrameSource]) -> None:
    opened = source(tmp_path)
    assert opened.name
    frames = [frame for _ in range(10) if (frame := opened.read(1.0))]
    before = [frame.grey.copy() for frame in frames]
    for frame in frames:
        assert is_picture(frame.grey)
        assert frame.grey.flags.c_contiguous
        assert frame.exposed_ns <= time.monotonic_ns()
    assert len(frames) == 10
    assert all(earlier.t < later.t for earlier, later in pairwise(frames))
    opened.read(1.0)
    # A frame does not change while it is held.
    assert all(np.array_equal(frame.grey, copy) for frame, copy in zip(frames, before, strict=True))
    opened.close()
    opened.close()


@pytest.mark.parametrize("name", ["fake camera", "video", "photograph", "folder", "paced", "scene"])
def test_after_the_last_frame_of_a_source_comes_none(tmp_path: Path, name: str) -> None:
    source = SOURCES[name](tmp_path)
    frames = 0
    while source.read(1.0):
        frames += 1
    assert frames == {"photograph": 60, "folder": 60, "scene": 15}.get(name, len(PLANES))
    assert source.read(1.0) is None


def test_a_webcam_that_fails_for_a_moment_goes_on() -> None:
    camera = webcam(COLOURS[1], None, COLOURS[2])
    assert camera.read(1.0).grey.mean() == 5
    with pytest.raises(AbsentDevice, match="/dev/video7 went away"):
        camera.read(1.0)
    assert camera.read(1.0).grey.mean() == 10


ODD = {
    "empty": np.empty((0, 0, 3), np.uint8),
    "a plane": PLANES[0],
    "two channels": np.zeros((48, 64, 2), np.uint8),
    "floats": np.zeros((48, 64, 3), np.float32),
    "16 bits": np.zeros((48, 64, 3), np.uint16),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_picture_of_a_webcam_is_an_empty_frame(odd: NDArray[Any]) -> None:
    camera = webcam(odd, COLOURS[1], odd, COLOURS[2])
    assert [is_picture(camera.read(1.0).grey) for _ in range(3)] == [False, True, False]
    assert camera.read(1.0).grey.mean() == 10


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        ({}, "/dev/video7 opens and gives no frame: `v4l2-ctl --list-devices`"),
        ({"video0": "HD Webcam\n", "video10": "bcm2835-codec-decode\n"}, "opens and gives no frame"),
        ({"video0": "unicam-image\n"}, "on the ribbon cable: write picamera2 as the source"),
        ({"video0": "HD Webcam\n", "video4": "rp1-cfe-csi2_ch0\n"}, "on the ribbon cable: write picamera2"),
    ],
)
def test_a_webcam_that_opens_and_gives_nothing_points_to_the_camera_on_the_ribbon_cable(
    tmp_path: Path, devices: dict[str, str], said: str
) -> None:
    for device, name in devices.items():
        folder = tmp_path / "sys/class/video4linux" / device
        folder.mkdir(parents=True)
        (folder / "name").write_text(name)
    with pytest.raises(AbsentDevice, match=said):
        webcam(root=tmp_path).read(1.0)
    # One that has given frames is a webcam.
    worked = webcam(COLOURS[0], root=tmp_path)
    worked.read(1.0)
    with pytest.raises(AbsentDevice, match="went away"):
        worked.read(1.0)


def test_a_webcam_without_a_frame_in_time_is_late_unless_the_ribbon_cable_has_the_camera(tmp_path: Path) -> None:
    class Slow(MemoryCapture):
        def read(self, image: NDArray[Any] | None = None) -> tuple[bool, NDArray[Any] | None]:
            time.sleep(0.02)
            return False, None

    def slow() -> V4l2Camera:
        return V4l2Camera(7, 64, 48, 15, 0, open_capture=lambda *_: Slow(), root=tmp_path)

    with pytest.raises(TimeoutError, match="gave no frame"):
        slow().read(0.01)
    (tmp_path / "sys/class/video4linux/video0").mkdir(parents=True)
    (tmp_path / "sys/class/video4linux/video0/name").write_text("unicam-image\n")
    with pytest.raises(AbsentDevice, match="picamera2"):
        slow().read(0.01)


def judge(picture: Grey, seconds: float, level: PictureState, begin: float = 0.0) -> str:
    state = ""
    for n in range(round(seconds * 15)):
        state = level.judge(Frame(picture, begin + n / 15, 0))
    return state


random = np.random.default_rng(0)
ROOM = random.integers(0, 255, (480, 640)).astype(np.uint8)


@pytest.mark.parametrize(
    ("picture", "state"),
    [
        (ROOM, RUNNING),
        (ROOM // 12, DARK),
        (np.zeros((480, 640), np.uint8), COVERED),
        (np.full((480, 640), 30, np.uint8) + ROOM // 64, COVERED),
        (np.full((480, 640), 250, np.uint8), RUNNING),
    ],
)
def test_a_dark_room_and_a_covered_lens_are_told_apart(picture: Grey, state: str) -> None:
    assert judge(picture, 3, PictureState()) == state


def test_a_blink_of_the_light_changes_nothing() -> None:
    level = PictureState()
    assert judge(ROOM, 3, level) == RUNNING
    assert judge(ROOM // 12, 0.7, level, 3) == RUNNING
    assert judge(ROOM, 1, level, 3.7) == RUNNING
    assert judge(ROOM // 12, 3, level, 5) == DARK
    assert judge(ROOM, 3, level, 8) == RUNNING


def striped(mean: int, deviation: int) -> Grey:
    """A picture of this mean and standard deviation."""
    stripes = np.where(np.arange(640) // 16 % 2, mean + deviation, mean - deviation)
    return np.tile(stripes, (480, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    ("before", "mean", "deviation", "state"),
    [
        (None, 29, 8, DARK),
        (None, 30, 8, RUNNING),
        # At dusk a dark room stays one until there is clearly more light.
        (striped(20, 8), 37, 8, DARK),
        (striped(20, 8), 38, 8, RUNNING),
        # Light that shines through a cover has no detail.
        (None, 59, 5, COVERED),
        (None, 59, 7, RUNNING),
        (None, 60, 5, RUNNING),
        (striped(59, 5), 29, 8, DARK),
    ],
)
def test_where_dark_and_covered_begin_and_end(before: Grey | None, mean: int, deviation: int, state: str) -> None:
    level = PictureState()
    if before is not None:
        judge(before, 3, level)
    assert judge(striped(mean, deviation), 3, level, 3) == state


def test_a_state_holds_once_it_has_lasted_for_a_second() -> None:
    level = PictureState()
    assert judge(ROOM, 3, level) == RUNNING
    states = [level.judge(Frame(ROOM // 12, 5 + n / 4, 0)) for n in range(6)]
    assert states == [RUNNING] * 4 + [DARK] * 2
    assert [level.judge(Frame(ROOM, 7 + n / 4, 0)) for n in range(6)] == [DARK] * 4 + [RUNNING] * 2
