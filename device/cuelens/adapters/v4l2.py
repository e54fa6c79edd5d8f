"""A V4L2 camera (a laptop's webcam, a USB camera) through OpenCV."""

import os
import time
from typing import Any, Final

import cv2
import numpy as np

from cuelens.camera.frame_buffers import FrameBuffers
from cuelens.frame import Frame
from cuelens_models.errors import AbsentDevice

# OpenCV's deadline on a capture in whole seconds, read once a process. The default is ten.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

_PLAUSIBLE_AGE_NS: Final = 5_000_000_000


class V4l2Camera:
    """Camera number N, `/dev/videoN`. Open, read and close it from one thread."""

    def __init__(self, number: int, width: int, height: int, fps: int, rotation: int) -> None:
        """Start the camera. Raises AbsentDevice if it is missing or another program holds it."""
        self.name = f"v4l2:{number}"
        self._number = number
        self._buffers = FrameBuffers(rotation)
        self._capture = cv2.VideoCapture(number, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise AbsentDevice(
                f"/dev/video{number} is no camera, or another program holds it: `v4l2-ctl --list-devices` lists them"
            )
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, fps)
        self._picture: Any = None
        self._grey = np.empty((0, 0), np.uint8)

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame. Raises TimeoutError if none came in time, AbsentDevice if the camera was unplugged."""
        began = time.monotonic()
        success, picture = self._capture.read(self._picture)
        if not success:
            # An unplugged camera fails at once. A camera without frames fails at OpenCV's deadline.
            if time.monotonic() - began < min(timeout_s, 0.5):
                raise AbsentDevice(f"/dev/video{self._number} went away")
            raise TimeoutError(f"/dev/video{self._number} gave no frame")
        self._picture = picture
        if self._grey.shape != picture.shape[:2]:
            self._grey = np.empty(picture.shape[:2], np.uint8)
        cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY, dst=self._grey)
        exposed_ns = self._exposed_ns()
        return Frame(self._buffers.keep(self._grey), exposed_ns / 1e9, exposed_ns)

    def _exposed_ns(self) -> int:
        """Return the driver's time stamp if it is on the monotonic clock (a module option changes that), else now."""
        now = time.monotonic_ns()
        stamp = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp if 0 <= now - stamp < _PLAUSIBLE_AGE_NS else now

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()
