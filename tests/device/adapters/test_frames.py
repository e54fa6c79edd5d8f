"""Frames: buffers, rotation, mailbox, files, light level."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.adapters.files import Paced, StillImage, open_file
from cuelens.camera.capture import CaptureThread
from cuelens.camera.frame_buffers import FrameBuffers
from cuelens.frame import Frame, Grey
from cuelens.mailbox import Latest
from cuelens.ports import FrameSource
from cuelens.vision.picture_state import COVERED, DARK, RUNNING, PictureState
from cuelens_models.errors import BadInput

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


def all_frames(source: FrameSource) -> list[tuple[float, int]]:
    frames = []
    while (frame := source.read(1)) is not None:
        frames.append((round(frame.t, 3), round(float(frame.grey.mean()))))
    source.close()
    return frames


def test_a_video_gives_its_frames_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48), isColor=False)
    for n in range(5):
        writer.write(np.full((48, 64), 40 * n, np.uint8))
    writer.release()
    frames = all_frames(open_file(path))
    assert [t for t, _ in frames] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [level for _, level in frames] == pytest.approx([0, 40, 80, 120, 160], abs=3)


def test_a_folder_gives_its_images_by_name_fifteen_a_second(tmp_path: Path) -> None:
    for n in (3, 1, 2):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.full((48, 64), 50 * n, np.uint8))
    (tmp_path / "notes.txt").write_text("not an image")
    assert all_frames(open_file(tmp_path)) == [(0.0, 50), (0.067, 100), (0.133, 150)]


def test_a_photograph_stands_still_for_four_seconds(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    cv2.imwrite(str(path), np.full((48, 64), 77, np.uint8))
    frames = all_frames(open_file(path))
    assert len(frames) == 60
    assert frames[-1][0] == pytest.approx(59 / 15, abs=1e-3)


def test_an_image_in_a_folder_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((8, 8), np.uint8))
    (tmp_path / "2.png").write_bytes(b"no picture")
    source = open_file(tmp_path)
    assert source.read(1) is not None
    with pytest.raises(BadInput, match=r"2\.png is no image"):
        source.read(1)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no images"):
        open_file(tmp_path)


def test_a_paced_source_takes_its_time(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint8))
    began = time.monotonic()
    frames = all_frames(Paced(StillImage(path, seconds=0.4)))
    assert len(frames) == 6
    assert time.monotonic() - began >= frames[-1][0] - frames[0][0]


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
