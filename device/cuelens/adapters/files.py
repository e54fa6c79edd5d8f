"""Frame sources from files: a video, a still image or a folder of images; and real-time pacing for any source."""

import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from cuelens.adapters.still import decode
from cuelens.adapters.truncated import is_cut_short
from cuelens.camera.frame_buffers import FrameBuffers
from cuelens.frame import Frame
from cuelens.ports import FrameSource
from cuelens_models import regular_file
from cuelens_models.errors import BadInput
from cuelens_models.quiet import native_quiet

IMAGE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm"})
_FOLDER_FPS: Final = 15.0
_STILL_S: Final = 4.0
"""How long a photograph is repeated: enough for an expression to settle and for one cue."""


class VideoFile:
    """The frames of a video with their presentation times."""

    def __init__(self, path: Path, rotation: int = 0) -> None:
        """Open the file. Raises BadInput if no frame can be decoded."""
        self.name = path.name
        self._buffers = FrameBuffers(rotation)
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        self._fps = self._capture.get(cv2.CAP_PROP_FPS) or _FOLDER_FPS
        self._last_t = -1.0
        self._picture: Any = None
        self._grey = np.empty((0, 0), np.uint8)
        self._first: Frame | None = None
        self._first = self.read(0)
        if self._first is None:
            self.close()
            raise BadInput(f"{path} is no video that can be played: it is cut short, or of an unknown format")

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one."""
        if self._first is not None:
            frame, self._first = self._first, None
            return Frame(frame.grey, frame.t, time.monotonic_ns())
        success, picture = self._capture.read(self._picture)
        if not success:
            return None
        self._picture = picture
        if self._grey.shape != self._picture.shape[:2]:
            self._grey = np.empty(self._picture.shape[:2], np.uint8)
        cv2.cvtColor(self._picture, cv2.COLOR_BGR2GRAY, dst=self._grey)
        t = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        # Some containers hold no times, and some repeat one.
        self._last_t = t if t > self._last_t else self._last_t + 1 / self._fps
        return Frame(self._buffers.keep(self._grey), self._last_t, time.monotonic_ns())

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class StillImage:
    """One photograph, repeated for some seconds at 15 frames a second."""

    def __init__(self, path: Path, rotation: int = 0, seconds: float = _STILL_S) -> None:
        """Decode the file. Raises BadInput if it is not an image."""
        self.name = path.name
        # libpng prints warnings about bad files. No other thread prints yet, so standard error can be muted.
        with native_quiet():
            self._grey = FrameBuffers(rotation).keep(decode(path))
        self._frames = round(seconds * _FOLDER_FPS)
        self._index = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the picture again, None once its time is over."""
        if self._index >= self._frames:
            return None
        t = self._index / _FOLDER_FPS
        self._index += 1
        return Frame(self._grey, t, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


class ImageFolder:
    """The images of a folder in the order of their names, 15 a second."""

    def __init__(self, path: Path, rotation: int = 0) -> None:
        """List the folder. Raises BadInput if it holds no image."""
        self.name = path.name
        self._files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if not self._files:
            raise BadInput(f"{path} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
        self._buffers = FrameBuffers(rotation)
        self._index = 0
        # Decode the first image now, so that a bad folder fails before any output is written.
        with native_quiet():
            decode(self._files[0])

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next picture, None after the last one. Raises BadInput if one cannot be decoded."""
        if self._index >= len(self._files):
            return None
        grey = self._buffers.keep(decode(self._files[self._index]))
        t = self._index / _FOLDER_FPS
        self._index += 1
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
    """Open a video, an image or a folder. Raises BadInput if it is missing, empty or none of these."""
    if fault := regular_file.fault(path, sys.maxsize):
        raise BadInput(f"source {path} {fault}")
    try:
        if path.is_dir():
            return ImageFolder(path, rotation)
        with path.open("rb") as file:
            if is_cut_short(file):
                raise BadInput(f"source {path} is cut short: copy it again")
            if file.tell() == 0:
                raise BadInput(f"source {path} is empty")
    except OSError as error:
        raise BadInput(f"source {path} cannot be read: {error.strerror}") from error
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return StillImage(path, rotation)
    return VideoFile(path, rotation)
