"""Frame sources from files, known by their content: a video, a photograph, a folder; and real-time pacing."""

import codecs
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from cuelens.adapters.still import decode, is_image, nameless
from cuelens.adapters.truncated import is_cut_short
from cuelens.camera.frame_buffers import FrameBuffers
from cuelens.frame import Frame, Grey
from cuelens.ports import FrameSource
from cuelens_models import regular_file
from cuelens_models.errors import BadInput
from cuelens_models.quiet import native_quiet

KINDS: Final = "picamera2, v4l2:N (also N, /dev/videoN, webcam), a video, an image, a folder of images, or demo"
"""What a source may be."""
IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})
_FPS: Final = 15.0
_HIGHEST_FPS: Final = 1000.0
"""Files without times may state the ticks of a clock as their frames a second."""
_STILL_S: Final = 4.0
"""How long a photograph is repeated: enough for an expression to settle and for one cue."""
_BLANKS: Final = 2
"""Black frames between two photographs, after which a face that stood in the first is lost."""
_SMALLEST_PX: Final = 20
"""Side of the smallest face that the cascade finds."""
_AHEAD: Final = 4
"""Frames of a video that are decoded on opening it, to measure the gaps between them."""
_LONGEST_GAP_S: Final = 0.5
"""Longest gap between frames from which an expression settles (`cuelens.cues.settling`)."""
_FEWEST_FRAMES: Final = 15
"""Fewer images, less than a second of frames, are photographs: no expression would settle."""
_PLACES: Final = 5
"""Places in a folder at which neighbours are compared."""
_ALIKE: Final = 3.0
"""Mean difference between thumbnails in grey levels; frames of a steady scene differ by less."""
_HEAD_BYTES: Final = 65_536


class VideoFile:
    """The frames of a video with their presentation times. A single frame stands still, as a photograph does."""

    def __init__(self, path: Path, rotation: int = 0) -> None:
        """Open the file. Raises BadInput if no frame can be decoded, or if the frames are too far apart."""
        self.name = _name(path)
        self._buffers = FrameBuffers(rotation)
        with path.open("rb") as file:
            self._capture = cv2.VideoCapture(nameless(file), cv2.CAP_FFMPEG)
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self._step_s = 1 / (fps if 0 < fps <= _HIGHEST_FPS else _FPS)
        self._last_t = -self._step_s
        self._picture: Any = None
        self._grey: Any = None
        self._ahead = deque(islice(iter(self._decode, None), _AHEAD))
        if len(self._ahead) == 1:
            self._ahead = deque(
                msgspec.structs.replace(self._ahead[0], t=n / _FPS) for n in range(round(_STILL_S * _FPS))
            )
        try:
            self._check(path)
        except BadInput:
            self.close()
            raise

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one."""
        frame = self._ahead.popleft() if self._ahead else self._decode()
        return msgspec.structs.replace(frame, exposed_ns=time.monotonic_ns()) if frame else None

    def close(self) -> None:
        """Close the file."""
        self._ahead.clear()
        self._capture.release()

    def _decode(self) -> Frame | None:
        success, picture = self._capture.read(self._picture)
        if not success:
            return None
        self._picture = picture
        self._grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY, dst=self._grey)
        t = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        # Some containers hold no times, and some repeat one.
        self._last_t = t if t > self._last_t else self._last_t + self._step_s
        return Frame(self._buffers.keep(self._grey), self._last_t, 0)

    def _check(self, path: Path) -> None:
        if not self._ahead:
            raise BadInput(f"{path} is no video that can be played: it is cut short, or of an unknown format")
        _check_size(path, self._ahead[0].grey)
        # Imported here: the glasses play no files.
        from statistics import median

        gap_s = median(later.t - earlier.t for earlier, later in pairwise(self._ahead))
        if gap_s > _LONGEST_GAP_S:
            raise BadInput(
                f"{path} has a frame every {round(gap_s, 2):g} s, and an expression settles from frames at most"
                f" {_LONGEST_GAP_S} s apart: take a video of two frames a second or more, or its frames as a folder"
            )


class Images:
    """Images one after the other at 15 frames a second, each repeated for a time."""

    def __init__(self, path: Path, files: Sequence[Path], rotation: int = 0, seconds: float = 0.0) -> None:
        """Decode the first image. Raises BadInput if it cannot be decoded, or is too small for a face.

        Args:
            path: the image, or the folder of the images.
            files: the images in their order.
            rotation: clockwise turn that makes them upright, in degrees: 0, 90, 180 or 270.
            seconds: how long each image is repeated; 0 for a single frame.
        """
        self.name = _name(path)
        self._files = files
        self._repeats = max(round(seconds * _FPS), 1)
        self._blanks = _BLANKS if self._repeats > 1 else 0
        self._buffers = FrameBuffers(rotation)
        self._number = 0
        self._grey = self._buffers.keep(decode(files[0]))
        _check_size(files[0], self._grey)

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one. Raises BadInput if an image cannot be decoded."""
        index, repeat = divmod(self._number, self._repeats)
        if index == len(self._files):
            return None
        if index and not repeat:
            self._grey = self._buffers.keep(decode(self._files[index]))
        grey = np.zeros_like(self._grey) if index and repeat < self._blanks else self._grey
        t = self._number / _FPS
        self._number += 1
        return Frame(grey, t, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


class Paced:
    """Real-time pacing: the frames of another source, each no earlier than its own time, as from a camera."""

    def __init__(self, source: FrameSource) -> None:
        self.name = source.name
        self._source = source
        self._offset: float | None = None
        self._closed = threading.Event()

    def read(self, timeout_s: float) -> Frame | None:
        """Wait until the next frame is due and return it."""
        frame = self._source.read(timeout_s)
        if frame is None:
            return None
        if self._offset is None:
            self._offset = time.monotonic() - frame.t
        self._closed.wait(max(0.0, self._offset + frame.t - time.monotonic()))
        return Frame(frame.grey, frame.t, time.monotonic_ns())

    def close(self) -> None:
        """End the current wait and close the source."""
        self._closed.set()
        self._source.close()


def open_file(path: Path, rotation: int = 0) -> FrameSource:
    """Open a video, an image or a folder of images, whatever its name.

    An image stands still for four seconds. So does each image of a folder, unless they are the frames of one video:
    15 or more, of which neighbours are much more alike than others. Frames come 15 a second.
    Raises BadInput if the path is missing, empty or none of these, or if no expression could settle from it.
    """
    if fault := regular_file.fault(path, sys.maxsize):
        raise BadInput(f"source {path} {fault}")
    try:
        # libpng prints warnings about bad files. No other thread prints yet, so standard error can be muted.
        with native_quiet():
            return _open_folder(path, rotation) if path.is_dir() else _open_file(path, rotation)
    except FileNotFoundError as error:
        raise BadInput(f"source {path} is not there: a source is {KINDS}") from error
    except OSError as error:
        raise BadInput(f"source {error.filename or path} cannot be read: {error.strerror}") from error


def _open_file(path: Path, rotation: int) -> FrameSource:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if not head:
            raise BadInput(f"source {path} is empty")
        file.seek(0)
        if is_cut_short(file):
            raise BadInput(f"source {path} is cut short: copy it again")
    if is_image(path) and not _may_move(path, head):
        return Images(path, [path], rotation, _STILL_S)
    if _is_text(head):
        raise BadInput(f"source {path} is a text: a source is {KINDS}")
    return VideoFile(path, rotation)


def _open_folder(path: Path, rotation: int) -> FrameSource:
    files = _images_in(path)
    if not files:
        raise BadInput(f"{path} holds no images; folders in it are not searched")
    return Images(path, files, rotation, 0.0 if _is_one_video(files) else _STILL_S)


def _images_in(path: Path) -> list[Path]:
    """Return the images of a folder, number 2 before 10. Raises BadInput if one is none by its content."""
    files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
    images = [file for file in files if is_image(file)]
    for file in sorted(set(files) - set(images)):
        if file.suffix.lower() in IMAGE_SUFFIXES:
            # Says what is wrong with it.
            decode(file)
    return sorted(images, key=_in_numbers)


def _in_numbers(file: Path) -> list[tuple[int, str]]:
    return [(int(word) if word.isdecimal() else 0, word) for word in re.split(r"(\d+)", file.name)]


def _is_one_video(files: Sequence[Path]) -> bool:
    """Whether images are the frames of one video: 15 or more, and neighbours are alike.

    Alike means that their thumbnails differ by under three grey levels, or by under a third of the difference of images
    half a folder apart (medians of five places). Photographs of people differ from the next one as from any other.
    """
    if len(files) < _FEWEST_FRAMES:
        return False
    from statistics import median

    near, far = [], []
    for first in range(0, len(files) - 2, len(files) // _PLACES):
        numbers = (first, first + 1, first + 2, (first + len(files) // 2) % len(files))
        look, second, third, other = (_thumbnail(files[number]) for number in numbers)
        near.append(max(_difference(look, second), _difference(second, third)))
        far.append(_difference(look, other))
    return median(near) < max(_ALIKE, median(far) / 3)


def _thumbnail(file: Path) -> NDArray[np.float32]:
    return cv2.resize(decode(file), (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.abs(one - other).mean())


def _may_move(path: Path, head: bytes) -> bool:
    """Whether an image may hold a series of frames: a GIF, an animated PNG, a Motion JPEG stream.

    The last one is known by its name alone: photographs of phones often hold a second JPEG too, for depth or light.
    """
    if head.startswith(b"\xff\xd8"):
        return path.suffix.lower() in (".mjpeg", ".mjpg")
    return head.startswith(b"GIF8") or (head.startswith(b"\x89PNG") and b"acTL" in head)


def _is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8 without control characters. FFmpeg would follow some of the texts."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\n\r\f\x1b" for character in text)


def _check_size(path: Path, grey: Grey) -> None:
    height, width = grey.shape
    if min(width, height) < _SMALLEST_PX:
        raise BadInput(f"{path} is {width}x{height} pixels: the smallest face takes {_SMALLEST_PX} each way")


def _name(path: Path) -> str:
    """Return the last part of a path, with escapes for what is no UTF-8, which no event could hold."""
    return (path.name or str(path)).encode(errors="backslashreplace").decode()
