"""A V4L2 camera (a laptop's webcam, a USB camera) through OpenCV."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2

from cuelens.camera.frame_buffers import NO_PICTURE, FrameBuffers
from cuelens.frame import Frame
from cuelens_models.errors import AbsentDevice

# OpenCV's deadline on a capture in whole seconds, read once a process. The default is ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

_PLAUSIBLE_AGE_NS: Final = 5_000_000_000
_RIBBON_DRIVERS: Final = ("unicam", "rp1-cfe")
"""Drivers of a Pi's camera port. They show devices once a sensor answers, but only libcamera gets pictures of them."""


class V4l2Camera:
    """Camera number N, `/dev/videoN`. Open, read and close it from one thread."""

    def __init__(
        self,
        number: int,
        width: int,
        height: int,
        fps: int,
        rotation: int,
        *,
        open_capture: Callable[[int, int], Any] = cv2.VideoCapture,
        root: Path = Path("/"),
    ) -> None:
        """Start the camera. Raises AbsentDevice if it is missing or another program holds it.

        Args:
            number: N of /dev/videoN.
            width: of the frames to ask for, in pixels.
            height: of the frames to ask for, in pixels.
            fps: frames a second to ask for.
            rotation: clockwise turn that makes a picture upright, in degrees: 0, 90, 180 or 270.
            open_capture: opens the camera by its number and OpenCV's number of the interface.
            root: where sysfs is.
        """
        self.name = f"v4l2:{number}"
        self._device = f"/dev/video{number}"
        self._root = root
        self._buffers = FrameBuffers(rotation)
        self._capture = open_capture(number, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise AbsentDevice(
                f"{self._device} is no camera, or another program holds it: `v4l2-ctl --list-devices` lists them"
            )
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, fps)
        self._picture: Any = None
        self._grey: Any = None
        self._gave_frames = False

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. It is empty if the camera gave something else than a picture.

        Raises TimeoutError if none came in time, AbsentDevice if the read failed at once, or if this camera never gave
        a frame and another one is on the ribbon cable.
        """
        began = time.monotonic()
        success, picture = self._capture.read(self._picture)
        if not success:
            raise self._failure(is_quick=time.monotonic() - began < min(timeout_s, 0.5))
        exposed_ns = self._exposed_ns()
        try:
            self._grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY, dst=self._grey)
        except cv2.error:
            return Frame(NO_PICTURE, exposed_ns / 1e9, exposed_ns)
        self._picture, self._gave_frames = picture, True
        return Frame(self._buffers.keep(self._grey), exposed_ns / 1e9, exposed_ns)

    def _failure(self, *, is_quick: bool) -> Exception:
        """Return the error of a failed read. is_quick: at once, as of an unplugged camera."""
        if not self._gave_frames and on_ribbon_cable(self._root):
            return AbsentDevice(
                f"{self._device} gives no frame, and a camera is on the ribbon cable: write picamera2 as the source"
            )
        if is_quick and not self._gave_frames:
            return AbsentDevice(f"{self._device} opens and gives no frame: `v4l2-ctl --list-devices` lists the cameras")
        if is_quick:
            return AbsentDevice(f"{self._device} went away: check its cable")
        return TimeoutError(f"{self._device} gave no frame")

    def _exposed_ns(self) -> int:
        """Return the driver's time stamp if it is on the monotonic clock (a module option changes that), else now."""
        now = time.monotonic_ns()
        stamp = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp if 0 <= now - stamp < _PLAUSIBLE_AGE_NS else now

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def on_ribbon_cable(root: Path) -> bool:
    """Whether libcamera sees a camera on a Raspberry Pi's ribbon cable, by the kernel's names of video devices.

    Asking libcamera itself takes seconds, longer than a capture may.
    """
    for file in (root / "sys/class/video4linux").glob("video*/name"):
        try:
            if file.read_text().startswith(_RIBBON_DRIVERS):
                return True
        except OSError:
            continue
    return False
