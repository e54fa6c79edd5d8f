"""Truncated and whole files, as real encoders write them."""

import io
import shutil
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.adapters.truncated import is_cut_short

NOISE = np.random.default_rng(0).integers(0, 255, (120, 160)).astype(np.uint8)


def encode(suffix: str) -> bytes:
    success, data = cv2.imencode(suffix, NOISE)
    assert success
    return data.tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_picture_without_its_end_is_cut_short(suffix: str) -> None:
    whole = encode(suffix)
    assert not is_cut_short(io.BytesIO(whole))
    assert not is_cut_short(io.BytesIO(whole + b"what a phone appends"))
    for share in (0.05, 0.5, 0.99):
        assert is_cut_short(io.BytesIO(whole[: round(share * len(whole))]))


def test_fill_bytes_and_thumbnails_do_not_mislead() -> None:
    whole = encode(".jpg")
    scan = whole.index(b"\xff\xda")
    assert not is_cut_short(io.BytesIO(whole[:scan] + b"\xff" + whole[scan:]))
    assert not is_cut_short(io.BytesIO(whole[:-2] + b"\xff" + whole[-2:]))
    assert not is_cut_short(io.BytesIO(whole[:scan] + b"stray" + whole[scan:]))
    success, restarts = cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])
    assert success
    assert b"\xff\xd3" in restarts.tobytes()
    assert not is_cut_short(io.BytesIO(restarts.tobytes().replace(b"\xff\xd3", b"\xff\xff\xd3")))
    thumbnail = b"Exif\0\0" + encode(".jpg")[:2000] + b"\xff\xd9"
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert not is_cut_short(io.BytesIO(whole[:2] + segment + whole[2:]))
    assert is_cut_short(io.BytesIO((whole[:2] + segment + whole[2:])[: len(segment) + len(whole) // 2]))


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("mp4", ["-c:v", "mpeg4"]),
        ("mp4", ["-c:v", "mpeg4", "-movflags", "+faststart"]),
        ("mov", ["-c:v", "mpeg4"]),
        ("mkv", ["-c:v", "mpeg4"]),
        ("avi", ["-c:v", "mjpeg"]),
    ],
)
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_video_without_its_end_is_cut_short(tmp_path: Path, suffix: str, options: list[str]) -> None:
    path = tmp_path / f"clip.{suffix}"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=3"]
    sound = ["-f", "lavfi", "-i", "sine=duration=9"]
    subprocess.run([*command, *sound, *options, str(path)], check=True)
    whole = path.read_bytes()
    assert not is_cut_short(io.BytesIO(whole))
    for share in (0.3, 0.6, 0.95):
        assert is_cut_short(io.BytesIO(whole[: round(share * len(whole))])), share


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("trailer", [b"\n", b"\0" * 3, b"\xff" * 16, b"a trailer that some cameras append"])
def test_what_a_camera_appends_to_a_video_does_not_make_it_cut(tmp_path: Path, trailer: bytes) -> None:
    path = tmp_path / "clip.mp4"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=1"]
    subprocess.run([*command, "-c:v", "mpeg4", str(path)], check=True)
    assert not is_cut_short(io.BytesIO(path.read_bytes() + trailer))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize(("kind", "codec"), [("avi", "mjpeg"), ("matroska", "mjpeg"), ("webm", "libvpx")])
def test_what_was_written_into_a_pipe_does_not_say_its_length(kind: str, codec: str) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=1"]
    result = subprocess.run([*command, "-c:v", codec, "-f", kind, "pipe:1"], capture_output=True, check=True)
    assert len(result.stdout) > 1000
    assert not is_cut_short(io.BytesIO(result.stdout))


@pytest.mark.parametrize("data", [b"", b"x", b"\xff\xd8", b"RIFF", b"text of no format at all", bytes(64)])
def test_what_tells_no_length_is_judged_without_a_stumble(data: bytes) -> None:
    assert is_cut_short(io.BytesIO(data)) in (True, False)


def test_a_live_matroska_stream_does_not_say_how_long_it_is() -> None:
    header = b"\x1a\x45\xdf\xa3\x80"
    segment = b"\x18\x53\x80\x67"
    assert not is_cut_short(io.BytesIO(header + segment + b"\x01" + b"\xff" * 7 + b"clusters"))
    assert is_cut_short(io.BytesIO(header + segment + b"\x01" + (1000).to_bytes(7, "big") + b"clusters"))
