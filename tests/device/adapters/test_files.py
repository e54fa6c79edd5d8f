"""Sources by name and by content: what a file is, however it is named, and what cannot give a result."""

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.adapters.files import Images, Paced, open_file
from cuelens.adapters.sources import is_camera, open_source
from cuelens.frame import Grey
from cuelens.ports import FrameSource
from cuelens.settings import Camera
from cuelens_models.errors import AbsentDevice, BadInput

STILL = 60
"""Frames of one photograph: four seconds at 15 frames a second."""


def scene(number: int, shift: int = 0) -> Grey:
    """Return a picture with large patches, another one for each number, moved by a number of columns."""
    patches = np.random.default_rng(number).integers(0, 255, (6, 8)).astype(np.uint8)
    return np.roll(np.asarray(cv2.resize(patches, (160, 120)), np.uint8), shift, axis=1)


def encode(suffix: str, picture: Grey) -> bytes:
    success, data = cv2.imencode(suffix, picture)
    assert success
    return data.tobytes()


def video(folder: Path, frames: int, fps: float = 10.0, suffix: str = ".avi") -> bytes:
    path = folder / f"made{suffix}"
    codec = {".avi": "MJPG", ".mp4": "mp4v", ".mkv": "mp4v"}[suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (160, 120), isColor=False)
    for number in range(frames):
        writer.write(scene(0, 2 * number))
    writer.release()
    content = path.read_bytes()
    path.unlink()
    return content


def levels(source: FrameSource) -> list[tuple[float, int]]:
    """Return the time and the mean level of every frame."""
    frames = []
    while (frame := source.read(1)) is not None:
        assert frame.grey.dtype == np.uint8
        frames.append((round(frame.t, 3), round(float(frame.grey.mean()))))
    source.close()
    return frames


def animation(suffix: str, frames: int) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        image = pytest.importorskip("PIL.Image", reason="Pillow comes with the extra demo")
        pictures = [image.fromarray(scene(0, 2 * number)) for number in range(frames)]
        pictures[0].save(folder / f"made{suffix}", save_all=True, append_images=pictures[1:], duration=100)
        return (folder / f"made{suffix}").read_bytes()

    return make


PHOTOGRAPH = encode(".jpg", scene(1))


@pytest.mark.parametrize(
    ("name", "content", "frames"),
    [
        ("photo.jpg", lambda _: PHOTOGRAPH, STILL),
        ("photo.avi", lambda _: PHOTOGRAPH, STILL),
        ("photo.mp4", lambda _: encode(".png", scene(1)), STILL),
        ("photo.txt", lambda _: encode(".webp", scene(1)), STILL),
        ("photo", lambda _: encode(".bmp", scene(1)), STILL),
        ("photo.jpeg", lambda _: encode(".pgm", scene(1)), STILL),
        ("clip.avi", lambda folder: video(folder, 12), 12),
        ("clip.jpg", lambda folder: video(folder, 12, suffix=".mp4"), 12),
        ("clip.png", lambda folder: video(folder, 12, suffix=".mkv"), 12),
        ("clip.txt", lambda folder: video(folder, 12), 12),
        ("clip", lambda folder: video(folder, 12), 12),
        ("clip%03d.jpg", lambda folder: video(folder, 12), 12),
        ("clip[1]*.jpg", lambda folder: video(folder, 12), 12),
        (os.fsdecode(b"clip\xff.avi"), lambda folder: video(folder, 12), 12),
        ("one frame.avi", lambda folder: video(folder, 1), STILL),
        ("two a second.avi", lambda folder: video(folder, 8, fps=2.0), 8),
        ("moves.gif", animation(".gif", 12), 12),
        ("moves.jpg", animation(".gif", 12), 12),
        ("still.gif", animation(".gif", 1), STILL),
        ("moves.png", animation(".png", 12), 12),
        ("stream.mjpeg", lambda _: 12 * PHOTOGRAPH, 12),
        ("with depth.jpg", lambda _: 2 * PHOTOGRAPH, STILL),
    ],
)
def test_the_content_of_a_file_decides_what_it_is(
    tmp_path: Path, name: str, content: Callable[[Path], bytes], frames: int
) -> None:
    path = tmp_path / name
    path.write_bytes(content(tmp_path))
    source = open_file(path)
    assert source.name.encode().decode()
    times = [t for t, _ in levels(source)]
    assert len(times) == frames
    assert times == sorted(set(times))


TEXT = b"Dear diary,\nnobody smiled today.\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clip.mp4", lambda _: TEXT, "is a text: a source is picamera2, v4l2:N"),
        ("photo.jpg", lambda _: 300 * TEXT, "is a text"),
        ("notes.txt", lambda _: 300 * TEXT, "is a text"),
        ("colours.mp4", lambda _: b"\x1b[31mred\x1b[0m\n" * 200, "is a text"),
        ("umlauts.mp4", lambda _: "ä".encode() * 40_000, "is a text"),
        ("list.m3u8", lambda _: b"#EXTM3U\n#EXTINF:2,\nclip.avi\n#EXT-X-ENDLIST\n", "is a text"),
        ("list.mp4", lambda _: b"ffconcat version 1.0\nfile clip.avi\n", "is a text"),
        ("clip.mp4", lambda _: b"", "is empty"),
        ("clip.mp4", lambda _: bytes(range(256)) * 8, "no video that can be played"),
        ("IMG_1.HEIC", lambda _: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC or AVIF image.*: save it as JPEG"),
        ("IMG_1.jpg", lambda _: b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC or AVIF image.*: save it as JPEG"),
        ("half.jpg", lambda _: PHOTOGRAPH[: len(PHOTOGRAPH) // 2], "is cut short"),
        ("slow.avi", lambda folder: video(folder, 6, fps=1.0), r"a frame every 1 s, .* at most 0\.5 s apart"),
        ("slow.avi", lambda folder: video(folder, 6, fps=1.9), r"a frame every 0\.53 s"),
        ("slow.mp4", lambda folder: video(folder, 6, fps=1.5, suffix=".mp4"), r"a frame every 0\.67 s"),
        ("dot.png", lambda _: encode(".png", scene(1)[:1, :1]), "1x1 pixels: the smallest face takes 20"),
        ("line.jpg", lambda _: encode(".jpg", scene(1)[:10]), "160x10 pixels"),
    ],
)
def test_what_cannot_give_a_result_is_refused_before_it_runs(
    tmp_path: Path, name: str, content: Callable[[Path], bytes], said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content(tmp_path))
    with pytest.raises(BadInput, match=said) as refusal:
        open_file(path)
    assert name in str(refusal.value)


def test_a_link_to_itself_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").symlink_to("clip.mp4")
    with pytest.raises(BadInput, match=r"clip\.mp4 cannot be read: Too many levels"):
        open_file(tmp_path / "clip.mp4")


def test_a_video_gives_its_frames_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48), isColor=False)
    for number in range(8):
        writer.write(np.full((48, 64), 30 * number, np.uint8))
    writer.release()
    frames = levels(open_file(path))
    assert [t for t, _ in frames] == pytest.approx([number / 10 for number in range(8)])
    assert [level for _, level in frames] == pytest.approx([30 * number for number in range(8)], abs=3)


def test_a_photograph_and_a_single_frame_stand_still_for_four_seconds(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(encode(".png", np.full((48, 64), 77, np.uint8)))
    expected = [(round(number / 15, 3), 77) for number in range(STILL)]
    assert levels(open_file(tmp_path / "photo.png")) == expected
    assert levels(open_file(tmp_path)) == expected
    (tmp_path / "clip.avi").write_bytes(video(tmp_path, 1))
    assert [t for t, _ in levels(open_file(tmp_path / "clip.avi"))] == [t for t, _ in expected]


def fill(folder: Path, pictures: list[Grey], name: str = "{}.png") -> Path:
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        (folder / name.format(number)).write_bytes(encode(".png", picture))
    return folder


def portraits(people: int, each: int, change: float) -> list[Grey]:
    """Return portraits before one wall, some of each person. change: between two of one person, in grey levels."""
    pictures = []
    for person in range(people):
        looks = np.random.default_rng(person).normal(120, 30, (12, 16))
        for turn in range(each):
            rest = np.random.default_rng(100 * person + turn).normal(0, change, (12, 16))
            pictures.append(np.clip(cv2.resize(looks + rest, (160, 120)), 0, 255).astype(np.uint8))
    return pictures


@pytest.mark.parametrize(
    ("pictures", "frames"),
    [
        ([scene(1)], STILL),
        ([scene(1), scene(1)], 2 * STILL),
        ([scene(number) for number in range(6)], 6 * STILL),
        ([scene(number) for number in range(20)], 20 * STILL),
        ([scene(number)[: 60 + number, 2 * number :] for number in range(20)], 20 * STILL),
        (portraits(1, 20, 12), 20 * STILL),
        (portraits(10, 2, 6), 20 * STILL),
        (portraits(4, 5, 12), 20 * STILL),
        ([scene(0, number) for number in range(14)], 14 * STILL),
        ([scene(0, number) for number in range(15)], 15),
        ([scene(0, 2 * number) for number in range(40)], 40),
        ([scene(number // 10, number) for number in range(40)], 40),
        ([scene(1)] * 30, 30),
        ([np.full((48, 64), 90, np.uint8)] * 30, 30),
    ],
    ids=[
        *(
            "one",
            "two equal",
            "six",
            "twenty",
            "twenty sizes",
            "one person",
            "couples of portraits",
            "fives of portraits",
        ),
        *("under a second", "a second", "a pan", "four shots", "a still scene", "one grey"),
    ],
)
def test_photographs_in_a_folder_stand_still_and_frames_of_one_video_move(
    tmp_path: Path, pictures: list[Grey], frames: int
) -> None:
    assert len(levels(open_file(fill(tmp_path / "folder", pictures)))) == frames


def test_frames_come_by_their_numbers_fifteen_a_second(tmp_path: Path) -> None:
    fill(tmp_path, [np.full((48, 64), 2 * number, np.uint8) for number in range(20)], "frame{}.png")
    assert levels(open_file(tmp_path)) == [(round(number / 15, 3), 2 * number) for number in range(20)]


def test_black_frames_stand_between_photographs_so_that_no_face_is_followed_from_one_to_the_next(
    tmp_path: Path,
) -> None:
    source = open_file(fill(tmp_path, [np.full((48, 64 + number), 50 + number, np.uint8) for number in range(3)]))
    expected = [50] * 60 + [0, 0] + [51] * 58 + [0, 0] + [52] * 58
    assert [level for _, level in levels(source)] == expected


def test_what_is_no_image_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, [scene(1)], "photo")
    (tmp_path / "notes.txt").write_bytes(TEXT)
    (tmp_path / "clip.mov").write_bytes(video(tmp_path, 3))
    (tmp_path / "._photo.jpg").write_bytes(b"\0\5\x16\7Mac OS X")
    (tmp_path / "more.jpg").mkdir()
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    assert len(levels(open_file(tmp_path))) == STILL


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("2.png", TEXT, r"2\.png is no image"),
        ("2.jpg", b"", r"2\.jpg is empty"),
        ("2.jpg", PHOTOGRAPH[:2], r"2\.jpg is cut short"),
        ("2.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r"2\.heic is a HEIC or AVIF image"),
    ],
)
def test_an_image_in_a_folder_that_cannot_be_read_is_named_before_the_run(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    fill(tmp_path, [scene(1)])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=said):
        open_file(tmp_path)


def test_an_image_in_a_folder_that_turns_out_damaged_is_named(tmp_path: Path) -> None:
    fill(tmp_path, [scene(1)])
    (tmp_path / "2.jpg").write_bytes(PHOTOGRAPH[:-200])
    source = open_file(tmp_path)
    with pytest.raises(BadInput, match=r"2\.jpg is cut short"):
        levels(source)


@pytest.mark.parametrize("inside", ["", "folder/0.png", "notes.txt"])
def test_a_folder_without_images_is_refused(tmp_path: Path, inside: str) -> None:
    if inside:
        (tmp_path / inside).parent.mkdir(exist_ok=True)
        (tmp_path / inside).write_bytes(encode(".png", scene(1)) if inside.endswith("png") else TEXT)
    with pytest.raises(BadInput, match="holds no images"):
        open_file(tmp_path)


def test_a_paced_source_gives_no_frame_before_its_time(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encode(".png", scene(1)))
    source = Paced(Images(path, [path], seconds=0.4))
    frames = []
    while (frame := source.read(1)) is not None:
        frames.append(frame)
    assert len(frames) == 6
    for frame in frames[1:]:
        assert frame.exposed_ns - frames[0].exposed_ns >= 1e9 * frame.t - 1e6


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("picamera2", True),
        ("v4l2:0", True),
        ("0", True),
        ("12", True),
        ("webcam", True),
        ("/dev/video0", True),
        ("/dev/../dev/video3", True),
        ("v4l2:", False),
        ("v4l2:x", False),
        ("./0", False),
        ("1000", False),
        ("\u0663", False),
        ("/dev/video", False),
        ("/dev/null", False),
        ("video0.mp4", False),
        ("demo", False),
        ("", False),
    ],
)
def test_the_names_of_cameras(text: str, camera: bool) -> None:
    assert is_camera(text) == camera


@pytest.mark.parametrize("text", ["v4l2:77", "77", "/dev/video77", "link"])
def test_every_name_of_a_webcam_opens_that_webcam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to("/dev/video77")
    assert is_camera(text)
    with pytest.raises(AbsentDevice, match="/dev/video77 is no camera"):
        open_source(text, Camera())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "^a source is picamera2, v4l2:N .*, a video, an image, a folder of images, or demo$"),
        ("picam", "source picam is not there: a source is picamera2, v4l2:N"),
        ("none.mp4", r"none\.mp4 is not there: a source is"),
        ("rtsp://camera/1", "is not there: a source is"),
        ("v4l2:x", "v4l2:0 for /dev/video0"),
        ("/dev/null", "is a device or a pipe"),
    ],
)
def test_a_name_that_is_no_source_is_answered_with_what_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=said):
        open_source(text, Camera())
